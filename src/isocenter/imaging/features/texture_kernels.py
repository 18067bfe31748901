"""Counting of grey levels: pairs, runs, zones and neighbours.

Levels come as a flat array of a volume with one voxel of 0 (outside) all around, so that a neighbour is an offset.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def count_pairs(levels: np.ndarray, places: np.ndarray, offsets: np.ndarray, n_levels: int) -> np.ndarray:
    """(offsets, levels, levels): how often a level has another one at an offset."""
    counts = np.zeros((len(offsets), n_levels, n_levels))
    for n in range(len(places)):
        place = places[n]
        level = levels[place] - 1
        for d in range(len(offsets)):
            other = levels[place + offsets[d]]
            if other > 0:
                counts[d, level, other - 1] += 1
    return counts


@njit(cache=True)
def count_runs(levels: np.ndarray, places: np.ndarray, offsets: np.ndarray, n_levels: int, longest: int) -> np.ndarray:
    """(offsets, levels, longest): how many runs of each level have each length from 1.

    places    ascending; offsets positive, so that what came before a voxel is known
    """
    reached = np.zeros((len(offsets), n_levels, longest + 1))
    lengths = np.zeros(len(levels), dtype=np.int32)
    for d in range(len(offsets)):
        for n in range(len(places)):
            place = places[n]
            before = place - offsets[d]
            length = 1
            if levels[before] == levels[place]:
                length += lengths[before]
            lengths[place] = length
            reached[d, levels[place] - 1, length - 1] += 1
    # A run of a length reaches that length and not the next one.
    return reached[:, :, :-1] - reached[:, :, 1:]


@njit(cache=True)
def find_zones(
    levels: np.ndarray, places: np.ndarray, offsets: np.ndarray, distances: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Connected pieces of one level: (first place, level, size, smallest distance) of each.

    places      ascending
    offsets     one of each pair of opposite neighbours
    distances   to the region's border, one per place in `levels`
    """
    parents = np.full(len(levels), -1, dtype=np.int32)
    for n in range(len(places)):
        place = places[n]
        parents[place] = place
        root = place
        for d in range(len(offsets)):
            other = place - abs(offsets[d])
            if levels[other] != levels[place] or parents[other] == root:
                continue
            while parents[other] != other:
                parents[other] = parents[parents[other]]
                other = parents[other]
            if other < root:
                parents[root] = other
                root = other
            elif root < other:
                parents[other] = root
    numbers = np.zeros(len(levels), dtype=np.int32)
    count = 0
    firsts = np.empty(len(places), dtype=np.int64)
    sizes = np.zeros(len(places), dtype=np.int64)
    nearest = np.empty(len(places), dtype=np.int64)
    for n in range(len(places)):
        place = places[n]
        root = place
        while parents[root] != root:
            root = parents[root]
        parents[place] = root
        if root == place:
            numbers[place] = count
            firsts[count] = place
            nearest[count] = distances[place]
            count += 1
        number = numbers[root]
        sizes[number] += 1
        nearest[number] = min(nearest[number], distances[place])
    kept = firsts[:count].copy()
    return kept, levels[kept].astype(np.int64), sizes[:count].copy(), nearest[:count].copy()


@njit(cache=True)
def count_neighbours(
    levels: np.ndarray, places: np.ndarray, offsets: np.ndarray, n_levels: int, alpha: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the neighbours of each voxel say.

    offsets   all neighbours
    alpha     levels at most this far apart depend on each other

    First (levels,): how many voxels of a level have neighbours; second: the sum of their differences from their
    neighbours' mean; third (levels, neighbours + 1): how many voxels have how many dependent ones, themselves included.
    """
    counted = np.zeros(n_levels)
    differences = np.zeros(n_levels)
    dependent = np.zeros((n_levels, len(offsets) + 1))
    for n in range(len(places)):
        place = places[n]
        level = levels[place]
        total, n_inside, n_alike = 0, 0, 0
        for d in range(len(offsets)):
            other = levels[place + offsets[d]]
            if other > 0:
                total += other
                n_inside += 1
                if abs(other - level) <= alpha:
                    n_alike += 1
        dependent[level - 1, n_alike] += 1
        if n_inside > 0:
            counted[level - 1] += 1
            differences[level - 1] += abs(level - total / n_inside)
    return counted, differences, dependent


@njit(cache=True)
def diagonal_sums(joint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares by difference, (matrices, levels), and by sum of the two levels, (matrices, 2 levels - 1).

    joint   (matrices, levels, levels) shares of pairs
    """
    n_matrices, n_levels, _ = joint.shape
    differences = np.zeros((n_matrices, n_levels))
    sums = np.zeros((n_matrices, 2 * n_levels - 1))
    for n in range(n_matrices):
        for i in range(n_levels):
            for j in range(n_levels):
                differences[n, abs(i - j)] += joint[n, i, j]
                sums[n, i + j] += joint[n, i, j]
    return differences, sums
