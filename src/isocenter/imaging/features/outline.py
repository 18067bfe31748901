"""Where a thing ends, finer than a voxel: the places between neighbours at which the values pass a level."""

import numpy as np


def edge_points(picture: np.ndarray, *, level: float = 0.5) -> np.ndarray:
    """Places where the values pass a level between neighbours along an axis, by linear interpolation.

    picture   values or a bool mask of any number of axes; beyond its border everything lies below the level

    Returns fractional indices, shape (n, axes). For a mask they lie halfway between an inner and an outer voxel.

    >>> edge_points(np.array([False, True, True])).ravel().tolist()
    [0.5, 2.5]
    """
    values = picture.astype(np.float64)
    below = min(float(values.min()), level) - 1.0 if picture.dtype != np.bool_ else 0.0
    padded = np.pad(values, 1, constant_values=below)
    inside = padded >= level
    found = []
    for axis in range(values.ndim):
        near = [slice(None)] * values.ndim
        far = [slice(None)] * values.ndim
        near[axis], far[axis] = slice(None, -1), slice(1, None)
        index = np.argwhere(inside[tuple(near)] != inside[tuple(far)])
        if not len(index):
            continue
        here = padded[tuple(near)][tuple(index.T)]
        there = padded[tuple(far)][tuple(index.T)]
        share = (level - here) / (there - here)
        # The padding holds no values: an object cut by the border ends half a voxel beyond its last one.
        at_border = (index[:, axis] == 0) | (index[:, axis] == padded.shape[axis] - 2)
        share[at_border] = 0.5
        places = index.astype(np.float64) - 1
        places[:, axis] += share
        found.append(places)
    return np.concatenate(found) if found else np.empty((0, values.ndim))
