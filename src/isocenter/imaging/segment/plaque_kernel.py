"""How much of each voxel an ellipsoid covers."""

import numpy as np
from numba import njit


@njit(cache=True)
def cover_ellipsoid(
    matrix: np.ndarray, offset_mm: np.ndarray, shape: tuple[int, int, int], size_mm: np.ndarray, fine: tuple[int, int]
) -> np.ndarray:
    """Share of each voxel inside the ellipsoid p @ matrix @ p = 1, float64.

    offset_mm   from the ellipsoid's centre to the centre of voxel (0, 0, 0)
    size_mm     (2, 3): distance of neighbouring voxels, and the extent over which each of them averages
    fine        samples along the slice axis, and in plane, per voxel
    """
    out = np.empty(shape)
    n_z, n_yx = fine
    step = np.array([size_mm[1, 0] / n_z, size_mm[1, 1] / n_yx, size_mm[1, 2] / n_yx])
    cell = np.cbrt(step[0] * step[1] * step[2])
    reach = 0.5 * np.sqrt((size_mm[1] ** 2).sum())
    for k in range(shape[0]):
        for j in range(shape[1]):
            for i in range(shape[2]):
                z = offset_mm[0] + k * size_mm[0, 0]
                y = offset_mm[1] + j * size_mm[0, 1]
                x = offset_mm[2] + i * size_mm[0, 2]
                distance = _distance(matrix, z, y, x)
                # The distance is of first order: exact at the surface, rough far from it.
                if distance > 2 * reach + 0.3:
                    out[k, j, i] = 0.0
                    continue
                if distance < -1.5 * reach - 0.3:
                    out[k, j, i] = 1.0
                    continue
                total = 0.0
                for a in range(n_z):
                    for b in range(n_yx):
                        for c in range(n_yx):
                            near = _distance(
                                matrix,
                                z + (a + 0.5) * step[0] - 0.5 * size_mm[1, 0],
                                y + (b + 0.5) * step[1] - 0.5 * size_mm[1, 1],
                                x + (c + 0.5) * step[2] - 0.5 * size_mm[1, 2],
                            )
                            total += min(max(0.5 - near / cell, 0.0), 1.0)
                out[k, j, i] = total / (n_z * n_yx * n_yx)
    return out


@njit(cache=True)
def _distance(m: np.ndarray, z: float, y: float, x: float) -> float:
    """Signed distance to the surface to first order, negative inside."""
    u = m[0, 0] * z + m[0, 1] * y + m[0, 2] * x
    v = m[1, 0] * z + m[1, 1] * y + m[1, 2] * x
    w = m[2, 0] * z + m[2, 1] * y + m[2, 2] * x
    f = np.sqrt(max(u * z + v * y + w * x, 0.0)) + 1e-9
    return float(f * (f - 1) / (np.sqrt(u * u + v * v + w * w) + 1e-9))
