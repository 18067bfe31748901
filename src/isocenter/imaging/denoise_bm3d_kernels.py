"""The loops of BM3D: find alike patches, shrink them together, put them back (numba)."""

import numpy as np
from numba import njit


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
def _cut_small(spectrum: np.ndarray, limit: np.float32) -> np.float32:
    """Set coefficients below the limit to 0; the weight of the group: one over how many are left."""
    kept = 0
    flat = spectrum.ravel()
    for n in range(flat.size):
        if abs(flat[n]) < limit:
            flat[n] = np.float32(0)
        else:
            kept += 1
    return np.float32(1.0 / max(kept, 1))


@njit(cache=True, nogil=True)
def _shrink_by_pilot(spectrum: np.ndarray, pilot: np.ndarray, variance: np.float32) -> np.float32:
    """Empirical Wiener shrinkage; the weight of the group: one over the sum of squared factors."""
    power = np.float32(0)
    flat, guess = spectrum.ravel(), pilot.ravel()
    for n in range(flat.size):
        square = guess[n] * guess[n]
        factor = square / (square + variance)
        flat[n] *= factor
        power += factor * factor
    return np.float32(1.0) / max(power, np.float32(1e-6))


@njit(cache=True, nogil=True)
def run_band(
    images: tuple[np.ndarray, np.ndarray, np.ndarray], refs: tuple[np.ndarray, np.ndarray, np.ndarray],
    shape: tuple[tuple[int, int, int], tuple[int, int, int], int], maths: tuple[np.ndarray, np.ndarray, np.ndarray],
    level: tuple[np.float32, bool], sums: tuple[np.ndarray, np.ndarray],
) -> None:  # fmt: skip
    """Add the shrunk patches of a band to the sums, and their weights.

    images   noisy, guide (where patches are compared), pilot (first estimate; the guide where there is none)
    refs     where the band's reference patches begin, per axis
    shape    patch, search reach, patches per group
    maths    patch transform (n, n), window (n,), stack transforms (order, most, most)
    level    threshold, or the noise's deviation with a pilot; whether there is a pilot
    sums     of values and of weights, written
    """
    noisy, guide, pilot = images
    patch, search, most = shape
    to_spectrum, window, stacks = maths
    strength, with_pilot = level
    size = window.size
    distances, places = np.empty(most, np.float32), np.empty((most, 3), np.int64)
    memory, memory_pilot = np.empty((most, size), np.float32), np.empty((most, size), np.float32)
    back = np.ascontiguousarray(to_spectrum.T)
    for z in refs[0]:
        for y in refs[1]:
            for x in refs[2]:
                found = _find_alike(guide, (z, y, x), patch, search, places, distances)
                count = 1
                order = 0
                while count * 2 <= found:
                    count *= 2
                    order += 1
                along = np.ascontiguousarray(stacks[order, :count, :count])
                group = memory[:count]
                _gather(noisy, places, patch, group)
                spectrum = np.dot(along, np.dot(group, back))
                if with_pilot:
                    guess = memory_pilot[:count]
                    _gather(pilot, places, patch, guess)
                    weight = _shrink_by_pilot(spectrum, np.dot(along, np.dot(guess, back)), strength * strength)
                else:
                    weight = _cut_small(spectrum, strength)
                group = np.dot(along.T, np.dot(spectrum, to_spectrum))
                _scatter(group, places, patch, window * weight, sums[0], sums[1])
