"""Connected pieces of a mask: numbered, measured, kept or dropped."""

from collections.abc import Sequence
from dataclasses import dataclass

import cc3d
import numpy as np

from isocenter.core.errors import InputError

CONNECTIVITIES = (6, 18, 26)


@dataclass(frozen=True, slots=True)
class Component:
    """One connected piece.

    label          its number in the label array
    volume_mm3     n_voxels times the voxel's volume
    centre_index   mean (k, j, i)
    box_index      ((k0, j0, i0), (k1, j1, i1)), half open
    at_edge        whether it touches the border of the array
    """

    label: int
    n_voxels: int
    volume_mm3: float
    centre_index: tuple[float, float, float]
    box_index: tuple[tuple[int, int, int], tuple[int, int, int]]
    at_edge: bool


def label_components(mask: np.ndarray, *, connectivity: int = 26) -> tuple[np.ndarray, int]:
    """Each connected piece of a mask under its own number from 1, and how many there are.

    mask           bool, (slices, rows, columns)
    connectivity   6 (faces), 18 (and edges), 26 (and corners)
    """
    if mask.ndim != 3 or mask.dtype != np.bool_:
        raise InputError(f"mask: expected bool of three axes, got {mask.dtype} of shape {mask.shape}")
    if connectivity not in CONNECTIVITIES:
        raise InputError(f"connectivity: expected one of {CONNECTIVITIES}, got {connectivity}")
    labels, count = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=connectivity, return_N=True)
    return np.asarray(labels), int(count)


def describe_components(labels: np.ndarray, *, spacing_mm: Sequence[float]) -> tuple[Component, ...]:
    """Every piece of a label array with its size and place, in the order of its numbers.

    labels       unsigned integers, 0 is background
    spacing_mm   along (slices, rows, columns)
    """
    found = cc3d.statistics(labels)
    voxel_mm3 = float(np.prod(np.asarray(spacing_mm, dtype=np.float64)))
    components = []
    for number in range(1, len(found["voxel_counts"])):
        count = int(found["voxel_counts"][number])
        if not count:
            continue
        slices = found["bounding_boxes"][number]
        start, stop = tuple(int(s.start) for s in slices), tuple(int(s.stop) for s in slices)
        at_edge = min(start) == 0 or any(end == size for end, size in zip(stop, labels.shape, strict=True))
        centre = tuple(float(value) for value in found["centroids"][number])
        components.append(Component(number, count, count * voxel_mm3, centre, (start, stop), at_edge))  # type: ignore[arg-type]
    return tuple(components)


def largest_component(mask: np.ndarray, *, connectivity: int = 26) -> np.ndarray:
    """The largest connected piece of a mask; an empty mask stays empty."""
    labels, count = label_components(mask, connectivity=connectivity)
    if count <= 1:
        return mask.copy()
    return np.asarray(labels == 1 + int(np.argmax(_voxel_counts(labels)[1:])))


def remove_small_components(
    mask: np.ndarray, *, min_volume_mm3: float, spacing_mm: Sequence[float], connectivity: int = 26
) -> np.ndarray:
    """The mask without its pieces below a volume."""
    labels, count = label_components(mask, connectivity=connectivity)
    if not count:
        return mask.copy()
    voxel_mm3 = float(np.prod(np.asarray(spacing_mm, dtype=np.float64)))
    # Half a thousandth of a voxel absorbs the rounding of spacings that are no binary fractions.
    keep = _voxel_counts(labels) + 5e-4 >= min_volume_mm3 / voxel_mm3
    keep[0] = False
    return np.asarray(keep[labels])


def _voxel_counts(labels: np.ndarray) -> np.ndarray:
    return np.asarray(cc3d.statistics(labels)["voxel_counts"], dtype=np.int64)
