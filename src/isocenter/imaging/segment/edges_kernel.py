"""Edges thinned to one voxel: maxima of the gradient along its own direction, and changes of sign."""

import numpy as np
from numba import njit


@njit(cache=True)
def thin_ridges(magnitude: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """The magnitude where it is the greatest on the line across the edge, 0 elsewhere, float32.

    direction   (3, slices, rows, columns): one finest step along the gradient, in indices
    """
    n_k, n_j, n_i = magnitude.shape
    thin = np.zeros(magnitude.shape, np.float32)
    for k in range(n_k):
        for j in range(n_j):
            for i in range(n_i):
                here = magnitude[k, j, i]
                if here <= 0:
                    continue
                dk, dj, di = direction[0, k, j, i], direction[1, k, j, i], direction[2, k, j, i]
                # Equal on one side is enough: an edge between two voxels is drawn once.
                if here >= _between(magnitude, k + dk, j + dj, i + di) and here > _between(
                    magnitude, k - dk, j - dj, i - di
                ):
                    thin[k, j, i] = here
    return thin


@njit(cache=True)
def _between(array: np.ndarray, k: float, j: float, i: float) -> float:
    """Trilinear interpolation; beyond the border the outermost voxel repeats."""
    n_k, n_j, n_i = array.shape
    k, j, i = min(max(k, 0.0), n_k - 1.0), min(max(j, 0.0), n_j - 1.0), min(max(i, 0.0), n_i - 1.0)
    k0, j0, i0 = int(k), int(j), int(i)
    k1, j1, i1 = min(k0 + 1, n_k - 1), min(j0 + 1, n_j - 1), min(i0 + 1, n_i - 1)
    wk, wj, wi = k - k0, j - j0, i - i0
    total = 0.0
    for kk, ck in ((k0, 1 - wk), (k1, wk)):
        if ck == 0:
            continue
        row0 = array[kk, j0, i0] * (1 - wi) + array[kk, j0, i1] * wi
        row1 = array[kk, j1, i0] * (1 - wi) + array[kk, j1, i1] * wi
        total += ck * (row0 * (1 - wj) + row1 * wj)
    return total


@njit(cache=True)
def zero_crossings(values: np.ndarray) -> np.ndarray:
    """Where the sign changes to a neighbour by faces, on the side nearer to zero, bool."""
    n_k, n_j, n_i = values.shape
    found = np.zeros(values.shape, np.bool_)
    for k in range(n_k):
        for j in range(n_j):
            for i in range(n_i):
                here = values[k, j, i]
                for dk, dj, di in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
                    if k + dk >= n_k or j + dj >= n_j or i + di >= n_i:
                        continue
                    there = values[k + dk, j + dj, i + di]
                    if (here > 0) != (there > 0):
                        if abs(here) <= abs(there):
                            found[k, j, i] = True
                        else:
                            found[k + dk, j + dj, i + di] = True
    return found
