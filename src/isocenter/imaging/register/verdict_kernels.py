"""Compiled window-by-window comparison of two arrays."""

import numpy as np
from numba import njit, prange

from isocenter.imaging.register.linear_kernels import value_at


@njit(cache=True, parallel=True)
def window_agreement(
    fixed: np.ndarray,
    centres: np.ndarray,
    reach: np.ndarray,
    moving: np.ndarray,
    matrix: np.ndarray,
    limits: np.ndarray,
) -> np.ndarray:
    """Squared correlation in the window around each centre, (n,) float64; -1 where the moving image does not reach.

    centres   (n, 3) int64 indices of the fixed array
    reach     (3,) int64: a window has 2 reach + 1 voxels along each axis, less at the border
    matrix    (4, 4): fixed index -> moving index
    limits    (2,): a moving window of a smaller standard deviation agrees with nothing (0); a window of which less
              than this share is known counts as not reached; NaN is unknown
    """
    found = np.empty(centres.shape[0])
    shape, limit = fixed.shape, moving.shape
    for n in prange(centres.shape[0]):
        count, inside = 0, 0
        sf, sm, sff, smm, sfm = 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(max(0, centres[n, 0] - reach[0]), min(shape[0], centres[n, 0] + reach[0] + 1)):
            for j in range(max(0, centres[n, 1] - reach[1]), min(shape[1], centres[n, 1] + reach[1] + 1)):
                z0 = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 3]
                y0 = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 3]
                x0 = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 3]
                for i in range(max(0, centres[n, 2] - reach[2]), min(shape[2], centres[n, 2] + reach[2] + 1)):
                    count += 1
                    f = np.float64(fixed[k, j, i])
                    z, y, x = z0 + matrix[0, 2] * i, y0 + matrix[1, 2] * i, x0 + matrix[2, 2] * i
                    if np.isnan(f) or z < -0.5 or y < -0.5 or x < -0.5:
                        continue
                    if z > limit[0] - 0.5 or y > limit[1] - 0.5 or x > limit[2] - 0.5:
                        continue
                    m = np.float64(value_at(moving, z, y, x))
                    if np.isnan(m):
                        continue
                    inside += 1
                    sf += f
                    sm += m
                    sff += f * f
                    smm += m * m
                    sfm += f * m
        if inside < count * limits[1] or inside < 8:
            found[n] = -1.0
            continue
        var_f = sff / inside - (sf / inside) ** 2
        var_m = smm / inside - (sm / inside) ** 2
        both = sfm / inside - sf / inside * sm / inside
        if var_m <= limits[0] * limits[0] or var_f <= 0.0:
            found[n] = 0.0
        else:
            found[n] = min(1.0, both * both / (var_f * var_m))
    return found
