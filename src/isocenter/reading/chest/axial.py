"""A volume turned so that slices run to the head, rows to the back, columns to the left: a view, nothing resampled."""

from dataclasses import dataclass, field

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.segment.grids import Triple


@dataclass(frozen=True, slots=True, eq=False)
class Axial:
    """The turned view and the way back.

    array   (slices, rows, columns)
    grid    of the view
    order   source axis behind each axis of the view; flipped tells which of them run backwards
    """

    array: np.ndarray = field(repr=False)
    grid: Grid
    source: Volume = field(repr=False)
    order: tuple[int, int, int]
    flipped: tuple[bool, bool, bool]

    @property
    def spacing_mm(self) -> Triple:
        """Slices, rows, columns."""
        slice_mm, row_mm, column_mm = (float(s) for s in self.grid.spacing_mm)
        return slice_mm, row_mm, column_mm

    def source_mask(self, part: np.ndarray, box: tuple[slice, slice, slice]) -> Mask:
        """A mask on the source grid from one inside a box of the view."""
        full = np.zeros(self.source.grid.shape, bool)
        view = full.transpose(self.order)[tuple(slice(None, None, -1 if f else 1) for f in self.flipped)]
        view[box] = part
        return Mask(full, self.source.grid)

    def source_index(self, index: np.ndarray) -> np.ndarray:
        """Source (k, j, i), fractional, of an index of the view."""
        out = np.empty(3)
        for axis, (source_axis, flip) in enumerate(zip(self.order, self.flipped, strict=True)):
            out[source_axis] = self.grid.shape[axis] - 1 - index[axis] if flip else index[axis]
        return out


def axial_view(volume: Volume) -> Axial:
    """The volume seen as an axial stack; the source's own axes nearest to head, back and left are taken."""
    directions = volume.grid.affine[:3, :3] / np.linalg.norm(volume.grid.affine[:3, :3], axis=0)
    order: list[int] = []
    for world in (2, 1, 0):
        free = [axis for axis in range(3) if axis not in order]
        order.append(max(free, key=lambda axis: abs(directions[world, axis])))
    flipped = tuple(bool(directions[world, axis] < 0) for world, axis in zip((2, 1, 0), order, strict=True))
    array = volume.array.transpose(order)[tuple(slice(None, None, -1 if f else 1) for f in flipped)]
    affine = np.eye(4)
    start = np.zeros(3)
    for axis, (source_axis, flip) in enumerate(zip(order, flipped, strict=True)):
        affine[:3, axis] = volume.grid.affine[:3, source_axis] * (-1 if flip else 1)
        start[source_axis] = volume.grid.shape[source_axis] - 1 if flip else 0
    affine[:3, 3] = volume.grid.to_world_mm(start)
    grid = Grid(array.shape, affine, volume.grid.spacing_source, volume.grid.position_known)
    return Axial(array, grid, volume, (order[0], order[1], order[2]), (flipped[0], flipped[1], flipped[2]))
