"""Distances and angles between places in the patient, gaps between masks, and values along a line."""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Values along a straight line.

    distances_mm   from the first point
    values         in the volume's unit, by linear interpolation
    """

    distances_mm: np.ndarray
    values: np.ndarray


def distance_between_mm(first_mm: np.ndarray, second_mm: np.ndarray) -> float:
    """Distance between two places in millimetres.

    first_mm, second_mm   LPS, shape (3,)

    >>> distance_between_mm(np.array([0.0, 0, 0]), np.array([3.0, 4, 0]))
    5.0
    """
    return float(np.linalg.norm(_point(second_mm) - _point(first_mm)))


def angle_deg(first_mm: np.ndarray, vertex_mm: np.ndarray, second_mm: np.ndarray) -> float:
    """Angle at the vertex in degrees, from 0 to 180.

    >>> angle_deg(np.array([1.0, 0, 0]), np.zeros(3), np.array([0.0, 2, 0]))
    90.0

    Raises InputError where a leg has no length.
    """
    a, b = _point(first_mm) - _point(vertex_mm), _point(second_mm) - _point(vertex_mm)
    return _angle(a, b)


def angle_between_lines_deg(first_mm: np.ndarray, second_mm: np.ndarray) -> float:
    """Angle between two straight lines in degrees, from 0 to 90, whichever way their points were set.

    first_mm, second_mm   two points each, LPS, shape (2, 3)
    """
    a, b = np.asarray(first_mm, float), np.asarray(second_mm, float)
    turned = _angle(_point(a[1]) - _point(a[0]), _point(b[1]) - _point(b[0]))
    return min(turned, 180 - turned)


def mask_gap_mm(first: Mask, second: Mask) -> float:
    """The shortest distance between the surfaces of two masks on one grid; 0 where they touch or overlap.

    Surfaces lie half a voxel beyond the outermost voxel centres. Raises InputError where one is empty.
    """
    import edt

    _require_both(first, second)
    if (first.array & second.array).any():
        return 0.0
    spacing = tuple(float(step) for step in first.grid.spacing_mm)
    away = edt.edt(np.ascontiguousarray(~first.array), anisotropy=spacing, black_border=False)
    away = np.where(second.array, away, np.inf)
    there = np.array(np.unravel_index(int(np.argmin(away)), away.shape))
    nearest = _nearest_voxel(first.array, there, float(away[tuple(there)]), np.asarray(spacing))
    # From centre to centre, less half a voxel's depth at either end.
    steps = np.maximum(np.abs(there - nearest) - 1, 0) * spacing
    return float(np.linalg.norm(steps))


def centroid_mm(mask: Mask) -> np.ndarray:
    """The centre of a mask, LPS millimetres, shape (3,). Raises InputError for an empty one."""
    index = np.argwhere(mask.array)
    if not len(index):
        raise InputError("centre: expected a mask with voxels in it, got an empty one")
    return np.asarray(mask.grid.to_world_mm(index.mean(axis=0)))


def line_profile(volume: Volume, *, start_mm: np.ndarray, end_mm: np.ndarray, step_mm: float | None = None) -> Profile:
    """The values along a line between two places, by linear interpolation.

    start_mm, end_mm   LPS
    step_mm            between samples; None takes half the finest spacing

    Raises InputError for a line of no length, a step that is not positive, or a line that leaves the image.
    """
    from scipy.ndimage import map_coordinates

    start, end = _point(start_mm), _point(end_mm)
    length_mm = distance_between_mm(start, end)
    step = float(volume.grid.spacing_mm.min()) / 2 if step_mm is None else step_mm
    if not (length_mm > 0 and step > 0) or volume.is_colour:
        raise InputError("profile: expected a line of some length, a positive step and a gray image")
    distances = np.linspace(0, length_mm, max(2, round(length_mm / step) + 1))
    places = start + (end - start) * (distances / length_mm)[:, None]
    index = volume.grid.to_index(places)
    highest = np.asarray(volume.grid.shape) - 0.5
    if (index < -0.5 - 1e-6).any() or (index > highest + 1e-6).any():
        raise InputError("profile: expected a line inside the image, it leaves it; move its ends")
    values = map_coordinates(volume.array.astype(np.float64), index.T, order=1, mode="nearest")
    return Profile(distances, np.asarray(values))


def _point(place_mm: np.ndarray) -> np.ndarray:
    point = np.asarray(place_mm, dtype=np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise InputError(f"place: expected three finite millimetres, got shape {point.shape}")
    return point


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if lengths == 0:
        raise InputError("angle: expected two legs of some length, got two points in one place")
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def _nearest_voxel(array: np.ndarray, there: np.ndarray, distance_mm: float, spacing: np.ndarray) -> np.ndarray:
    """The voxel of a mask that lies nearest to a place, sought within the known distance."""
    reach = np.ceil(distance_mm / spacing).astype(int) + 1
    low = np.maximum(there - reach, 0)
    part = array[tuple(slice(a, a + 2 * r + 2) for a, r in zip(low, reach, strict=True))]
    index = np.argwhere(part) + low
    return np.asarray(index[np.argmin(np.linalg.norm((index - there) * spacing, axis=1))])


def _require_both(first: Mask, second: Mask) -> None:
    if first.array.shape != second.array.shape or not (first.array.any() and second.array.any()):
        raise InputError("distance: expected two masks on one grid with voxels in each; check the labels")
