"""Which voxels belong to a thing."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

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
        return _numbers_in(self.array)

    def mask_of(self, label: int) -> Mask:
        """The voxels of one label; an empty mask where it does not occur."""
        return Mask(self.array == label, self.grid)

    @property
    def any_mask(self) -> Mask:
        """The voxels of all labels together."""
        return Mask(self.array > 0, self.grid)


def _numbers_in(labels: np.ndarray) -> tuple[int, ...]:
    """The numbers that occur, without 0, ascending; counted slice by slice, since sorting a CT takes seconds."""
    if labels.max(initial=0) > _MOST_COUNTED:
        return tuple(int(number) for number in np.unique(labels) if number)
    counts = sum((np.bincount(plane.ravel(), minlength=_MOST_COUNTED + 1) for plane in labels), np.zeros(1, np.intp))
    return tuple(int(number) for number in np.flatnonzero(counts) if number)


_MOST_COUNTED: Final = 255

# One thing's voxels: slice number -> bool (rows, columns).
Planes = Mapping[int, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Several things drawn on one grid, by number; they may overlap, which one map of labels cannot hold.

    layers   whole numbers, (slices, rows, columns) each; 0 is nothing, and a thing lies in one layer alone
    names    by number; a thing that nobody named is left out
    notes    what the reader of the file saw and did, one line each
    """

    layers: tuple[np.ndarray, ...] = field(repr=False)
    grid: Grid
    names: Mapping[int, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def stacked(
        cls,
        parts: Iterable[tuple[int, Planes]],
        grid: Grid,
        *,
        names: Mapping[int, str] | None = None,
        notes: tuple[str, ...] = (),
    ) -> "Regions":
        """Things one by one, each in the first layer where it touches nothing else; numbers up to 65535."""
        layers: list[np.ndarray] = []
        for number, planes in parts:
            for layer in layers:
                if not any(layer[k][plane].any() for k, plane in planes.items()):
                    break
            else:
                layer = np.zeros(grid.shape, np.uint16)
                layers.append(layer)
            for k, plane in planes.items():
                layer[k][plane] = number
        return cls(tuple(layers) or (np.zeros(grid.shape, np.uint16),), grid, dict(names or {}), notes)

    @property
    def labels(self) -> tuple[int, ...]:
        """The numbers that occur, ascending."""
        return tuple(sorted({label for layer in self.layers for label in _numbers_in(layer)}))

    def mask_of(self, label: int) -> Mask:
        """The voxels of one thing; an empty mask where it does not occur."""
        found = np.zeros(self.grid.shape, np.bool_)
        for layer in self.layers:
            found |= layer == label
        return Mask(found, self.grid)

    @property
    def any_mask(self) -> Mask:
        """The voxels of all things together."""
        found = np.zeros(self.grid.shape, np.bool_)
        for layer in self.layers:
            found |= layer > 0
        return Mask(found, self.grid)

    def only(self, labels: Collection[int]) -> "Regions":
        """The things of these numbers alone; their numbers and the notes stay."""
        kept = [np.where(np.isin(layer, list(labels)), layer, 0) for layer in self.layers]
        names = {label: name for label, name in self.names.items() if label in labels}
        return replace(self, layers=tuple(layer for layer in kept if layer.any()) or (kept[0],), names=names)

    def to_labels(self) -> LabelMap:
        """All things as one map of labels. Raises InputError where two of them share voxels."""
        merged = self.layers[0].astype(np.int32, copy=len(self.layers) > 1)
        for layer in self.layers[1:]:
            shared = int(np.count_nonzero((merged > 0) & (layer > 0)))
            if shared:
                numbers = ", ".join(map(str, self.labels[:20]))
                raise InputError(
                    f"mask: expected regions that share no voxel, {shared} lie in several of {numbers}; choose one"
                )
            np.maximum(merged, layer, out=merged)
        return LabelMap(merged, self.grid)
