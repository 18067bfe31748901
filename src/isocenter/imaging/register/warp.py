"""The moving image brought onto the fixed grid, and what a displacement field does to volumes."""

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Source, Volume


def warp_linear(moving: Volume, grid: Grid, matrix: np.ndarray, *, outside: float | None = None) -> Volume:
    """The moving image on the fixed grid after a motion, float32, linear.

    matrix    (4, 4); fixed points -> moving points, LPS mm
    outside   the value beyond the moving image; None: 0, or its lowest value where that is negative (air in HU)
    """
    from isocenter.imaging.register.level_kernels import sample_affine

    place = np.linalg.solve(moving.grid.affine, matrix @ grid.affine)
    shape = np.array(grid.shape)
    parts = [sample_affine(part, place, shape, _ground(part, outside)) for part in _channels(moving)]
    return _on_grid(moving, parts, grid)


def warp_field(moving: Volume, grid: Grid, field_mm: np.ndarray, *, outside: float | None = None) -> Volume:
    """The moving image on the fixed grid after displacements, float32, linear.

    field_mm   (slices, rows, columns, 3) on the fixed grid: moving point - fixed point, LPS mm
    outside    as in `warp_linear`
    """
    from isocenter.imaging.register.deform_kernels import sample_displaced

    if field_mm.shape != (*grid.shape, 3):
        raise InputError(f"displacement: expected the fixed grid's {(*grid.shape, 3)}, got {field_mm.shape}")
    place = np.linalg.solve(moving.grid.affine, grid.affine)
    turn = np.linalg.inv(moving.grid.affine[:3, :3])
    field = np.ascontiguousarray(field_mm, dtype=np.float32)
    parts = [sample_displaced(part, place, turn, field, _ground(part, outside)) for part in _channels(moving)]
    return _on_grid(moving, parts, grid)


def linear_field(grid: Grid, matrix: np.ndarray) -> np.ndarray:
    """The displacements of a motion on a grid, (slices, rows, columns, 3) LPS mm, float32."""
    change = (matrix - np.eye(4)) @ grid.affine
    k, j, i = (np.arange(size, dtype=np.float64) for size in grid.shape)
    field = np.empty((*grid.shape, 3), dtype=np.float32)
    for axis in range(3):
        along = change[axis, 0] * k[:, None, None] + change[axis, 1] * j[:, None] + change[axis, 2] * i
        field[..., axis] = along + change[axis, 3]
    return field


def jacobian_determinant(field_mm: np.ndarray, grid: Grid) -> np.ndarray:
    """How much each voxel's neighbourhood grows from fixed to moving, (slices, rows, columns) float32; <= 0 folds.

    Central differences, one-sided at the border; an axis of one voxel does not stretch.
    """
    from isocenter.imaging.register.deform_kernels import determinants

    axes = np.ascontiguousarray(grid.affine[:3, :3])
    return np.asarray(determinants(np.ascontiguousarray(field_mm, dtype=np.float32), axes))


def folding_percent(field_mm: np.ndarray, grid: Grid) -> float:
    """Share of voxels, in per cent, whose neighbourhood is turned inside out (determinant <= 0)."""
    return float(100 * np.mean(jacobian_determinant(field_mm, grid) <= 0))


def _channels(volume: Volume) -> list[np.ndarray]:
    array = np.asarray(volume.array, dtype=np.float32)
    if not np.isfinite(array).all():
        finite = array[np.isfinite(array)]
        array = np.nan_to_num(array, nan=float(finite.min()), posinf=float(finite.max()), neginf=float(finite.min()))
    return (
        [np.ascontiguousarray(array[..., c]) for c in range(3)] if volume.is_colour else [np.ascontiguousarray(array)]
    )


def _ground(array: np.ndarray, outside: float | None) -> np.float32:
    return np.float32(min(0.0, float(array.min())) if outside is None else outside)


def _on_grid(moving: Volume, parts: list[np.ndarray], grid: Grid) -> Volume:
    array = parts[0] if len(parts) == 1 else np.rint(np.stack(parts, axis=-1)).astype(moving.array.dtype)
    source = Source(study_uid=moving.source.study_uid, digests=moving.source.digests)
    return Volume(array, grid, moving.unit, moving.modality, moving.facts, source)
