"""Which voxels belong to a thing."""

from dataclasses import dataclass, field

import numpy as np

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Which voxels belong to a thing.

    array   bool, (slices, rows, columns)
    """

    array: np.ndarray = field(repr=False)
    grid: Grid

    def __post_init__(self) -> None:
        if self.array.dtype != np.bool_:
            raise InputError(f"mask: expected bool, got {self.array.dtype}")
        if self.array.shape != self.grid.shape:
            raise GeometryError(f"mask: expected the grid's shape {self.grid.shape}, got {self.array.shape}")

    @property
    def n_voxels(self) -> int:
        """How many voxels are inside."""
        return int(np.count_nonzero(self.array))

    @property
    def volume_ml(self) -> float:
        """Volume by voxel count in millilitres."""
        return self.n_voxels * self.grid.voxel_volume_ml


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """Several things on one grid, each a number.

    array   whole numbers, (slices, rows, columns); 0 is nothing, 1 … n are the things
    """

    array: np.ndarray = field(repr=False)
    grid: Grid

    def __post_init__(self) -> None:
        if self.array.dtype.kind not in "iu":
            raise InputError(f"labels: expected whole numbers, got {self.array.dtype}")
        if self.array.shape != self.grid.shape:
            raise GeometryError(f"labels: expected the grid's shape {self.grid.shape}, got {self.array.shape}")
        if self.array.size and self.array.min() < 0:
            raise InputError(f"labels: expected 0 and more, got {self.array.min()}")

    @property
    def labels(self) -> tuple[int, ...]:
        """The numbers that occur, without 0, ascending."""
        found = np.unique(self.array)
        return tuple(int(label) for label in found if label)

    def mask_of(self, label: int) -> Mask:
        """The voxels of one label; an empty mask where it does not occur."""
        return Mask(self.array == label, self.grid)

    @property
    def any_mask(self) -> Mask:
        """The voxels of all labels together."""
        return Mask(self.array > 0, self.grid)
