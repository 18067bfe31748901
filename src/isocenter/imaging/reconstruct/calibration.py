"""The fully sampled centre of k-space, and what it says of the coils and the noise."""

import numpy as np

_MOST_LINES = 32


def calibration_region(mask: np.ndarray) -> tuple[slice, slice]:
    """The largest fully sampled block around the centre of k-space: its rows and columns."""
    rows, columns = mask.shape
    row, column = rows // 2, columns // 2
    if not mask[row, column]:
        return slice(row, row), slice(column, column)
    best = (slice(row, row + 1), slice(column, column + 1))
    top = bottom = row
    while True:
        line = np.asarray(mask[top : bottom + 1].all(axis=0))
        if not line[column]:
            break
        gaps = np.flatnonzero(~line)
        left = int(gaps[gaps < column].max(initial=-1)) + 1
        right = int(gaps[gaps > column].min(initial=columns))
        if (bottom + 1 - top) * (right - left) > _area(best) or min(bottom + 1 - top, right - left) > shortest_side(
            best
        ):
            best = slice(top, bottom + 1), slice(left, right)
        if top == 0 and bottom == rows - 1:
            break
        # Outwards on both sides in turn; a side at the edge or unsampled at the centre column stays.
        grown = False
        if top > 0 and mask[top - 1, column]:
            top, grown = top - 1, True
        if bottom < rows - 1 and mask[bottom + 1, column]:
            bottom, grown = bottom + 1, True
        if not grown:
            break
    return best


def _area(block: tuple[slice, slice]) -> int:
    return int((block[0].stop - block[0].start) * (block[1].stop - block[1].start))


def shortest_side(block: tuple[slice, slice]) -> int:
    """The fewer of a block's rows and columns."""
    return int(min(block[0].stop - block[0].start, block[1].stop - block[1].start))


def calibration_spectrum(calibration: np.ndarray, kernel: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Eigenvalues (ascending) and eigenvectors of the k-space patches of the calibration data, and how many patches.

    calibration   (coils, rows, columns); its middle is looked at: 32 lines of the shorter side, 192 of the longer
    """
    short = int(np.argmin(calibration.shape[1:]))
    cut = [slice(None)]
    for axis, n in enumerate(calibration.shape[1:]):
        kept = min(n, _MOST_LINES if axis == short else 6 * _MOST_LINES)
        cut.append(slice((n - kept) // 2, (n - kept) // 2 + kept))
    windows = np.lib.stride_tricks.sliding_window_view(calibration[tuple(cut)], (kernel, kernel), axis=(1, 2))
    matrix = np.moveaxis(windows, 0, 2).reshape(-1, len(calibration) * kernel**2)
    values, vectors = np.linalg.eigh(matrix.conj().T @ matrix)
    return values, vectors, len(matrix)
