"""Interpolation on a grid whose centre is that of the old grid, as radiomics wants it.

Source: IBSI reference manual, image interpolation (VTM2), aligning grid centres (3WE3); Thévenaz P, Blu T, Unser M.
IEEE Trans Med Imaging 2000;19:739-758 for the cubic spline.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

# A ceiling just above a whole number comes from rounding: 60 voxels of 3 mm are 90 of 2 mm.
_SLACK: Final = 1e-9
# Voxels after which what lies further off no longer reaches a spline's value in double precision: 0.268 ** 28 < 1e-16.
_SPLINE_REACH: Final = 32
_EDGE: Final = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """New voxel centres along one axis: `start + step * n` in old indices for n = 0 … count - 1."""

    start: float
    step: float
    count: int

    @property
    def places(self) -> np.ndarray:
        """All centres in old indices."""
        return self.start + self.step * np.arange(self.count)


def aligned_axis(n_voxels: int, *, old_mm: float, new_mm: float | None) -> Axis:
    """The new centres along one axis: both grids share their middle; without a new spacing the old centres.

    >>> aligned_axis(4, old_mm=3.0, new_mm=2.0)
    Axis(start=-0.16666666666666652, step=0.6666666666666666, count=6)
    """
    if new_mm is None or abs(new_mm - old_mm) < _SLACK * old_mm:
        return Axis(0.0, 1.0, n_voxels)
    step = new_mm / old_mm
    count = max(1, ceil(n_voxels * old_mm / new_mm - _SLACK))
    return Axis(0.5 * (n_voxels - 1 - step * (count - 1)), step, count)


def interpolate(
    array: np.ndarray, axes: tuple[Axis, Axis, Axis], box: tuple[slice, slice, slice], *, order: int
) -> np.ndarray:
    """The array's values at the new centres within a box of the new grid, float64.

    box     half-open index ranges of the new grid; the values are those of interpolating everything
    order   1 linear, 3 cubic spline; beyond the array's border its outermost values go on
    """
    values = np.asarray(array)
    reach = _SPLINE_REACH if order == 3 else 1
    matrices = []
    for axis, (line, part) in enumerate(zip(axes, box, strict=True)):
        places = line.places[part]
        size = array.shape[axis]
        low = min(max(0, int(np.floor(places[0])) - reach), size - 1)
        high = max(min(size, int(np.ceil(places[-1])) + reach + 1), low + 1)
        values = values[(slice(None),) * axis + (slice(low, high),)]
        matrices.append(places - low)
    values = values.astype(np.float64)
    for axis, places in enumerate(matrices):
        if np.array_equal(places, np.round(places)) and places[0] >= 0 and places[-1] <= values.shape[axis] - 1:
            values = np.take(values, places.astype(int), axis=axis)
            continue
        values = _along(values, places, axis, order)
    return values


def _along(values: np.ndarray, places: np.ndarray, axis: int, order: int) -> np.ndarray:
    """Values at places along one axis."""
    widths = [(_EDGE, _EDGE) if each == axis else (0, 0) for each in range(3)]
    padded = np.pad(values, widths, mode="edge")
    places = np.clip(places + _EDGE, 0, padded.shape[axis] - 1)
    if order == 3:
        from scipy.ndimage import spline_filter1d

        padded = spline_filter1d(padded, 3, axis=axis, mode="mirror")
    taps = np.arange(-1, 3) if order == 3 else np.arange(2)
    base = np.floor(places).astype(int)
    weights = np.zeros((len(places), padded.shape[axis]))
    for tap in taps:
        share = _kernel(np.abs(places - (base + tap)), order)
        np.add.at(weights, (np.arange(len(places)), np.clip(base + tap, 0, padded.shape[axis] - 1)), share)
    return np.moveaxis(np.tensordot(weights, padded, axes=(1, axis)), 0, axis)


def _kernel(distance: np.ndarray, order: int) -> np.ndarray:
    """The B-spline of that order at a distance."""
    if order == 1:
        return np.maximum(0.0, 1.0 - distance)
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(0.0, 2.0 - distance) ** 3 / 6
    return np.where(distance < 1, near, far)
