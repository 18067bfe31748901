"""A finer grid over the same field of view: B-spline, Lanczos, and back-projection that keeps the measured means."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError, LimitError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.channels import each_part, keep_range

Method = Literal["bspline", "lanczos", "back-projection"]
_LANCZOS: Final = 3
_ROUNDS: Final = 12
_MOST_VOXELS: Final = 2**30


def upsample(volume: Volume, *, factor: float | tuple[float, float, float] = 2.0, method: Method = "bspline") -> Volume:
    """The volume on a grid `factor` times finer; its outer corner stays where it is in the patient.

    factor   along every axis that has more than one voxel, or along slices, rows and columns
    method   bspline (cubic), lanczos (three lobes), or back-projection: the B-spline corrected until the means over
             the old voxels are the old values (whole factors only)

    float32, kept in the range of the integer type that came in.
    Source: Unser, IEEE Signal Process. Mag. 1999;16(6):22-38; Duchon, J. Appl. Meteorol. 1979;18:1016-1022; Irani &
    Peleg, CVGIP Graph. Models Image Process. 1991;53(3):231-239.
    """
    factors = _factors(volume, factor)
    if method == "back-projection" and any(value != round(value) for value in factors):
        raise InputError(f"factor: expected whole numbers for back-projection, got {factors}; use --method bspline")
    shape = tuple(max(1, round(size * value)) for size, value in zip(volume.grid.shape, factors, strict=True))
    if float(np.prod(shape, dtype=np.float64)) > _MOST_VOXELS:
        raise LimitError(f"upsample: expected at most {_MOST_VOXELS} voxels, {shape} are more; take a smaller factor")
    change = {"bspline": _spline, "lanczos": _lanczos, "back-projection": _back_project}[method]
    array = each_part(volume, lambda part: change(part, (shape[0], shape[1], shape[2]), factors))
    return Volume(
        keep_range(array, volume.array.dtype), _finer(volume.grid, shape, factors), volume.unit, volume.modality,
        volume.facts, replace(volume.source, instances=()),
    )  # fmt: skip


Three = tuple[float, float, float]
Shape = tuple[int, int, int]


def _factors(volume: Volume, factor: float | Three) -> Three:
    given = tuple(factor) if isinstance(factor, tuple) else (factor,) * 3
    if not all(np.isfinite(value) and value >= 1 for value in given):
        raise InputError(f"factor: expected at least 1 along each axis, got {factor}")
    if isinstance(factor, tuple):
        return float(given[0]), float(given[1]), float(given[2])
    k, j, i = (float(value) if size > 1 else 1.0 for value, size in zip(given, volume.grid.shape, strict=True))
    return k, j, i


def _finer(grid: Grid, shape: tuple[int, ...], factors: Three) -> Grid:
    """The grid with smaller steps and the first voxel's outer corner in its place."""
    steps = 1 / np.asarray(factors)
    affine = grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] * steps
    affine[:3, 3] = grid.to_world_mm((steps - 1) / 2)
    return replace(grid, shape=(shape[0], shape[1], shape[2]), affine=affine)


def _spline(array: np.ndarray, shape: Shape, factors: Three) -> np.ndarray:
    """Cubic B-spline interpolation, mirrored beyond the border."""
    from scipy import ndimage

    values = np.asarray(array, dtype=np.float64)
    for axis in range(3):
        if factors[axis] == 1 or values.shape[axis] == 1:
            values = _resize(values, axis, shape[axis], factors[axis], _nearest, 1)
            continue
        values = ndimage.spline_filter1d(values, 3, axis=axis, mode="reflect")
        values = _resize(values, axis, shape[axis], factors[axis], _cubic, 4)
    return values


def _lanczos(array: np.ndarray, shape: Shape, factors: Three) -> np.ndarray:
    """Interpolation by a sinc under a wider sinc, weights made to sum to 1."""
    values = np.asarray(array, dtype=np.float64)
    for axis in range(3):
        kernel, taps = (_nearest, 1) if factors[axis] == 1 else (_windowed_sinc, 2 * _LANCZOS)
        values = _resize(values, axis, shape[axis], factors[axis], kernel, taps)
    return values


def _back_project(array: np.ndarray, shape: Shape, factors: Three) -> np.ndarray:
    """The B-spline, corrected by what its means over the old voxels miss."""
    fine = _spline(array, shape, factors)
    for _ in range(_ROUNDS):
        fine = fine + _spline(array - _block_mean(fine, array.shape, factors), shape, factors)
    return fine


def _block_mean(fine: np.ndarray, shape: tuple[int, ...], factors: Three) -> np.ndarray:
    split = [n for size, factor in zip(shape, factors, strict=True) for n in (size, round(factor))]
    return np.asarray(fine.reshape(split).mean(axis=(1, 3, 5)))


Kernel = Callable[[np.ndarray], np.ndarray]


def _resize(values: np.ndarray, axis: int, size: int, factor: float, kernel: Kernel, taps: int) -> np.ndarray:
    """One axis on finer places: each new value a weighted sum of the nearest old ones, mirrored at the border."""
    old = values.shape[axis]
    place = (np.arange(size) + 0.5) / factor - 0.5
    first = np.floor(place).astype(int) - taps // 2 + 1 if taps > 1 else np.floor(place + 0.5).astype(int)
    weights = np.stack([kernel(place - (first + tap)) for tap in range(taps)])
    weights /= weights.sum(axis=0)
    along = [-1 if other == axis else 1 for other in range(values.ndim)]
    total = np.zeros([size if other == axis else n for other, n in enumerate(values.shape)])
    for tap in range(taps):
        index = (first + tap) % (2 * old)
        index = np.where(index >= old, 2 * old - 1 - index, index)
        total += np.take(values, index, axis=axis) * weights[tap].reshape(along)
    return total


def _nearest(x: np.ndarray) -> np.ndarray:
    return np.ones_like(x)


def _cubic(x: np.ndarray) -> np.ndarray:
    """The cubic B-spline."""
    a = np.abs(x)
    return np.where(a < 1, 2 / 3 - a**2 + a**3 / 2, np.where(a < 2, (2 - a) ** 3 / 6, 0.0))


def _windowed_sinc(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < _LANCZOS, np.sinc(x) * np.sinc(x / _LANCZOS), 0.0)
