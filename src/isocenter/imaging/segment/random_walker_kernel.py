"""Solving the random walker's equations on a grid: conjugate gradients with a multigrid cycle before each step.

A level holds the weights towards the next voxel along each axis and the diagonal; a voxel whose diagonal is 0 is
no unknown. Coarse levels join 2 x 2 x 2 voxels, so that every level has the same form. Every array has a border of
one voxel of zeros.
"""

import numpy as np
from numba import njit

Level = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
# A correction that is constant on each 2 x 2 x 2 block is too small; this much more of it is nearer to the truth.
# Source: Braess D. Towards algebraic multigrid for elliptic problems of second order. Computing 1995;55:379-393.
_OVER_CORRECTION = np.float32(1.8)
_COARSEST = 216


def solve(level: Level, right: np.ndarray, *, tolerance: float, most_steps: int = 200) -> np.ndarray:
    """The unknowns whose weighted differences to their neighbours add up to the right side, float32.

    tolerance   of the residual, relative to the right side's norm

    Source: Hestenes MR, Stiefel E. J Res Natl Bur Stand 1952;49(6):409-436; Tatebe O. NASA CP-3224 1993;621-634.
    """
    levels = _coarser_levels(level)
    unknown = np.zeros_like(right)
    residual = right.copy()
    first = _dot(residual, residual)
    if first == 0:
        return unknown
    ready = _cycle(levels, 0, residual)
    way = ready.copy()
    slope = _dot(residual, ready)
    for _ in range(most_steps):
        ahead = apply_level(way, *level)
        length = slope / _dot(way, ahead)
        unknown += np.float32(length) * way
        residual -= np.float32(length) * ahead
        if _dot(residual, residual) <= tolerance**2 * first:
            break
        ready = _cycle(levels, 0, residual)
        slope, before = _dot(residual, ready), slope
        way = ready + np.float32(slope / before) * way
    return unknown


def _dot(one: np.ndarray, two: np.ndarray) -> float:
    return float(dot_product(one.reshape(-1), two.reshape(-1)))


def _coarser_levels(level: Level) -> list[Level]:
    """The level and its coarser ones, down to a handful of voxels."""
    levels = [level]
    while levels[-1][3].size > _COARSEST:
        levels.append(coarsen(*levels[-1]))
    return levels


def _cycle(levels: list[Level], depth: int, right: np.ndarray) -> np.ndarray:
    """About the solution: one sweep forth, the correction of the coarser level (two visits there), one sweep back."""
    level = levels[depth]
    unknown = np.zeros_like(right)
    if depth == len(levels) - 1:
        for _ in range(8):
            sweep(unknown, right, level, True)
            sweep(unknown, right, level, False)
        return unknown
    sweep(unknown, right, level, True)
    coarse = gather(right - apply_level(unknown, *level), level[3])
    correction = _cycle(levels, depth + 1, coarse)
    if 0 < depth < len(levels) - 2:
        correction += _cycle(levels, depth + 1, coarse - apply_level(correction, *levels[depth + 1]))
    spread(unknown, correction, level[3], _OVER_CORRECTION)
    sweep(unknown, right, level, False)
    return unknown


@njit(cache=True)
def dot_product(one: np.ndarray, two: np.ndarray) -> float:
    """The inner product of two flat arrays, summed in float64."""
    total = 0.0
    for n in range(one.size):
        total += np.float64(one[n]) * np.float64(two[n])
    return total


@njit(cache=True)
def apply_level(x: np.ndarray, w_k: np.ndarray, w_j: np.ndarray, w_i: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """The level's matrix times x."""
    n_k, n_j, n_i = x.shape
    product = np.zeros_like(x)
    for k in range(1, n_k - 1):
        for j in range(1, n_j - 1):
            for i in range(1, n_i - 1):
                if diagonal[k, j, i] > 0:
                    beside = w_k[k - 1, j, i] * x[k - 1, j, i] + w_k[k, j, i] * x[k + 1, j, i]
                    beside += w_j[k, j - 1, i] * x[k, j - 1, i] + w_j[k, j, i] * x[k, j + 1, i]
                    beside += w_i[k, j, i - 1] * x[k, j, i - 1] + w_i[k, j, i] * x[k, j, i + 1]
                    product[k, j, i] = diagonal[k, j, i] * x[k, j, i] - beside
    return product


@njit(cache=True)
def sweep(x: np.ndarray, right: np.ndarray, level: Level, forth: bool) -> None:
    """One Gauss-Seidel sweep over a chessboard's fields of one colour, then the other's; back is the other order."""
    w_k, w_j, w_i, diagonal = level
    n_k, n_j, n_i = x.shape
    for turn in range(2):
        colour = turn if forth else 1 - turn
        for k in range(1, n_k - 1):
            for j in range(1, n_j - 1):
                for i in range(1 + (k + j + colour) % 2, n_i - 1, 2):
                    if diagonal[k, j, i] > 0:
                        beside = w_k[k - 1, j, i] * x[k - 1, j, i] + w_k[k, j, i] * x[k + 1, j, i]
                        beside += w_j[k, j - 1, i] * x[k, j - 1, i] + w_j[k, j, i] * x[k, j + 1, i]
                        beside += w_i[k, j, i - 1] * x[k, j, i - 1] + w_i[k, j, i] * x[k, j, i + 1]
                        x[k, j, i] = (right[k, j, i] + beside) / diagonal[k, j, i]


@njit(cache=True)
def gather(residual: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """The sum over each block of 2 x 2 x 2, where unknowns are."""
    n_k, n_j, n_i = residual.shape
    coarse = np.zeros(((n_k + 3) // 2, (n_j + 3) // 2, (n_i + 3) // 2), residual.dtype)
    for k in range(1, n_k - 1):
        for j in range(1, n_j - 1):
            for i in range(1, n_i - 1):
                if diagonal[k, j, i] > 0:
                    coarse[(k + 1) // 2, (j + 1) // 2, (i + 1) // 2] += residual[k, j, i]
    return coarse


@njit(cache=True)
def spread(x: np.ndarray, coarse: np.ndarray, diagonal: np.ndarray, factor: float) -> None:
    """Add each block's correction to its voxels; in place."""
    n_k, n_j, n_i = x.shape
    for k in range(1, n_k - 1):
        for j in range(1, n_j - 1):
            for i in range(1, n_i - 1):
                if diagonal[k, j, i] > 0:
                    x[k, j, i] += factor * coarse[(k + 1) // 2, (j + 1) // 2, (i + 1) // 2]


@njit(cache=True)
def coarsen(
    w_k: np.ndarray, w_j: np.ndarray, w_i: np.ndarray, diagonal: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The level of blocks of 2 x 2 x 2: weights between blocks add up, those inside a block leave the diagonal."""
    n_k, n_j, n_i = diagonal.shape
    shape = ((n_k + 3) // 2, (n_j + 3) // 2, (n_i + 3) // 2)
    v_k, v_j, v_i = np.zeros(shape, w_k.dtype), np.zeros(shape, w_k.dtype), np.zeros(shape, w_k.dtype)
    sums = np.zeros(shape, np.float64)
    for k in range(1, n_k - 1):
        for j in range(1, n_j - 1):
            for i in range(1, n_i - 1):
                kk, jj, ii = (k + 1) // 2, (j + 1) // 2, (i + 1) // 2
                sums[kk, jj, ii] += diagonal[k, j, i]
                # The first of a block has its neighbour beside it, the second has it in the next block.
                if k % 2:
                    sums[kk, jj, ii] -= 2 * w_k[k, j, i]
                else:
                    v_k[kk, jj, ii] += w_k[k, j, i]
                if j % 2:
                    sums[kk, jj, ii] -= 2 * w_j[k, j, i]
                else:
                    v_j[kk, jj, ii] += w_j[k, j, i]
                if i % 2:
                    sums[kk, jj, ii] -= 2 * w_i[k, j, i]
                else:
                    v_i[kk, jj, ii] += w_i[k, j, i]
    return v_k, v_j, v_i, sums.astype(diagonal.dtype)
