"""Compiled steps of deformable registration: reading an array through a displacement field, forces, field algebra."""

import numpy as np
from numba import njit, prange

from isocenter.imaging.register.linear_kernels import value_at


@njit(cache=True, parallel=True)
def sample_displaced(
    array: np.ndarray, place: np.ndarray, turn: np.ndarray, field_mm: np.ndarray, outside: float
) -> np.ndarray:
    """The trilinear value of `array` at place @ (k, j, i, 1) + turn @ vector for every voxel of the field.

    place      (4, 4): index of the field -> index of the array
    turn       (3, 3): millimetres x, y, z -> index of the array
    field_mm   (slices, rows, columns, 3)
    """
    shape = field_mm.shape
    limit = array.shape
    values = np.empty((shape[0], shape[1], shape[2]), dtype=np.float32)
    for k in prange(shape[0]):
        for j in range(shape[1]):
            for i in range(shape[2]):
                a, b, c = field_mm[k, j, i, 0], field_mm[k, j, i, 1], field_mm[k, j, i, 2]
                z = place[0, 0] * k + place[0, 1] * j + place[0, 2] * i + place[0, 3]
                y = place[1, 0] * k + place[1, 1] * j + place[1, 2] * i + place[1, 3]
                x = place[2, 0] * k + place[2, 1] * j + place[2, 2] * i + place[2, 3]
                z += turn[0, 0] * a + turn[0, 1] * b + turn[0, 2] * c
                y += turn[1, 0] * a + turn[1, 1] * b + turn[1, 2] * c
                x += turn[2, 0] * a + turn[2, 1] * b + turn[2, 2] * c
                beyond = False
                if z < -0.5001 or z > limit[0] - 0.4999:
                    beyond = True
                if y < -0.5001 or y > limit[1] - 0.4999:
                    beyond = True
                if x < -0.5001 or x > limit[2] - 0.4999:
                    beyond = True
                values[k, j, i] = outside if beyond else value_at(array, z, y, x)
    return values


@njit(cache=True, inline="always")
def _difference(array: np.ndarray, k: int, j: int, i: int, axis: int) -> np.float32:
    """The central difference along an axis; one-sided at the border, 0 along an axis of one voxel."""
    size = array.shape[axis]
    at = k if axis == 0 else (j if axis == 1 else i)
    low, high = max(at - 1, 0), min(at + 1, size - 1)
    if high == low:
        return np.float32(0.0)
    if axis == 0:
        rise = array[high, j, i] - array[low, j, i]
    elif axis == 1:
        rise = array[k, high, i] - array[k, low, i]
    else:
        rise = array[k, j, high] - array[k, j, low]
    slope: np.float32 = rise / np.float32(high - low)
    return slope


@njit(cache=True, parallel=True)
def structure_sums(fixed: np.ndarray, factors: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Sums over each block of the products of the gradient's parts per mm, (6, K, J, I): kk kj ki jj ji ii."""
    shape = (fixed.shape[0] // factors[0], fixed.shape[1] // factors[1], fixed.shape[2] // factors[2])
    sums = np.zeros((6, shape[0], shape[1], shape[2]), dtype=np.float32)
    for block_k in prange(shape[0]):
        for block_j in range(shape[1]):
            for block_i in range(shape[2]):
                for dk in range(factors[0]):
                    for dj in range(factors[1]):
                        for di in range(factors[2]):
                            k, j, i = block_k * factors[0] + dk, block_j * factors[1] + dj, block_i * factors[2] + di
                            a = _difference(fixed, k, j, i, 0) / spacing[0]
                            b = _difference(fixed, k, j, i, 1) / spacing[1]
                            c = _difference(fixed, k, j, i, 2) / spacing[2]
                            sums[0, block_k, block_j, block_i] += a * a
                            sums[1, block_k, block_j, block_i] += a * b
                            sums[2, block_k, block_j, block_i] += a * c
                            sums[3, block_k, block_j, block_i] += b * b
                            sums[4, block_k, block_j, block_i] += b * c
                            sums[5, block_k, block_j, block_i] += c * c
    return sums


@njit(cache=True, inline="always")
def _beside(within: int, factor: int, at: int, size: int) -> tuple[int, np.float32]:
    """The block next to block `at` on whose side its voxel number `within` lies, and that block's weight."""
    away = (within - 0.5 * (factor - 1)) / factor
    other = max(at - 1, 0) if away < 0 else min(at + 1, size - 1)
    return other, np.float32(abs(away))


@njit(cache=True)
def _spread_row(field: np.ndarray, row: tuple[int, int, int, int], factors: np.ndarray, out: np.ndarray) -> None:
    """The field's vectors, linear between block centres, at each voxel of a row; out (3, columns).

    row   the block along k and j, and the voxel's number within it along both
    """
    block_k, block_j, dk, dj = row
    other_k, c = _beside(dk, factors[0], block_k, field.shape[1])
    other_j, b = _beside(dj, factors[1], block_j, field.shape[2])
    n = field.shape[3]
    line = np.empty(n, dtype=np.float32)
    for part in range(3):
        near, next_j = field[part, block_k, block_j], field[part, block_k, other_j]
        next_k, both = field[part, other_k, block_j], field[part, other_k, other_j]
        for i in range(n):
            one = near[i] + b * (next_j[i] - near[i])
            other = next_k[i] + b * (both[i] - next_k[i])
            line[i] = one + c * (other - one)
        for di in range(factors[2]):
            for i in range(n):
                other_i, a = _beside(di, factors[2], i, n)
                out[part, i * factors[2] + di] = line[i] + a * (line[other_i] - line[i])


@njit(cache=True, inline="always")
def _step_over(at: int, size: int, spacing: float) -> tuple[int, int, np.float32]:
    """The neighbours of a voxel along an axis and what one over their distance in mm is; 0 on an axis of one voxel."""
    low, high = max(at - 1, 0), min(at + 1, size - 1)
    return low, high, np.float32(1.0 / ((high - low) * spacing)) if high > low else np.float32(0.0)


@njit(cache=True, parallel=True)
def residual_sums(
    fixed: np.ndarray,
    moving: np.ndarray,
    field: np.ndarray,
    relation: np.ndarray,
    factors: np.ndarray,
    spacing: np.ndarray,
) -> np.ndarray:
    """Sums over each block: residual x gradient (3 parts), then n, f, m, ff, mm, fm; (9, K, J, I).

    moving     on the fixed grid; NaN where unknown
    field      (3, K, J, I): displacement in mm along the axes k, j, i at each block's centre
    relation   (2, K, J, I): slope and offset that make the moving value a fixed one
    """
    blocks, shape = field.shape, fixed.shape
    sums = np.zeros((9, blocks[1], blocks[2], blocks[3]), dtype=np.float32)
    for block_k in prange(blocks[1]):
        rows = np.empty((3, blocks[3] * factors[2]), dtype=np.float32)
        for block_j in range(blocks[2]):
            for dk in range(factors[0]):
                k = block_k * factors[0] + dk
                k0, k1, per_k = _step_over(k, shape[0], spacing[0])
                for dj in range(factors[1]):
                    j = block_j * factors[1] + dj
                    j0, j1, per_j = _step_over(j, shape[1], spacing[1])
                    _spread_row(field, (block_k, block_j, dk, dj), factors, rows)
                    for i in range(rows.shape[1]):
                        z = k + rows[0, i] / spacing[0]
                        y = j + rows[1, i] / spacing[1]
                        x = i + rows[2, i] / spacing[2]
                        if z < -0.5 or y < -0.5 or x < -0.5:
                            continue
                        if z > moving.shape[0] - 0.5 or y > moving.shape[1] - 0.5 or x > moving.shape[2] - 0.5:
                            continue
                        m = value_at(moving, z, y, x)
                        if np.isnan(m):
                            continue
                        i0, i1, per_i = _step_over(i, shape[2], spacing[2])
                        at = i // factors[2]
                        f = fixed[k, j, i]
                        rest = f - relation[0, block_k, block_j, at] * m - relation[1, block_k, block_j, at]
                        sums[0, block_k, block_j, at] += rest * (fixed[k1, j, i] - fixed[k0, j, i]) * per_k
                        sums[1, block_k, block_j, at] += rest * (fixed[k, j1, i] - fixed[k, j0, i]) * per_j
                        sums[2, block_k, block_j, at] += rest * (fixed[k, j, i1] - fixed[k, j, i0]) * per_i
                        sums[3, block_k, block_j, at] += 1.0
                        sums[4, block_k, block_j, at] += f
                        sums[5, block_k, block_j, at] += m
                        sums[6, block_k, block_j, at] += f * f
                        sums[7, block_k, block_j, at] += m * m
                        sums[8, block_k, block_j, at] += f * m
    return sums


@njit(cache=True, parallel=True)
def solve_steps(structure: np.ndarray, pull: np.ndarray, damping: float, longest_mm: float) -> np.ndarray:
    """The step of each block: (structure + damping) step = pull, no longer than `longest_mm`; (3, K, J, I)."""
    steps = np.empty_like(pull)
    for k in prange(pull.shape[1]):
        for j in range(pull.shape[2]):
            for i in range(pull.shape[3]):
                a = structure[0, k, j, i] + damping
                b, c = structure[1, k, j, i], structure[2, k, j, i]
                d = structure[3, k, j, i] + damping
                e = structure[4, k, j, i]
                f = structure[5, k, j, i] + damping
                p, q, r = pull[0, k, j, i], pull[1, k, j, i], pull[2, k, j, i]
                c00, c01, c02 = d * f - e * e, c * e - b * f, b * e - c * d
                c11, c12, c22 = a * f - c * c, b * c - a * e, a * d - b * b
                det = a * c00 + b * c01 + c * c02
                x = (c00 * p + c01 * q + c02 * r) / det
                y = (c01 * p + c11 * q + c12 * r) / det
                z = (c02 * p + c12 * q + c22 * r) / det
                length = np.sqrt(x * x + y * y + z * z)
                shorten = 1.0 if length <= longest_mm else longest_mm / length
                steps[0, k, j, i] = x * shorten
                steps[1, k, j, i] = y * shorten
                steps[2, k, j, i] = z * shorten
    return steps


@njit(cache=True, parallel=True)
def compose_fields(field: np.ndarray, steps: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """The displacement x -> x + step(x) followed by `field`: step(x) + field(x + step(x)); (3, K, J, I) in mm.

    spacing   mm between blocks along k, j, i
    """
    done = np.empty_like(field)
    for k in prange(field.shape[1]):
        for j in range(field.shape[2]):
            for i in range(field.shape[3]):
                z = k + steps[0, k, j, i] / spacing[0]
                y = j + steps[1, k, j, i] / spacing[1]
                x = i + steps[2, k, j, i] / spacing[2]
                for part in range(3):
                    done[part, k, j, i] = steps[part, k, j, i] + value_at(field[part], z, y, x)
    return done


@njit(cache=True, parallel=True)
def determinants(field_mm: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """The Jacobian determinant of x -> x + field(x) at each voxel, (slices, rows, columns) float32.

    field_mm   (slices, rows, columns, 3)
    axes       (3, 3); columns are the millimetres x, y, z of one step along k, j, i
    """
    shape = field_mm.shape[:3]
    found = np.empty(shape, dtype=np.float32)
    whole = np.linalg.det(axes)
    for k in prange(shape[0]):
        g = np.empty((3, 3))
        for j in range(shape[1]):
            for i in range(shape[2]):
                for part in range(3):
                    g[part, 0] = axes[part, 0] + _difference(field_mm[..., part], k, j, i, 0)
                    g[part, 1] = axes[part, 1] + _difference(field_mm[..., part], k, j, i, 1)
                    g[part, 2] = axes[part, 2] + _difference(field_mm[..., part], k, j, i, 2)
                det = (
                    g[0, 0] * (g[1, 1] * g[2, 2] - g[1, 2] * g[2, 1])
                    - g[0, 1] * (g[1, 0] * g[2, 2] - g[1, 2] * g[2, 0])
                    + g[0, 2] * (g[1, 0] * g[2, 1] - g[1, 1] * g[2, 0])
                )
                found[k, j, i] = det / whole
    return found


@njit(cache=True, parallel=True)
def spread_blocks(
    blocks: np.ndarray, place: np.ndarray, axes: np.ndarray, change: np.ndarray, shape: np.ndarray
) -> np.ndarray:
    """Block vectors at every voxel of a grid as LPS mm, with the linear part: (slices, rows, columns, 3) float32.

    blocks   (3, K, J, I) mm along the axes k, j, i of the fixed grid
    place    (4, 4): voxel index -> block index
    axes     (3, 3); columns are the unit directions x, y, z of k, j, i
    change   (2, 4, 4): of index -> LPS mm of the fixed grid, and of the motion minus the identity
    """
    field = np.empty((shape[0], shape[1], shape[2], 3), dtype=np.float32)
    to_mm, move = change[0], change[1]
    for k in prange(shape[0]):
        for j in range(shape[1]):
            for i in range(shape[2]):
                z = place[0, 0] * k + place[0, 1] * j + place[0, 2] * i + place[0, 3]
                y = place[1, 0] * k + place[1, 1] * j + place[1, 2] * i + place[1, 3]
                x = place[2, 0] * k + place[2, 1] * j + place[2, 2] * i + place[2, 3]
                a, b, c = value_at(blocks[0], z, y, x), value_at(blocks[1], z, y, x), value_at(blocks[2], z, y, x)
                u = axes[0, 0] * a + axes[0, 1] * b + axes[0, 2] * c
                v = axes[1, 0] * a + axes[1, 1] * b + axes[1, 2] * c
                w = axes[2, 0] * a + axes[2, 1] * b + axes[2, 2] * c
                p = to_mm[0, 0] * k + to_mm[0, 1] * j + to_mm[0, 2] * i + to_mm[0, 3] + u
                q = to_mm[1, 0] * k + to_mm[1, 1] * j + to_mm[1, 2] * i + to_mm[1, 3] + v
                r = to_mm[2, 0] * k + to_mm[2, 1] * j + to_mm[2, 2] * i + to_mm[2, 3] + w
                field[k, j, i, 0] = u + move[0, 0] * p + move[0, 1] * q + move[0, 2] * r + move[0, 3]
                field[k, j, i, 1] = v + move[1, 0] * p + move[1, 1] * q + move[1, 2] * r + move[1, 3]
                field[k, j, i, 2] = w + move[2, 0] * p + move[2, 1] * q + move[2, 2] * r + move[2, 3]
    return field


@njit(cache=True)
def values_in_pairs(
    fixed: np.ndarray, moving: np.ndarray, field: np.ndarray, factors: np.ndarray, spacing: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fixed values at the first voxel of each block and the moving values that the field brings there, where known."""
    n = field.shape[1] * field.shape[2] * field.shape[3]
    one, other = np.empty(n), np.empty(n)
    count = 0
    for block_k in range(field.shape[1]):
        for block_j in range(field.shape[2]):
            for block_i in range(field.shape[3]):
                k, j, i = block_k * factors[0], block_j * factors[1], block_i * factors[2]
                z = k + field[0, block_k, block_j, block_i] / spacing[0]
                y = j + field[1, block_k, block_j, block_i] / spacing[1]
                x = i + field[2, block_k, block_j, block_i] / spacing[2]
                if z < -0.5 or y < -0.5 or x < -0.5:
                    continue
                if z > moving.shape[0] - 0.5 or y > moving.shape[1] - 0.5 or x > moving.shape[2] - 0.5:
                    continue
                m = value_at(moving, z, y, x)
                if np.isnan(m):
                    continue
                one[count] = fixed[k, j, i]
                other[count] = m
                count += 1
    return one[:count], other[:count]
