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
