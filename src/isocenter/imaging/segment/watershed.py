"""Watershed: basins of a relief, flooded from markers."""

from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.morphology import distance_mm
from isocenter.imaging.segment.gradients import gradient_magnitude
from isocenter.imaging.segment.inputs import (
    Seeds,
    gray_array,
    positive,
    relative_steps,
    require_contrast,
    sigma_in_steps,
)
from isocenter.imaging.segment.markers import class_markers, seed_markers

# Floating-point reliefs are flooded in this many levels.
_LEVELS: Final = 65536
_SIGMA: Final = 0.7
# Two touching bodies are two when the neck is this much thinner than the thinner body, of the thickest one's radius.
_NECK: Final = 0.1
# A basin of the gradient counts when it is this deep, of the gradient's 99th percentile.
_DEPTH: Final = 0.1


def watershed(
    volume: Volume,
    *,
    seed: Seeds = (),
    background: Seeds = (),
    markers: Literal["objects", "basins"] = "objects",
    depth: float | None = None,
    sigma_mm: float | None = None,
) -> np.ndarray:
    """The bodies of an image, parted where the intensities are steepest: labels 1 … n, 0 outside, int32.

    seed         (column, row, slice) in each body: one label per seed, in their order
    background   places outside; found by the image where none is given
    markers      without seeds: "objects" takes the bright of Otsu's two classes and splits touching bodies at their
                 necks; "basins" numbers every basin of the gradient (then nothing is 0)
    depth        of a basin that counts: intensity per finest step for "basins", finest steps of neck for "objects"
    sigma_mm     of the blur before the gradient; 0.7 of the finest step where not given

    Raises InputError for a constant image.
    Source: Meyer F. Topographic distance and watershed lines. Signal Processing 1994;38(1):113-125.
    """
    array = gray_array(volume)
    require_contrast(array, "watershed")
    relief = gradient_magnitude(array, sigma=sigma_in_steps(volume, sigma_mm, _SIGMA), steps=relative_steps(volume))
    if depth is not None:
        positive(depth, "depth", zero=True)
    if seed:
        starts, count = seed_markers(volume, seed, background=background)
        labels = flood(relief, starts)
        return np.where(labels > count, 0, labels)
    if markers == "basins":
        least = _DEPTH * float(np.percentile(relief, 99)) if depth is None else depth
        return flood(relief, deep_minima(relief, depth=least))
    inside = flood(relief, class_markers(volume)) == 1
    return split_touching(inside, steps=relative_steps(volume), neck=depth)


def flood(relief: np.ndarray, markers: np.ndarray, *, mask: np.ndarray | None = None) -> np.ndarray:
    """Each voxel under the label of the marker whose flood reaches it first, by faces, int32.

    relief    (slices, rows, columns); whole numbers are flooded level by level, others in 65536 levels
    markers   0 where no marker is
    mask      where the flood may go; everywhere if not given

    Raises InputError for other shapes, or no marker.
    Source: Beucher S, Meyer F. In: Mathematical Morphology in Image Processing, 1993, chapter 12.
    """
    from isocenter.imaging.segment.watershed_kernel import flood_levels

    if relief.shape != markers.shape or relief.ndim != 3:
        raise InputError(f"watershed: expected markers of shape {relief.shape}, got {markers.shape}")
    if not (markers > 0).any():
        raise InputError("watershed: expected at least one marker, got none")
    start = np.asarray(markers, dtype=np.int32).copy()
    if mask is not None:
        start[~mask] = -1
    labels = np.pad(start, 1, constant_values=-1)
    levels = np.pad(_levels(relief), 1)
    flood_levels(levels.reshape(-1), labels.reshape(-1), _offsets(labels.shape))
    return np.maximum(labels[1:-1, 1:-1, 1:-1], 0)


def deep_minima(relief: np.ndarray, *, depth: float, mask: np.ndarray | None = None) -> np.ndarray:
    """A marker, numbered from 1, at the bottom of every basin at least so deep that water spills into a deeper one.

    Source: Grimaud M. A new measure of contrast: the dynamics. Proc SPIE 1992;1769:292-305.
    """
    from isocenter.imaging.segment.watershed_kernel import basin_depths

    inside = np.ones(relief.shape, dtype=np.bool_) if mask is None else mask
    padded = np.pad(np.asarray(relief, dtype=np.float32), 1)
    places = np.flatnonzero(np.pad(inside, 1))
    flat = padded.reshape(-1)
    order = places[np.argsort(flat[places], kind="stable")].astype(np.int32)
    found = basin_depths(flat, order, _offsets(padded.shape)).reshape(padded.shape)[1:-1, 1:-1, 1:-1]
    deep = np.argwhere(found >= max(depth, 1e-12))
    markers = np.zeros(relief.shape, dtype=np.int32)
    markers[tuple(deep.T)] = np.arange(1, len(deep) + 1)
    return markers


def split_touching(mask: np.ndarray, *, steps: np.ndarray, neck: float | None = None) -> np.ndarray:
    """The pieces of a mask, bodies that touch parted at their necks: labels 1 … n, int32.

    steps   along (slices, rows, columns)
    neck    how much thinner, in the steps' unit, a neck must be than the thinner body; by the thickest where not given
    """
    if not mask.any():
        return np.zeros(mask.shape, dtype=np.int32)
    # Padded, so that a body that fills the array has a border too; an axis of one voxel has none.
    pads = [(1, 1) if size > 1 else (0, 0) for size in mask.shape]
    padded = np.pad(mask, pads)
    height = distance_mm(padded, spacing_mm=[float(step) for step in steps])
    height = np.where(np.isfinite(height), height, 1.0)
    least = max(1.0, _NECK * float(height.max())) if neck is None else neck
    starts = deep_minima(-height, depth=least, mask=padded)
    labels = flood(-height, starts, mask=padded)
    return labels[tuple(slice(before, size - after) for (before, after), size in zip(pads, labels.shape, strict=True))]


def _levels(relief: np.ndarray) -> np.ndarray:
    """The relief as whole numbers from 0."""
    if relief.dtype.kind in "iu" and int(relief.max()) - int(relief.min()) < 16 * _LEVELS:
        return (relief.astype(np.int64) - int(relief.min())).astype(np.int32)
    low = float(relief.min())
    span = max(float(relief.max()) - low, 1e-37)
    return np.asarray(np.minimum((relief.astype(np.float64) - low) * (_LEVELS / span), _LEVELS - 1), dtype=np.int32)


def _offsets(shape: tuple[int, ...]) -> np.ndarray:
    """Flat offsets of the six neighbours by faces."""
    plane, row = shape[1] * shape[2], shape[2]
    return np.array((-plane, -row, -1, 1, row, plane), dtype=np.int64)
