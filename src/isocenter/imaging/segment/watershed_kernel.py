"""Flooding and merging of basins, voxel by voxel, on flat arrays with a border of one voxel."""

import numpy as np
from numba import njit

_BLOCK = 256


@njit(cache=True)
def flood_levels(levels: np.ndarray, labels: np.ndarray, offsets: np.ndarray) -> None:
    """Grow labels > 0 over the zeros, lowest level first, first come first served within a level; in place.

    levels    whole numbers from 0, flat
    labels    0 to be flooded, below 0 never
    offsets   of the neighbours in the flat array
    """
    n_levels = levels.max() + 1
    first = np.full(n_levels, -1, np.int32)
    last = np.full(n_levels, -1, np.int32)
    following = np.full(levels.size, -1, np.int32)
    waiting = np.zeros(n_levels // _BLOCK + 1, np.int64)
    total = 0
    for place in range(labels.size):
        if labels[place] <= 0:
            continue
        for offset in offsets:
            if labels[place + offset] == 0:  # amid its like a marker floods nothing
                _append(place, levels[place], first, last, following)
                waiting[levels[place] // _BLOCK] += 1
                total += 1
                break
    level = 0
    while total:
        while first[level] < 0:
            level += 1
            if level % _BLOCK == 0:
                while waiting[level // _BLOCK] == 0:
                    level += _BLOCK
        place = first[level]
        first[level] = following[place]
        waiting[level // _BLOCK] -= 1
        total -= 1
        for offset in offsets:
            beside = place + offset
            if labels[beside] == 0:
                labels[beside] = labels[place]
                height = levels[beside]
                _append(beside, height, first, last, following)
                waiting[height // _BLOCK] += 1
                total += 1
                level = min(level, height)


@njit(cache=True)
def _append(place: int, level: int, first: np.ndarray, last: np.ndarray, following: np.ndarray) -> None:
    """Put a voxel at the end of its level's queue."""
    if first[level] < 0:
        first[level] = place
    else:
        following[last[level]] = place
    last[level] = place


@njit(cache=True)
def basin_depths(values: np.ndarray, order: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """How far water rises in each minimum before it spills into a deeper one; -1 where no minimum is, flat float64.

    order   flat places inside the mask by ascending value; the deepest minimum of a piece has infinity
    """
    parent = np.full(values.size, -1, np.int32)
    depths = np.full(values.size, -1.0, np.float64)
    for place in order:
        parent[place] = place
        level = values[place]
        for offset in offsets:
            beside = place + offset
            if parent[beside] < 0:
                continue
            one, two = _root(parent, place), _root(parent, beside)
            if one == two:
                continue
            # A root is the first, so the lowest, voxel of its basin.
            low, high = (one, two) if values[one] <= values[two] else (two, one)
            depths[high] = level - values[high]
            parent[high] = low
    for place in order:
        if parent[place] == place:
            depths[place] = np.inf
    return depths


@njit(cache=True)
def _root(parent: np.ndarray, place: int) -> int:
    """The lowest voxel of the basin that a place belongs to; the way there is shortened."""
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place
