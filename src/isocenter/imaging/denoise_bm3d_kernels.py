"""The loops of BM3D: find alike patches, shrink them together, put them back (numba)."""

import numpy as np
from numba import njit

# A group's weight: its remaining noise power per patch voxel, at least so much, to minus this power. 1 would be right
# for white errors; edges leave errors that are not (chosen on phantoms and pictures).
_LEAST_POWER = 1e-3
_TRUST = 1.5


@njit(cache=True, nogil=True, fastmath=True)
def _find_alike(
    guide: np.ndarray, at: tuple[int, int, int], patch: tuple[int, int, int], search: tuple[int, int, int],
    places: np.ndarray, distances: np.ndarray,
) -> int:  # fmt: skip
    """The patches of the guide that differ least from the one at a place, nearest first; returns how many."""
    z, y, x = at
    # The patch itself comes first whatever else is equal to it, so that every voxel is in some group.
    most, found = distances.size, 1
    distances[0] = np.float32(-1)
    places[0, 0], places[0, 1], places[0, 2] = z, y, x
    worst = np.float32(np.inf)
    for c in range(max(0, z - search[0]), min(guide.shape[0] - patch[0], z + search[0]) + 1):
        for b in range(max(0, y - search[1]), min(guide.shape[1] - patch[1], y + search[1]) + 1):
            for a in range(max(0, x - search[2]), min(guide.shape[2] - patch[2], x + search[2]) + 1):
                distance = np.float32(0)
                if c == z and b == y and a == x:
                    continue
                for k in range(patch[0]):
                    for j in range(patch[1]):
                        row, other = guide[z + k, y + j], guide[c + k, b + j]
                        for i in range(patch[2]):
                            step = row[x + i] - other[a + i]
                            distance += step * step
                        if distance >= worst:
                            break
                    if distance >= worst:
                        break
                if distance < worst:
                    slot = min(found, most - 1)
                    while slot > 0 and distances[slot - 1] > distance:
                        distances[slot] = distances[slot - 1]
                        places[slot] = places[slot - 1]
                        slot -= 1
                    distances[slot] = distance
                    places[slot, 0], places[slot, 1], places[slot, 2] = c, b, a
                    found = min(found + 1, most)
                    if found == most:
                        worst = distances[most - 1]
    return found


@njit(cache=True, nogil=True)
def _gather(image: np.ndarray, places: np.ndarray, patch: tuple[int, int, int], group: np.ndarray) -> None:
    """Copy the patches at the places into the rows of the group."""
    for n in range(group.shape[0]):
        z, y, x = places[n]
        at = 0
        for k in range(patch[0]):
            for j in range(patch[1]):
                for i in range(patch[2]):
                    group[n, at] = image[z + k, y + j, x + i]
                    at += 1


@njit(cache=True, nogil=True)
def _scatter(
    group: np.ndarray, places: np.ndarray, patch: tuple[int, int, int], window: np.ndarray,
    total: np.ndarray, weight: np.ndarray,
) -> None:  # fmt: skip
    """Add the rows of the group to the sums at the places, weighted by the window."""
    for n in range(group.shape[0]):
        z, y, x = places[n]
        at = 0
        for k in range(patch[0]):
            for j in range(patch[1]):
                for i in range(patch[2]):
                    total[z + k, y + j, x + i] += window[at] * group[n, at]
                    weight[z + k, y + j, x + i] += window[at]
                    at += 1


@njit(cache=True, nogil=True)
def _cut_small(group: np.ndarray, along: np.ndarray, to_spectrum: np.ndarray, limit: np.float32) -> float:
    """Set what is below the limit in the group's spectrum to 0; returns how many coefficients are left."""
    spectrum = np.dot(along, np.dot(group, np.ascontiguousarray(to_spectrum.T)))
    kept = 0
    flat = spectrum.ravel()
    for n in range(flat.size):
        if abs(flat[n]) < limit:
            flat[n] = np.float32(0)
        else:
            kept += 1
    group[:] = np.dot(np.ascontiguousarray(along.T), np.dot(spectrum, to_spectrum))
    return float(kept)


@njit(cache=True, nogil=True)
def _centre(group: np.ndarray) -> np.ndarray:
    """Take the mean patch off each patch of a group; returns it."""
    mean = np.zeros(group.shape[1], np.float32)
    for n in range(group.shape[0]):
        mean += group[n]
    mean *= np.float32(1.0 / group.shape[0])
    for n in range(group.shape[0]):
        group[n] -= mean
    return mean


@njit(cache=True, nogil=True)
def _shrink_by_pilot(group: np.ndarray, guess: np.ndarray, cosines: np.ndarray) -> float:
    """Wiener-filter the patches of a group with unit noise; returns the sum of the squared factors.

    The mean patch is shrunk in its cosine spectrum by the pilot's; what differs from it, by the covariance C of the
    pilot's patches: C (C + 1)^-1. With fewer patches than voxels this is G' (G G' / n + 1)^-1 G / n for the centred
    pilot patches G, an inverse of the size of the group.
    """
    count, share = group.shape[0], np.float32(1.0 / group.shape[0])
    mean, mean_guess = np.dot(cosines, _centre(group)), np.dot(cosines, _centre(guess))
    power = 0.0
    for n in range(mean.size):
        square = mean_guess[n] * mean_guess[n] * np.float32(count)
        factor = square / (square + np.float32(1))
        mean[n] *= factor
        power += factor * factor
    across = np.ascontiguousarray(guess.T)
    gram = np.dot(guess, across) * share
    inner = gram.copy()
    for n in range(count):
        inner[n, n] += np.float32(1)
    inverse = np.linalg.inv(inner)
    power += float(np.square(np.dot(inverse, gram)).sum())
    group[:] = np.dot(np.dot(np.dot(group, across), inverse), guess) * share
    mean = np.dot(np.ascontiguousarray(cosines.T), mean)
    for n in range(count):
        group[n] += mean
    return float(power)


@njit(cache=True, nogil=True)
def run_band(
    images: tuple[np.ndarray, np.ndarray], refs: tuple[np.ndarray, np.ndarray, np.ndarray],
    shape: tuple[tuple[int, int, int], tuple[int, int, int], int], maths: tuple[np.ndarray, np.ndarray, np.ndarray],
    level: tuple[np.float32, bool], sums: tuple[np.ndarray, np.ndarray],
) -> None:  # fmt: skip
    """Add the shrunk patches of a band to the sums, and their weights.

    images   noisy, guide (where patches are compared; the pilot where there is one)
    refs     where the band's reference patches begin, per axis
    shape    patch, search reach, patches per group
    maths    patch transform (n, n), window (n,), stack transforms (order, most, most)
    level    threshold; whether the guide is a pilot
    sums     of values and of weights, written
    """
    noisy, guide = images
    patch, search, most = shape
    to_spectrum, window, stacks = maths
    threshold, with_pilot = level
    size = window.size
    distances, places = np.empty(most, np.float32), np.empty((most, 3), np.int64)
    memory, memory_guess = np.empty((most, size), np.float32), np.empty((most, size), np.float32)
    for z in refs[0]:
        for y in refs[1]:
            for x in refs[2]:
                found = _find_alike(guide, (z, y, x), patch, search, places, distances)
                if with_pilot:
                    group, guess = memory[:found], memory_guess[:found]
                    _gather(noisy, places, patch, group)
                    _gather(guide, places, patch, guess)
                    power = _shrink_by_pilot(group, guess, to_spectrum)
                else:
                    count = 1
                    order = 0
                    while count * 2 <= found:
                        count *= 2
                        order += 1
                    group = memory[:count]
                    _gather(noisy, places, patch, group)
                    power = _cut_small(
                        group, np.ascontiguousarray(stacks[order, :count, :count]), to_spectrum, threshold
                    )
                # Of the noise this share of its power is left: the less, the more the group counts.
                weight = np.float32(max(power / size, _LEAST_POWER) ** -_TRUST)
                _scatter(group, places, patch, window * weight, sums[0], sums[1])
