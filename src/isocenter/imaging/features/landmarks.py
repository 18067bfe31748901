"""Distances, angles, ratios and shifts from places that somebody marked.

Each mark may lie half a voxel off: a length is uncertain by one voxel step along its own direction.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.imaging.features.distances import angle_between_lines_deg, angle_deg, distance_between_mm

Points = Mapping[str, np.ndarray]
# Value, its unit, and its uncertainty; unit "mm" turns to "px" where the image has no pixel size.
Result = tuple[float, str, float]


def measure_landmarks(name: str, points: Points, grid: Grid) -> Result:
    """One measurement from marked places: value, unit and uncertainty.

    name     a key of `LANDMARK_POINTS`
    points   LPS millimetres by the names that `LANDMARK_POINTS` lists, shape (3,) each
    grid     of the image on which they were marked; for its voxel size

    Raises InputError for another name, or where a point is missing or too many.
    """
    wanted = LANDMARK_POINTS.get(name)
    if wanted is None:
        raise InputError(f"landmarks: expected one of {', '.join(LANDMARK_POINTS)}; got {name!r}")
    if set(points) != set(wanted):
        raise InputError(f"landmarks: {name} expects the points {', '.join(wanted)}; got {', '.join(points) or 'none'}")
    return _FUNCTIONS[name](points, grid)


def voxel_step_mm(direction: np.ndarray, grid: Grid) -> float:
    """How long one voxel is along a direction of the patient, in millimetres."""
    axes = grid.affine[:3, :3] / grid.spacing_mm
    unit = np.asarray(direction, float) / max(float(np.linalg.norm(direction)), 1e-12)
    return float(np.linalg.norm((axes.T @ unit) * grid.spacing_mm))


def _distance(points: Points, grid: Grid) -> Result:
    return distance_between_mm(points["a"], points["b"]), "mm", voxel_step_mm(points["b"] - points["a"], grid)


def _angle(points: Points, grid: Grid) -> Result:
    legs = [points[end] - points["vertex"] for end in ("a", "b")]
    value = angle_deg(points["a"], points["vertex"], points["b"])
    return value, "deg", math.hypot(*(_turn_deg(leg, grid) for leg in legs))


def _cobb(points: Points, grid: Grid) -> Result:
    lines = [np.stack((points[f"{side}_a"], points[f"{side}_b"])) for side in ("upper", "lower")]
    return angle_between_lines_deg(*lines), "deg", math.hypot(*(_turn_deg(b - a, grid) for a, b in lines))


def _cardiothoracic(points: Points, grid: Grid) -> Result:
    """The heart's width is counted along the chest's, as its two borders lie at different heights."""
    chest = points["thorax_left"] - points["thorax_right"]
    return _ratio(points["heart_left"] - points["heart_right"], chest, grid)


def _evans(points: Points, grid: Grid) -> Result:
    return _ratio(points["horn_left"] - points["horn_right"], points["skull_left"] - points["skull_right"], grid)


def _midline_shift(points: Points, grid: Grid) -> Result:
    """Distance of a midline structure from the line between the falx's front and back attachment."""
    line = points["posterior"] - points["anterior"]
    length_mm = float(np.linalg.norm(line))
    if length_mm == 0:
        raise InputError("midline shift: expected two ends of the falx, got one place")
    offset = points["middle"] - points["anterior"]
    aside = offset - line * float(offset @ line) / length_mm**2
    return float(np.linalg.norm(aside)), "mm", voxel_step_mm(aside if aside.any() else np.cross(line, (0, 0, 1)), grid)


def _ratio(upper: np.ndarray, lower: np.ndarray, grid: Grid) -> Result:
    """Length of one line along another, over the other's length."""
    length_mm = float(np.linalg.norm(lower))
    if length_mm == 0:
        raise InputError("ratio: expected two ends of the lower width, got one place")
    width_mm = abs(float(upper @ lower)) / length_mm
    step_mm = voxel_step_mm(lower, grid)
    ratio = width_mm / length_mm
    return ratio, "1", float(np.hypot(step_mm / length_mm, ratio * step_mm / length_mm))


def _turn_deg(line: np.ndarray, grid: Grid) -> float:
    """How far a line turns when one end moves half a voxel one way, and the other the other way."""
    length_mm = float(np.linalg.norm(line))
    return float(np.degrees(np.arctan2(float(grid.spacing_mm.min()), length_mm))) if length_mm else 180.0


_FUNCTIONS: Final[Mapping[str, Callable[[Points, Grid], Result]]] = {
    "distance": _distance,
    "angle": _angle,
    "cobb_angle": _cobb,
    "cardiothoracic_ratio": _cardiothoracic,
    "evans_index": _evans,
    "midline_shift": _midline_shift,
}
LANDMARK_POINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "distance": ("a", "b"),
    "angle": ("a", "vertex", "b"),
    "cobb_angle": ("upper_a", "upper_b", "lower_a", "lower_b"),
    "cardiothoracic_ratio": ("heart_right", "heart_left", "thorax_right", "thorax_left"),
    "evans_index": ("horn_right", "horn_left", "skull_right", "skull_left"),
    "midline_shift": ("anterior", "posterior", "middle"),
}
