"""Loops over voxels that clustering runs through: mean-field sweeps and superpixels; compiled at first use."""

import numpy as np
from numba import njit, prange


@njit(cache=True, inline="always")
def _pull(
    beliefs: np.ndarray, inside: np.ndarray, place: tuple[int, int, int], c: int, pulls: np.ndarray
) -> np.floating:
    """What the six neighbours of a voxel believe of a class, weighted."""
    k, j, i = place
    pull = np.float32(0)
    if k > 0 and inside[k - 1, j, i]:
        pull += pulls[0] * beliefs[k - 1, j, i, c]
    if k + 1 < inside.shape[0] and inside[k + 1, j, i]:
        pull += pulls[0] * beliefs[k + 1, j, i, c]
    if j > 0 and inside[k, j - 1, i]:
        pull += pulls[1] * beliefs[k, j - 1, i, c]
    if j + 1 < inside.shape[1] and inside[k, j + 1, i]:
        pull += pulls[1] * beliefs[k, j + 1, i, c]
    if i > 0 and inside[k, j, i - 1]:
        pull += pulls[2] * beliefs[k, j, i - 1, c]
    if i + 1 < inside.shape[2] and inside[k, j, i + 1]:
        pull += pulls[2] * beliefs[k, j, i + 1, c]
    return pull


@njit(cache=True, inline="always")
def _set_shares(beliefs: np.ndarray, scores: np.ndarray) -> None:
    """Beliefs of one voxel from the logs of their odds."""
    best = scores.max()
    total = np.float32(0)
    for c in range(scores.size):
        scores[c] = np.exp(scores[c] - best)
        total += scores[c]
    for c in range(scores.size):
        beliefs[c] = scores[c] / total


@njit(cache=True, parallel=True)
def sweep_mean_field(
    likelihood: np.ndarray, inside: np.ndarray, beliefs: np.ndarray, pulls: np.ndarray, colour: int
) -> None:
    """Set the beliefs of every second voxel, as on a chessboard, from the log-likelihood and its neighbours' beliefs.

    likelihood   log, (slices, rows, columns, classes); beliefs likewise, written into
    pulls        of a neighbour along slices, rows, columns
    colour       0 or 1: voxels whose indices add up to an even or odd number
    """
    n_slices, n_rows, n_columns, n_classes = beliefs.shape
    for k in prange(n_slices):
        scores = np.empty(n_classes, dtype=np.float32)
        for j in range(n_rows):
            for i in range((k + j + colour) % 2, n_columns, 2):
                if inside[k, j, i]:
                    for c in range(n_classes):
                        scores[c] = likelihood[k, j, i, c] + _pull(beliefs, inside, (k, j, i), c, pulls)
                    _set_shares(beliefs[k, j, i], scores)


@njit(cache=True, parallel=True)
def sweep_mixture(
    array: np.ndarray, inside: np.ndarray, beliefs: np.ndarray, pulls: np.ndarray, classes: np.ndarray
) -> np.ndarray:
    """Both colours of a mean field over Gaussian classes, one after the other; and sums for new classes, float64.

    classes   (classes, 2): mean and standard deviation of each
    returns   (slices, classes, 3): belief, belief times intensity, belief times squared intensity, about the old mean
    """
    n_slices, n_rows, n_columns, n_classes = beliefs.shape
    means, scales = classes[:, 0].astype(np.float32), (1 / classes[:, 1]).astype(np.float32)
    levels = np.log(scales)
    sums = np.zeros((n_slices, n_classes, 3))
    for colour in range(2):
        for k in prange(n_slices):
            scores = np.empty(n_classes, dtype=np.float32)
            for j in range(n_rows):
                for i in range((k + j + colour) % 2, n_columns, 2):
                    if inside[k, j, i]:
                        for c in range(n_classes):
                            off = (array[k, j, i] - means[c]) * scales[c]
                            pull = _pull(beliefs, inside, (k, j, i), c, pulls)
                            scores[c] = levels[c] - np.float32(0.5) * off * off + pull
                        _set_shares(beliefs[k, j, i], scores)
                        for c in range(n_classes):
                            off = array[k, j, i] - means[c]
                            sums[k, c, 0] += beliefs[k, j, i, c]
                            sums[k, c, 1] += beliefs[k, j, i, c] * off
                            sums[k, c, 2] += beliefs[k, j, i, c] * off * off
    return sums


@njit(cache=True)
def _gather_centres(centres: np.ndarray, cell: tuple[int, int, int], around: np.ndarray, numbers: np.ndarray) -> int:
    """Copy the living centres of a cell (first) and of the cells around it, with their numbers; how many there are."""
    n_cells = centres.shape[:3]
    count = 0
    for step in range(28):
        number = 13 if step == 0 else step - 1
        if step > 0 and number == 13:
            continue
        a, b, c = cell[0] + number // 9 - 1, cell[1] + number // 3 % 3 - 1, cell[2] + number % 3 - 1
        if a < 0 or b < 0 or c < 0 or a >= n_cells[0] or b >= n_cells[1] or c >= n_cells[2]:
            continue
        if not np.isnan(centres[a, b, c, 0]):
            around[count] = centres[a, b, c]
            numbers[count] = (a * n_cells[1] + b) * n_cells[2] + c
            count += 1
    return count


@njit(cache=True, parallel=True)
def assign_superpixels(
    features: np.ndarray, inside: np.ndarray, centres: np.ndarray, cells: np.ndarray, scales: np.ndarray
) -> np.ndarray:
    """The nearest centre of each voxel among those of its grid cell and the cells around it, int32; -1 outside.

    features   (slices, rows, columns, channels)
    centres    (cells along slices, rows, columns, 3 indices and channels); a dead centre's first index is NaN
    cells      size of a cell in voxels along each axis
    scales     what one voxel along each axis adds to the distance
    """
    n_slices, n_rows, n_columns, n_channels = features.shape
    n_cells = centres.shape[:3]
    nearest = np.full((n_slices, n_rows, n_columns), -1, dtype=np.int32)
    for a in prange(n_cells[0]):
        around = np.empty((27, 3 + n_channels))
        numbers = np.empty(27, dtype=np.int32)
        part = np.empty(27)
        k_stop = n_slices if a == n_cells[0] - 1 else int(np.ceil((a + 1) * cells[0]))
        for b in range(n_cells[1]):
            j_stop = n_rows if b == n_cells[1] - 1 else int(np.ceil((b + 1) * cells[1]))
            for c in range(n_cells[2]):
                i_stop = n_columns if c == n_cells[2] - 1 else int(np.ceil((c + 1) * cells[2]))
                count = _gather_centres(centres, (a, b, c), around, numbers)
                for k in range(int(np.ceil(a * cells[0])), k_stop):
                    for j in range(int(np.ceil(b * cells[1])), j_stop):
                        for m in range(count):
                            dk, dj = (k - around[m, 0]) * scales[0], (j - around[m, 1]) * scales[1]
                            part[m] = dk * dk + dj * dj
                        for i in range(int(np.ceil(c * cells[2])), i_stop):
                            if not inside[k, j, i]:
                                continue
                            best = np.inf
                            for m in range(count):
                                di = (i - around[m, 2]) * scales[2]
                                distance = part[m] + di * di
                                if distance >= best:
                                    continue
                                for n in range(n_channels):
                                    off = features[k, j, i, n] - around[m, 3 + n]
                                    distance += off * off
                                if distance < best:
                                    best = distance
                                    nearest[k, j, i] = numbers[m]
    return nearest
