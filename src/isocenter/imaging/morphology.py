"""Morphology with balls whose radius is in millimetres, so that thick slices are no wider than thin ones.

A voxel belongs to the ball when the distance between voxel centres is at most the radius. Beyond the border of the
array nothing is known: there, dilation gains nothing and erosion loses nothing.
"""

from collections.abc import Callable, Sequence
from typing import Final

import cc3d
import cv2
import edt
import numpy as np

from isocenter.core.errors import InputError

# Above this many in-plane discs per slice a distance transform is faster than dilating disc by disc.
_MOST_SHIFTS: Final = 7
_MOST_PIXELS: Final = 9
_TOLERANCE: Final = 1e-4


def dilate(mask: np.ndarray, *, radius_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The mask and all that lies within a radius of it.

    mask         bool, (slices, rows, columns)
    spacing_mm   along (slices, rows, columns)
    """
    spacing = _check(mask, radius_mm, spacing_mm)
    margin = _margin(radius_mm, spacing)
    box = _bounding_box(mask, margin)
    if box is None or not any(margin):
        return mask.copy()
    grown = np.zeros_like(mask)
    part = np.ascontiguousarray(mask[box])
    if 2 * margin[0] + 1 <= _MOST_SHIFTS and 2 * max(margin[1:]) + 1 <= _MOST_PIXELS:
        grown[box] = _dilate_by_discs(part, radius_mm, spacing)
    else:
        grown[box] = _distance_mm(~part, spacing) <= radius_mm + _TOLERANCE
    return grown


def erode(mask: np.ndarray, *, radius_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The voxels of the mask that lie farther than a radius from everything outside it."""
    return ~dilate(~mask, radius_mm=radius_mm, spacing_mm=spacing_mm)


def open_mask(mask: np.ndarray, *, radius_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The mask without what a ball of that radius cannot enter: thin bridges and specks go."""
    return dilate(erode(mask, radius_mm=radius_mm, spacing_mm=spacing_mm), radius_mm=radius_mm, spacing_mm=spacing_mm)


def close_mask(mask: np.ndarray, *, radius_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The mask with the gaps filled that a ball of that radius cannot enter from outside."""
    spacing = _check(mask, radius_mm, spacing_mm)
    margin = _margin(radius_mm, spacing)
    box = _bounding_box(mask, margin)
    if box is None:
        return mask.copy()
    # Room beyond the border, so that what the dilation adds there is taken away again.
    padded = np.pad(mask[box], [(pad, pad) for pad in margin])
    grown = dilate(padded, radius_mm=radius_mm, spacing_mm=spacing_mm)
    shrunk = erode(grown, radius_mm=radius_mm, spacing_mm=spacing_mm)
    inner = tuple(slice(pad, size - pad) for pad, size in zip(margin, padded.shape, strict=True))
    closed = mask.copy()
    closed[box] |= shrunk[inner]
    return closed


def dilate_gray(array: np.ndarray, *, radius_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The greatest value within a radius of each voxel, in the array's type; for labels, the higher one wins.

    array        (slices, rows, columns), numbers
    spacing_mm   along (slices, rows, columns)
    """
    return _extremes(array, radius_mm, spacing_mm, cv2.dilate, np.maximum)


def erode_gray(array: np.ndarray, *, radius_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The least value within a radius of each voxel, in the array's type."""
    return _extremes(array, radius_mm, spacing_mm, cv2.erode, np.minimum)


def open_gray(array: np.ndarray, *, radius_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """Erosion, then dilation: bright things that a ball of that radius does not fit into go."""
    shrunk = erode_gray(array, radius_mm=radius_mm, spacing_mm=spacing_mm)
    return dilate_gray(shrunk, radius_mm=radius_mm, spacing_mm=spacing_mm)


def close_gray(array: np.ndarray, *, radius_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """Dilation, then erosion: dark things that a ball of that radius does not fit into go."""
    grown = dilate_gray(array, radius_mm=radius_mm, spacing_mm=spacing_mm)
    return erode_gray(grown, radius_mm=radius_mm, spacing_mm=spacing_mm)


def _extremes(
    array: np.ndarray,
    radius_mm: float,
    spacing_mm: Sequence[float],
    in_plane: Callable[[np.ndarray, np.ndarray], np.ndarray],
    across: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """A ball is a pile of discs: each slice takes its neighbours' extremes over the disc at their height."""
    if array.ndim != 3 or array.dtype.kind not in "biuf":
        raise InputError(f"morphology: expected numbers of three axes, got {array.dtype} of shape {array.shape}")
    spacing = _check(np.zeros((1, 1, 1), np.bool_), radius_mm, spacing_mm)
    # What OpenCV takes; every whole number of 32 bits fits into a double.
    known = array.dtype in (np.uint8, np.uint16, np.int16, np.float32, np.float64)
    source = np.ascontiguousarray(array if known else array.astype(np.float64))
    result = source.copy()
    highest = _margin(radius_mm, spacing)[0]
    for offset in range(-highest, highest + 1):
        disc = _disc(np.sqrt(max(0.0, (radius_mm + _TOLERANCE) ** 2 - (offset * spacing[0]) ** 2)), spacing[1:])
        for k in range(max(0, -offset), min(len(source), len(source) - offset)):
            seen = np.asarray(in_plane(source[k], disc)).reshape(source[k].shape)
            result[k + offset] = across(result[k + offset], seen)
    return result.astype(array.dtype)


def fill_holes(mask: np.ndarray) -> np.ndarray:
    """The mask with every cavity filled that no path of faces joins to the border of the array."""
    labels = cc3d.connected_components(np.pad(~mask, 1, constant_values=True), connectivity=6)
    return np.asarray(labels != labels[0, 0, 0])[1:-1, 1:-1, 1:-1]


def fill_holes_2d(mask: np.ndarray) -> np.ndarray:
    """The mask with the holes of each slice filled, whatever the slices beside it hold."""
    filled = np.empty_like(mask)
    for k, picture in enumerate(mask):
        outside = np.pad(~picture, 1, constant_values=True).astype(np.uint8)
        _, labels = cv2.connectedComponents(outside, connectivity=4)
        filled[k] = (labels != labels[0, 0])[1:-1, 1:-1]
    return filled


def distance_mm(mask: np.ndarray, *, spacing_mm: Sequence[float]) -> np.ndarray:
    """For each voxel of the mask, how far the nearest voxel outside it is (centre to centre), float32; 0 outside.

    A mask that fills the whole array gives infinity.
    """
    return _distance_mm(np.ascontiguousarray(mask), _check(mask, 0.0, spacing_mm))


def _distance_mm(mask: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    return np.asarray(edt.edt(mask, anisotropy=spacing, black_border=False, parallel=2))


def _dilate_by_discs(mask: np.ndarray, radius_mm: float, spacing: tuple[float, float, float]) -> np.ndarray:
    """A ball is a pile of discs: each slice takes in its neighbours, dilated by the disc at their height."""
    pictures = mask.view(np.uint8)
    grown = pictures.copy()
    highest = _margin(radius_mm, spacing)[0]
    for offset in range(-highest, highest + 1):
        disc = _disc(np.sqrt(max(0.0, (radius_mm + _TOLERANCE) ** 2 - (offset * spacing[0]) ** 2)), spacing[1:])
        for k in range(max(0, -offset), min(len(mask), len(mask) - offset)):
            if pictures[k].any():
                cv2.max(grown[k + offset], cv2.dilate(pictures[k], disc), dst=grown[k + offset])
    return grown.view(np.bool_)


def _disc(radius_mm: float, spacing: Sequence[float]) -> np.ndarray:
    reach = [int(radius_mm / step) for step in spacing]
    j, i = np.ogrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    return np.asarray((j * spacing[0]) ** 2 + (i * spacing[1]) ** 2 <= radius_mm**2, dtype=np.uint8)


def _margin(radius_mm: float, spacing: tuple[float, float, float]) -> tuple[int, int, int]:
    """How many voxels the ball reaches along each axis."""
    k, j, i = (int((radius_mm + _TOLERANCE) / step) for step in spacing)
    return k, j, i


def _bounding_box(mask: np.ndarray, margin: Sequence[int]) -> tuple[slice, slice, slice] | None:
    """The box that holds the mask with a margin, cut at the array's border; None for an empty mask."""
    slices = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        places = np.flatnonzero(mask.any(axis=others))
        if not places.size:
            return None
        start, stop = int(places[0]) - margin[axis], int(places[-1]) + 1 + margin[axis]
        slices.append(slice(max(0, start), min(mask.shape[axis], stop)))
    return slices[0], slices[1], slices[2]


def _check(mask: np.ndarray, radius_mm: float, spacing_mm: Sequence[float]) -> tuple[float, float, float]:
    if mask.ndim != 3 or mask.dtype != np.bool_:
        raise InputError(f"mask: expected bool of three axes, got {mask.dtype} of shape {mask.shape}")
    if not radius_mm >= 0:
        raise InputError(f"radius: expected at least 0 mm, got {radius_mm}")
    if len(spacing_mm) != 3 or not all(step > 0 for step in spacing_mm):
        raise InputError(f"spacing: expected three positive numbers of mm, got {spacing_mm}")
    k, j, i = (float(step) for step in spacing_mm)
    return k, j, i
