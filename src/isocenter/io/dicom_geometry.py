"""Where a stack of slices lies: its affine, its regular parts, and what is odd about it."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from isocenter.core.errors import GeometryError

# Positions written with one decimal on half-millimetre slices stay inside a tenth of the step.
_STEP_TOLERANCE: Final = 0.1
_SAME_PLACE_MM: Final = 0.01
_TILT_DEGREES: Final = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class StackGeometry:
    """The affine (index k, j, i to LPS mm) of a regular stack, and what was noticed."""

    affine: np.ndarray
    notes: tuple[str, ...] = ()


def normal_of(orientation: tuple[float, ...]) -> np.ndarray:
    """The unit normal of a plane: row direction x column direction (PS3.3 C.7.6.2.1.1)."""
    normal = np.cross(orientation[:3], orientation[3:])
    return np.asarray(normal / np.linalg.norm(normal))


def cluster_distances(distances: np.ndarray) -> list[np.ndarray]:
    """Indices of equal distances along the normal, nearest place first."""
    order = np.argsort(distances, kind="stable")
    breaks = np.flatnonzero(np.diff(distances[order]) > _SAME_PLACE_MM) + 1
    return [np.asarray(part) for part in np.split(order, breaks)]


def split_regular(distances: np.ndarray) -> list[slice]:
    """Parts of evenly spaced slices, in order; one part where the whole stack is even.

    distances   ascending, mm along the normal

    A gap of its own (slices missing) parts what lies on either side; a change of spacing begins a new part. Nothing is
    made up in between.

    Raises GeometryError where the spacing changes so often that no regular volume is left.

    >>> split_regular(np.array([0.0, 5.0, 10.0, 20.0]))
    [slice(0, 3, None), slice(3, 4, None)]
    """
    n = len(distances)
    if n < 3 or _is_even(distances):
        return [slice(0, n)]
    gaps = np.diff(distances)
    cuts = _cuts(gaps)
    if len(cuts) > max(3, n // 10):
        raise GeometryError(
            f"expected even spacing, got steps from {gaps.min():.2f} to {gaps.max():.2f} mm; resample the series"
        )
    bounds = [0, *(cut + 1 for cut in cuts), n]
    return [slice(start, end) for start, end in pairwise(bounds)]


def _is_even(distances: np.ndarray) -> bool:
    n = len(distances)
    step, first = np.polynomial.polynomial.polyfit(np.arange(n), distances, 1)[::-1]
    residual = distances - (first + step * np.arange(n))
    gaps = np.diff(distances)
    return bool(
        np.abs(residual).max() <= _STEP_TOLERANCE * step and np.abs(gaps - step).max() <= 2 * _STEP_TOLERANCE * step
    )


def _cuts(gaps: np.ndarray) -> list[int]:
    """Gaps at which a stack comes apart: lone wide ones, and the first of another spacing."""
    starts = [0]
    for index in range(1, len(gaps)):
        if abs(gaps[index] - gaps[starts[-1]]) > _STEP_TOLERANCE * gaps[starts[-1]]:
            starts.append(index)
    lengths = np.diff([*starts, len(gaps)])
    cuts, before_is_run = [], False
    for start, length in zip(starts, lengths, strict=True):
        is_jump = length == 1 and gaps[start] > (1 + _STEP_TOLERANCE) * gaps.min()
        if is_jump or before_is_run:
            cuts.append(start)
        before_is_run = not is_jump
    return cuts


def fit_stack(
    positions_mm: np.ndarray, orientation: tuple[float, ...], *, spacing_mm: tuple[float, ...], step_mm: float | None
) -> StackGeometry:
    """The affine of evenly spaced slices, exact for the first and the last.

    positions_mm   (slices, 3), sorted along the normal
    spacing_mm     between rows, between columns
    step_mm        what the header says about the distance of slices; used for a single slice only

    A tilted gantry shifts each slice along its plane: the affine is then sheared, which is exact, and noted.

    Raises GeometryError where the slices do not lie on one straight line.
    """
    normal = normal_of(orientation)
    n = len(positions_mm)
    notes: list[str] = []
    if n == 1:
        along = normal * (step_mm or 1.0)
        if not step_mm:
            notes.append("slice-thickness-unknown: taken as 1 mm")
    else:
        along = (positions_mm[-1] - positions_mm[0]) / (n - 1)
        residual_mm = positions_mm - (positions_mm[0] + np.outer(np.arange(n), along))
        in_plane_mm = residual_mm - np.outer(residual_mm @ normal, normal)
        worst_mm = float(np.abs(in_plane_mm).max())
        if worst_mm > max(0.1, 0.25 * min(spacing_mm)):
            raise GeometryError(f"expected slices on one straight line, got some {worst_mm:.1f} mm beside it")
        notes += _shape_notes(along, normal, residual_mm)
    affine = np.eye(4)
    affine[:3, 0] = along
    affine[:3, 1] = np.asarray(orientation[3:]) * spacing_mm[0]
    affine[:3, 2] = np.asarray(orientation[:3]) * spacing_mm[1]
    affine[:3, 3] = positions_mm[0]
    return StackGeometry(affine, tuple(notes))


def _shape_notes(along: np.ndarray, normal: np.ndarray, residual_mm: np.ndarray) -> list[str]:
    notes = []
    step_mm = float(np.linalg.norm(along))
    tilt_degrees = math.degrees(math.acos(min(1.0, float(along @ normal) / step_mm)))
    if tilt_degrees > _TILT_DEGREES:
        notes.append(f"gantry-tilt: {tilt_degrees:.1f} deg")
    uneven_mm = float(np.abs(residual_mm @ normal).max())
    if uneven_mm > 0.02 * step_mm:
        notes.append(f"slice-positions-rounded: {uneven_mm:.3f} mm")
    return notes
