"""Counting of grey levels: pairs, runs, zones and neighbours.

Levels come as a flat array of a volume with one voxel of 0 (outside) all around, so that a neighbour is an offset.
Indices are unsigned inside the loops: numba then leaves out its check for negative ones, which makes them 2 to 5 times
as fast.
"""

import numpy as np
from numba import njit


def count_pairs(levels: np.ndarray, places: np.ndarray, offsets: np.ndarray, n_levels: int) -> np.ndarray:
    """(offsets, levels, levels): how often a level has another one at an offset."""
    width = n_levels + 1
    square = _count_with_outside(levels, places, offsets, n_levels).reshape(len(offsets), width, width)
    return np.asarray(square[:, 1:, 1:], dtype=np.float64)


@njit(cache=True)
def _count_with_outside(levels: np.ndarray, places: np.ndarray, offsets: np.ndarray, n_levels: int) -> np.ndarray:
    width = n_levels + 1
    counts = np.zeros((len(offsets), width * width), dtype=np.int64)
    for d in range(len(offsets)):
        row = counts[d]
        for n in range(len(places)):
            place = places[n]
            here, there = levels[np.uint64(place)], levels[np.uint64(place + offsets[d])]
            # Pairs with the outside fall into column 0.
            row[np.uint64(here * width + there)] += 1
    return counts


def count_runs(levels: np.ndarray, places: np.ndarray, offsets: np.ndarray, n_levels: int, longest: int) -> np.ndarray:
    """(offsets, levels, longest): how many runs of each level have each length from 1.

    places    ascending; offsets positive, so that what came before a voxel is known
    """
    reached = _count_reached(levels, places, offsets, n_levels, longest + 1)
    table = reached.reshape(len(offsets), n_levels, longest + 1).astype(np.float64)
    # A run of a length reaches that length and not the next one.
    return np.asarray(table[:, :, :-1] - table[:, :, 1:])


@njit(cache=True)
def _count_reached(
    levels: np.ndarray, places: np.ndarray, offsets: np.ndarray, n_levels: int, width: int
) -> np.ndarray:
    """(offsets, levels x width): how many voxels of each level are the n-th of their run, n from 1."""
    reached = np.zeros((len(offsets), n_levels * width), dtype=np.int64)
    lengths = np.zeros(len(levels), dtype=np.int64)
    for d in range(len(offsets)):
        row = reached[d]
        for n in range(len(places)):
            place, before = np.uint64(places[n]), np.uint64(places[n] - offsets[d])
            level = levels[place]
            length = 1 + lengths[before] * (levels[before] == level)
            lengths[place] = length
            row[np.uint64((level - 1) * width + length - 1)] += 1
    return reached


@njit(cache=True)
def measure_zones(
    zones: np.ndarray, places: np.ndarray, levels: np.ndarray, distances: np.ndarray, n_zones: int
) -> np.ndarray:
    """(4, zones): first place, level, size and smallest distance of each.

    zones       the number of each voxel's zone from 1
    places      ascending
    distances   to the region's border
    """
    found = np.zeros((4, n_zones), dtype=np.int64)
    for n in range(len(places)):
        place = np.uint64(places[n])
        zone = np.uint64(zones[place] - 1)
        if found[2, zone] == 0:
            found[0, zone], found[1, zone], found[3, zone] = places[n], levels[place], distances[place]
        found[2, zone] += 1
        found[3, zone] = min(found[3, zone], distances[place])
    return found


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
            other = levels[np.uint64(place + offsets[d])]
            total += other
            n_inside += other > 0
            n_alike += (other > 0) & (abs(other - level) <= alpha)
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
