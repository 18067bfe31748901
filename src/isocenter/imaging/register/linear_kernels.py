"""Compiled sums over samples for the linear search: residuals with their derivatives, joint histograms, gradients.

A sample is an index (k, j, i) of the fixed array with its value. `matrix` (4, 4) maps fixed indices to moving ones. One
thread adds in one order, so that the same images give the same bits.
"""

import numpy as np
from numba import njit

# Entries of the (3, 4) matrix, the slope and the offset of the intensities.
N_UNKNOWNS = 14


@njit(cache=True, inline="always")
def _corner(place: float, size: int) -> tuple[np.uint64, np.uint64, np.float32]:
    """Both neighbours and the weight of the upper one; a place within half a voxel of the border is on it.

    Unsigned: indices that cannot be negative are not checked for it at every reading.
    """
    place = min(max(place, 0.0), size - 1.0)
    low = min(int(place), max(size - 2, 0))
    return np.uint64(low), np.uint64(min(low + 1, size - 1)), np.float32(place - low)


@njit(cache=True, inline="always")
def _is_inside(z: float, y: float, x: float, shape: tuple[int, ...]) -> bool:
    return (
        z > -0.501 and z < shape[0] - 0.499
        and y > -0.501 and y < shape[1] - 0.499
        and x > -0.501 and x < shape[2] - 0.499
    )  # fmt: skip


@njit(cache=True)
def value_and_slope(array: np.ndarray, z: float, y: float, x: float) -> tuple[float, float, float, float]:
    """The trilinear value at a place inside the array, and its derivatives along k, j, i."""
    k, k1, c = _corner(z, array.shape[0])
    j, j1, b = _corner(y, array.shape[1])
    i, i1, a = _corner(x, array.shape[2])
    v000, v001 = array[k, j, i], array[k, j, i1]
    v010, v011 = array[k, j1, i], array[k, j1, i1]
    v100, v101 = array[k1, j, i], array[k1, j, i1]
    v110, v111 = array[k1, j1, i], array[k1, j1, i1]
    v00, v01 = v000 + a * (v001 - v000), v010 + a * (v011 - v010)
    v10, v11 = v100 + a * (v101 - v100), v110 + a * (v111 - v110)
    v0, v1 = v00 + b * (v01 - v00), v10 + b * (v11 - v10)
    d00, d01, d10, d11 = v001 - v000, v011 - v010, v101 - v100, v111 - v110
    d0, d1 = d00 + b * (d01 - d00), d10 + b * (d11 - d10)
    e0, e1 = v01 - v00, v11 - v10
    return v0 + c * (v1 - v0), v1 - v0, e0 + c * (e1 - e0), d0 + c * (d1 - d0)


@njit(cache=True)
def value_at(array: np.ndarray, z: float, y: float, x: float) -> float:
    """The trilinear value at a place inside the array."""
    k, k1, c = _corner(z, array.shape[0])
    j, j1, b = _corner(y, array.shape[1])
    i, i1, a = _corner(x, array.shape[2])
    v00 = array[k, j, i] + a * (array[k, j, i1] - array[k, j, i])
    v01 = array[k, j1, i] + a * (array[k, j1, i1] - array[k, j1, i])
    v10 = array[k1, j, i] + a * (array[k1, j, i1] - array[k1, j, i])
    v11 = array[k1, j1, i] + a * (array[k1, j1, i1] - array[k1, j1, i])
    v0, v1 = v00 + b * (v01 - v00), v10 + b * (v11 - v10)
    value: float = v0 + c * (v1 - v0)
    return value


@njit(cache=True)
def normal_equations(
    index: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
    moving: np.ndarray,
    matrix: np.ndarray,
    relation: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of the linearised residual m(Px) - slope f - offset over all samples inside the moving array.

    index (n, 3) float32; values, weights (n,) float32; relation (slope, offset, scale): scale > 0 gives Tukey's
    bisquare weights with that limit, 0 plain squares.
    Returns the normal matrix (14, 14), its right side (14,), and the moments (weight, f, m, ff, mm, fm, count).
    """
    h = np.zeros((N_UNKNOWNS, N_UNKNOWNS))
    s = np.zeros(N_UNKNOWNS)
    c = np.zeros(7)
    row = np.empty(N_UNKNOWNS)
    slope, offset, scale = relation[0], relation[1], relation[2]
    for sample in range(index.shape[0]):
        k, j, i = index[sample, 0], index[sample, 1], index[sample, 2]
        z = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 2] * i + matrix[0, 3]
        y = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 2] * i + matrix[1, 3]
        x = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 2] * i + matrix[2, 3]
        if not _is_inside(z, y, x, moving.shape):
            continue
        m, gz, gy, gx = value_and_slope(moving, z, y, x)
        f = values[sample]
        w = np.float64(weights[sample])
        if scale > 0.0:
            share = (m - slope * f - offset) / scale
            if share * share >= 1.0:
                continue
            w *= (1.0 - share * share) ** 2
        row[0], row[1], row[2], row[3] = gz * k, gz * j, gz * i, gz
        row[4], row[5], row[6], row[7] = gy * k, gy * j, gy * i, gy
        row[8], row[9], row[10], row[11] = gx * k, gx * j, gx * i, gx
        row[12], row[13] = -f, -1.0
        for a in range(N_UNKNOWNS):
            wa = w * row[a]
            s[a] -= wa * m
            for b in range(a, N_UNKNOWNS):
                h[a, b] += wa * row[b]
        _add_moments(c, w, f, m)
    for a in range(N_UNKNOWNS):
        for b in range(a):
            h[a, b] = h[b, a]
    return h, s, c


@njit(cache=True, inline="always")
def _add_moments(c: np.ndarray, w: float, f: float, m: float) -> None:
    c[0] += w
    c[1] += w * f
    c[2] += w * m
    c[3] += w * f * f
    c[4] += w * m * m
    c[5] += w * f * m
    c[6] += 1.0


@njit(cache=True)
def sampled_moments(
    index: np.ndarray, values: np.ndarray, weights: np.ndarray, moving: np.ndarray, matrix: np.ndarray
) -> np.ndarray:
    """The moments of `normal_equations` alone, of plain squares."""
    c = np.zeros(7)
    for sample in range(index.shape[0]):
        k, j, i = index[sample, 0], index[sample, 1], index[sample, 2]
        z = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 2] * i + matrix[0, 3]
        y = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 2] * i + matrix[1, 3]
        x = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 2] * i + matrix[2, 3]
        if _is_inside(z, y, x, moving.shape):
            _add_moments(c, np.float64(weights[sample]), values[sample], value_at(moving, z, y, x))
    return c


@njit(cache=True, inline="always")
def _spline_weights(t: float, weights: np.ndarray, slopes: np.ndarray) -> None:
    """Cubic B-spline weights of four neighbouring bins and their derivatives, at a fraction t between two bins."""
    s = 1.0 - t
    weights[0] = s * s * s / 6.0
    weights[1] = (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0
    weights[2] = (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0
    weights[3] = t * t * t / 6.0
    slopes[0] = -0.5 * s * s
    slopes[1] = 1.5 * t * t - 2.0 * t
    slopes[2] = -1.5 * s * s + 2.0 * s
    slopes[3] = 0.5 * t * t


@njit(cache=True)
def joint_histogram(
    index: np.ndarray, bins: np.ndarray, weights: np.ndarray, moving: np.ndarray, matrix: np.ndarray, n_bins: int
) -> tuple[np.ndarray, float]:
    """Weights by (bin of the fixed value, bin of the moving one), shape (n_bins, n_bins + 3), and the sum inside.

    bins     (n,) int32: of the fixed values, 0 to n_bins - 1
    moving   in units of bins, 0 to n_bins - 1; each value is spread over four bins by a cubic B-spline
    """
    counts = np.zeros((n_bins, n_bins + 3))
    spread = np.empty(4)
    slopes = np.empty(4)
    inside = 0.0
    for sample in range(index.shape[0]):
        k, j, i = index[sample, 0], index[sample, 1], index[sample, 2]
        z = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 2] * i + matrix[0, 3]
        y = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 2] * i + matrix[1, 3]
        x = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 2] * i + matrix[2, 3]
        if not _is_inside(z, y, x, moving.shape):
            continue
        m = value_at(moving, z, y, x)
        low = min(int(m), n_bins - 1)
        _spline_weights(m - low, spread, slopes)
        f = bins[sample]
        w = weights[sample]
        for b in range(4):
            counts[f, low + b] += w * spread[b]
        inside += w
    return counts, inside


@njit(cache=True)
def histogram_gradient(
    index: np.ndarray, bins: np.ndarray, weights: np.ndarray, moving: np.ndarray, matrix: np.ndarray, score: np.ndarray
) -> np.ndarray:
    """The derivative of sum(score * joint histogram) by the twelve entries of the matrix, shape (12,).

    score   (n_bins, n_bins + 3): what one more unit of weight in a cell is worth
    """
    n_bins = score.shape[0]
    spread = np.empty(4)
    slopes = np.empty(4)
    g = np.zeros((3, 4))
    for sample in range(index.shape[0]):
        k, j, i = index[sample, 0], index[sample, 1], index[sample, 2]
        z = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 2] * i + matrix[0, 3]
        y = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 2] * i + matrix[1, 3]
        x = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 2] * i + matrix[2, 3]
        if not _is_inside(z, y, x, moving.shape):
            continue
        m, gz, gy, gx = value_and_slope(moving, z, y, x)
        low = min(int(m), n_bins - 1)
        _spline_weights(m - low, spread, slopes)
        f = bins[sample]
        worth = 0.0
        for b in range(4):
            worth += slopes[b] * score[f, low + b]
        worth *= weights[sample]
        for axis, slope in enumerate((gz * worth, gy * worth, gx * worth)):
            g[axis, 0] += slope * k
            g[axis, 1] += slope * j
            g[axis, 2] += slope * i
            g[axis, 3] += slope
    return g.ravel()
