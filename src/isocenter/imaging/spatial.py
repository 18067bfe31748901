"""Volumes on other grids: resampled, cropped, padded, turned; the affine follows exactly, so that places stay places.

A voxel is a box around its centre. A point inside the box of an outermost voxel takes that voxel's value; beyond it
nothing is known and `outside` stands.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

import cv2
import numpy as np

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Source, Volume

Interpolation = Literal["nearest", "linear", "cubic"]
_ORDERS: Final = {"nearest": 0, "linear": 1, "cubic": 3}
_FLAGS: Final = {"nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR}
# Below this, index units: two grids are counted as parallel.
_PARALLEL: Final = 1e-6


def resample_volume(volume: Volume, spacing_mm: Sequence[float], *, interpolation: Interpolation = "linear") -> Volume:
    """The volume at another spacing over the same field of view: the corner of its first voxel stays where it is.

    spacing_mm   along (slices, rows, columns)

    Integers come back as float32 unless the interpolation is nearest. Raises UnknownSpacingError where the image
    states no pixel size.
    """
    old = volume.grid.spacing_mm
    new = np.asarray(spacing_mm, dtype=np.float64)
    if new.shape != (3,) or not (np.isfinite(new).all() and (new > 0).all()):
        raise InputError(f"spacing: expected three positive numbers of mm, got {spacing_mm}")
    factors = new / old
    shape = np.maximum(1, np.floor(np.asarray(volume.grid.shape) / factors + 0.5)).astype(int)
    affine = volume.grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] * factors
    affine[:3, 3] = volume.grid.to_world_mm((factors - 1) / 2)
    grid = replace(volume.grid, shape=(int(shape[0]), int(shape[1]), int(shape[2])), affine=affine)
    return resample_to(volume, grid, interpolation=interpolation)


def resample_to(volume: Volume, grid: Grid, *, interpolation: Interpolation = "linear", outside: float = 0.0) -> Volume:
    """The volume's values at the voxel centres of another grid.

    outside   the value beyond the volume's field of view

    Where both grids run along the same lines, OpenCV does it slice by slice; else scipy does. Integers come back as
    float32 unless the interpolation is nearest.
    """
    if interpolation not in _ORDERS:
        raise InputError(f"interpolation: expected nearest, linear or cubic; got {interpolation!r}")
    if volume.is_colour:
        parts = [
            resample_to(replace(volume, array=volume.array[..., c]), grid, interpolation=interpolation, outside=outside)
            for c in range(3)
        ]
        return replace(parts[0], array=np.stack([part.array for part in parts], axis=-1))
    # Index of the new grid -> index of the old one.
    matrix = np.linalg.inv(volume.grid.affine) @ grid.affine
    array = volume.array if interpolation == "nearest" else np.asarray(volume.array, dtype=np.float32)
    order = np.argmax(np.abs(matrix[:3, :3]), axis=1)
    is_parallel = sorted(order) == [0, 1, 2] and _off_axis(matrix[:3, :3], order) < _PARALLEL
    if is_parallel and interpolation != "cubic":
        values = _resample_parallel(array, matrix, order, grid.shape, interpolation)
    else:
        values = _resample_any(array, matrix, grid.shape, _ORDERS[interpolation])
    _blank_outside(values, matrix, array.shape, outside)
    return Volume(values, grid, volume.unit, volume.modality, volume.facts, _sliceless(volume.source))


def resample_mask(mask: Mask, grid: Grid) -> Mask:
    """A mask on another grid, by nearest neighbour."""
    moved = resample_to(Volume(mask.array.view(np.uint8), mask.grid), grid, interpolation="nearest")
    return Mask(moved.array.astype(np.bool_), grid)


def crop_to_box(volume: Volume, start: Sequence[int], stop: Sequence[int]) -> Volume:
    """The part of a volume from one index (k, j, i) up to, not including, another.

    Raises GeometryError for a box that is empty or leaves the volume.
    """
    k0, j0, i0 = (int(value) for value in start)
    k1, j1, i1 = (int(value) for value in stop)
    shape = volume.grid.shape
    if not (0 <= k0 < k1 <= shape[0] and 0 <= j0 < j1 <= shape[1] and 0 <= i0 < i1 <= shape[2]):
        raise GeometryError(f"crop: expected a box inside {shape}, got {(k0, j0, i0)} to {(k1, j1, i1)}")
    grid = _shifted(volume.grid, (k0, j0, i0), (k1 - k0, j1 - j0, i1 - i0))
    instances = volume.source.instances[k0:k1] if volume.source.instances else ()
    source = replace(volume.source, instances=instances)
    return replace(volume, array=volume.array[k0:k1, j0:j1, i0:i1].copy(), grid=grid, source=source)


def pad_volume(volume: Volume, before: Sequence[int], after: Sequence[int], *, value: float = 0.0) -> Volume:
    """The volume with voxels of one value added before and after along (slices, rows, columns)."""
    widths = [(int(low), int(high)) for low, high in zip(before, after, strict=True)]
    if len(widths) != 3 or min(min(width) for width in widths) < 0:
        raise InputError(f"pad: expected three counts of at least 0 before and after, got {before} and {after}")
    every = widths + [(0, 0)] * (volume.array.ndim - 3)
    array = np.pad(volume.array, every, constant_values=value)
    shift = (-widths[0][0], -widths[1][0], -widths[2][0])
    shape = (int(array.shape[0]), int(array.shape[1]), int(array.shape[2]))
    source = volume.source if widths[0] == (0, 0) else _sliceless(volume.source)
    return replace(volume, array=array, grid=_shifted(volume.grid, shift, shape), source=source)


def reorient_to_axial(volume: Volume) -> Volume:
    """The volume turned by quarter turns and flips so that slices run to the head, rows to the back, columns to the
    left of the patient, as closely as its axes allow; no value is interpolated, every voxel keeps its place.
    """
    order, signs = _nearest_axes(volume.grid)
    array = np.transpose(volume.array, (*order, *range(3, volume.array.ndim)))
    columns = [volume.grid.affine[:3, axis] for axis in order]
    origin = volume.grid.affine[:3, 3].copy()
    flips = []
    for axis, sign in enumerate(signs):
        flips.append(slice(None, None, -1) if sign < 0 else slice(None))
        if sign < 0:
            origin = origin + columns[axis] * (array.shape[axis] - 1)
            columns[axis] = -columns[axis]
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = np.stack(columns, axis=1), origin
    array = np.ascontiguousarray(array[tuple(flips)])
    shape = (int(array.shape[0]), int(array.shape[1]), int(array.shape[2]))
    instances = volume.source.instances if order[0] == 0 else ()
    source = replace(volume.source, instances=instances[::-1] if signs[0] < 0 else instances)
    return replace(volume, array=array, grid=replace(volume.grid, shape=shape, affine=affine), source=source)


def _nearest_axes(grid: Grid) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Which old axis runs most along z, y and x of the patient, and whether forwards or backwards."""
    directions = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    shares = np.abs(directions)
    chosen: dict[int, int] = {}
    for flat in np.argsort(-shares, axis=None):
        world, axis = divmod(int(flat), 3)
        if world not in chosen and axis not in chosen.values():
            chosen[world] = axis
    order = (chosen[2], chosen[1], chosen[0])
    signs = tuple(1 if directions[world, chosen[world]] >= 0 else -1 for world in (2, 1, 0))
    return order, (signs[0], signs[1], signs[2])


def _off_axis(matrix: np.ndarray, order: np.ndarray) -> float:
    """How far the matrix is from one that only permutes, flips and scales the axes."""
    rest = np.abs(matrix).copy()
    rest[np.arange(3), order] = 0
    return float(rest.max())


def _resample_parallel(
    array: np.ndarray, matrix: np.ndarray, order: np.ndarray, shape: tuple[int, int, int], interpolation: Interpolation
) -> np.ndarray:
    """Between parallel grids: the axes in the new order, then each slice in its plane, then slices against slices."""
    # Old axis a varies with new axis order[a]; bring the old axes into the order of the new ones.
    back = np.argsort(order)
    turned = np.transpose(array, back)
    scale = matrix[back, np.arange(3)]
    shift = matrix[back, 3]
    places = [scale[axis] * np.arange(shape[axis]) + shift[axis] for axis in range(3)]
    if interpolation == "nearest":
        index = [_nearest(place, size) for place, size in zip(places, turned.shape, strict=True)]
        return np.ascontiguousarray(turned[np.ix_(*index)])
    low = np.clip(np.floor(places[0]), 0, turned.shape[0] - 1).astype(int)
    high = np.minimum(low + 1, turned.shape[0] - 1)
    weight = np.clip(places[0] - low, 0, 1)
    values = np.empty(shape, dtype=np.float32)
    planes: dict[int, np.ndarray] = {}
    for k in range(shape[0]):
        wanted = {int(low[k])} | ({int(high[k])} if weight[k] > 0 else set())
        planes = {n: planes[n] if n in planes else _resample_plane(turned[n], scale, shift, shape) for n in wanted}
        if weight[k] > 0:
            cv2.addWeighted(planes[int(low[k])], 1 - weight[k], planes[int(high[k])], weight[k], 0, dst=values[k])
        else:
            values[k] = planes[int(low[k])]
    return values


def _resample_plane(plane: np.ndarray, scale: np.ndarray, shift: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """One slice in its plane, linear; beyond the border the nearest pixel."""
    if plane.shape == shape[1:] and np.allclose(scale[1:], 1) and np.allclose(shift[1:], 0, atol=_PARALLEL):
        return np.ascontiguousarray(plane)
    matrix = np.array(((scale[2], 0.0, shift[2]), (0.0, scale[1], shift[1])))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[2], shape[1])
    return np.asarray(
        cv2.warpAffine(np.ascontiguousarray(plane), matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )


def _nearest(places: np.ndarray, size: int) -> np.ndarray:
    """The index that each place is nearest to; halfway, the higher one."""
    return np.clip(np.floor(places + 0.5), 0, size - 1).astype(int)


def _resample_any(array: np.ndarray, matrix: np.ndarray, shape: tuple[int, int, int], order: int) -> np.ndarray:
    """Between grids at any angle, one new slice at a time so that memory stays bounded."""
    from scipy import ndimage

    source = ndimage.spline_filter(array, order, output=np.float32, mode="nearest") if order > 1 else array
    values = np.empty(shape, dtype=array.dtype)
    j, i = np.meshgrid(np.arange(shape[1]), np.arange(shape[2]), indexing="ij")
    plane = matrix[:3, 1, None, None] * j + matrix[:3, 2, None, None] * i + matrix[:3, 3, None, None]
    limit = (np.asarray(array.shape) - 1)[:, None, None]
    for k in range(shape[0]):
        places = np.clip(plane + matrix[:3, 0, None, None] * k, 0, limit)
        if order == 0:
            values[k] = array[tuple(np.floor(places + 0.5).astype(int))]
        else:
            ndimage.map_coordinates(source, places, output=values[k], order=order, mode="nearest", prefilter=False)
    return values


def _blank_outside(values: np.ndarray, matrix: np.ndarray, old_shape: tuple[int, ...], outside: float) -> None:
    """Set what lies beyond the old voxels' boxes, slice by slice; writes into `values`, which is ours."""
    corners = np.array([[k, j, i, 1] for k in (0, values.shape[0] - 1) for j in (0, values.shape[1] - 1)
                        for i in (0, values.shape[2] - 1)])  # fmt: skip
    reach = corners @ matrix[:3].T
    upper = np.asarray(old_shape) - 0.5 + _PARALLEL
    if (reach >= -0.5 - _PARALLEL).all() and (reach <= upper).all():
        return
    j, i = np.meshgrid(np.arange(values.shape[1]), np.arange(values.shape[2]), indexing="ij")
    for k in range(values.shape[0]):
        beyond = np.zeros(values.shape[1:], dtype=np.bool_)
        for axis in range(3):
            place = matrix[axis, 0] * k + matrix[axis, 1] * j + matrix[axis, 2] * i + matrix[axis, 3]
            beyond |= (place < -0.5 - _PARALLEL) | (place > upper[axis])
        values[k][beyond] = outside


def _shifted(grid: Grid, start: tuple[int, int, int], shape: tuple[int, int, int]) -> Grid:
    """The grid that begins at another index."""
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world_mm(np.asarray(start))
    return replace(grid, shape=shape, affine=affine)


def _sliceless(source: Source) -> Source:
    """The source without its slices, which the new slices are none of."""
    return replace(source, instances=())
