"""Closed curves as voxels: a voxel belongs where its centre lies inside an odd number of curves of its plane."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from isocenter.core.contours import Structure
from isocenter.core.errors import GeometryError
from isocenter.core.grid import Grid

# Slices; what decimals of a position do to a curve that lies in a slice.
_FLAT: Final = 0.1
# Millimetres along the normal within which curves share a plane.
_SAME_PLANE_MM: Final = 0.05
# Beyond the curves, on a grid of their own.
_MARGIN: Final = 2


def fill_polygons(polygons: Sequence[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Which pixels' centres lie inside an odd number of polygons; bool, (rows, columns).

    polygons   each (points, 2) as (row, column); the centre of pixel (0, 0) is (0, 0)

    A centre on a border belongs to the side of higher row and column, so that polygons that share a border share no
    pixel and leave none out.

    >>> int(fill_polygons([np.array([(0.5, 0.5), (0.5, 3.5), (2.5, 3.5), (2.5, 0.5)])], (4, 5)).sum())
    6

    Source: even-odd rule by scan lines; Foley J et al. Computer Graphics, 2nd ed., 3.6.
    """
    toggles = np.zeros((shape[0], shape[1] + 1), np.uint8)
    for polygon in polygons:
        start, end = polygon, np.roll(polygon, -1, axis=0)
        low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
        first = np.clip(np.ceil(low), 0, shape[0]).astype(int)
        counts = np.clip(np.ceil(high), 0, shape[0]).astype(int) - first
        edges = np.repeat(np.arange(len(polygon)), counts)
        rows = first[edges] + np.arange(len(edges)) - np.repeat(np.cumsum(counts) - counts, counts)
        share = (rows - start[edges, 0]) / (end[edges, 0] - start[edges, 0])
        columns = start[edges, 1] + share * (end[edges, 1] - start[edges, 1])
        np.bitwise_xor.at(toggles, (rows, np.clip(np.ceil(columns), 0, shape[1]).astype(int)), 1)
    return np.asarray(np.bitwise_xor.accumulate(toggles[:, :-1], axis=1).astype(np.bool_))


def rasterise_structure(structure: Structure, grid: Grid) -> dict[int, np.ndarray]:
    """The planes by slice number of one structure whose curves are parallel to the grid's slices.

    Each slice takes the nearest plane of curves, at most half a slice away; where the curves lie regularly further
    apart than the slices, at most half their distance. Curves of one plane are combined by exclusive or, so that a
    curve inside another is a hole.

    Raises GeometryError where a curve is not parallel to the slices.
    """
    if not is_parallel(structure, grid):
        raise GeometryError("contours: expected curves parallel to the image's slices; use a grid of their own")
    curves = [grid.to_index(outline) for outline in structure.outlines]
    heights = np.array([float(curve[:, 0].mean()) for curve in curves])
    face_mm2 = float(np.linalg.norm(np.cross(grid.affine[:3, 1], grid.affine[:3, 2])))
    step_mm = abs(float(np.linalg.det(grid.affine[:3, :3]))) / face_mm2
    planes = _planes(heights, _SAME_PLANE_MM / step_mm)
    found: dict[int, np.ndarray] = {}
    for k, plane in _slices(np.array([heights[plane].mean() for plane in planes]), grid.shape[0]):
        filled = fill_polygons([curves[n][:, 1:] for n in planes[plane]], grid.shape[1:])
        if filled.any():
            found[k] = filled
    return found


def is_parallel(structure: Structure, grid: Grid) -> bool:
    """Whether each curve lies in a plane of the grid's slices."""
    return all(float(np.ptp(grid.to_index(outline)[:, 0])) <= _FLAT for outline in structure.outlines)


def grid_of_structures(structures: Sequence[Structure], pixel_mm: float) -> Grid:
    """A grid whose slices lie in the curves' planes, for structures that were drawn on an image that is not there.

    pixel_mm   between rows, and between columns

    Raises GeometryError for curves of several directions, or all in one plane.
    """
    outlines = [outline for structure in structures for outline in structure.outlines]
    normal = _normal(max(outlines, key=len))
    across = np.eye(3)[int(np.argmin(np.abs(normal)))]
    across -= normal * (across @ normal)
    across /= np.linalg.norm(across)
    axes = np.stack([normal, np.cross(normal, across), across])
    places = [outline @ axes.T for outline in outlines]
    if max(float(np.ptp(place[:, 0])) for place in places) > 2 * _SAME_PLANE_MM:
        raise GeometryError("contours: expected curves in parallel planes, got several directions; give their image")
    heights = np.sort([float(place[:, 0].mean()) for place in places])
    gaps = np.diff(heights)[np.diff(heights) > _SAME_PLANE_MM]
    if not gaps.size:
        raise GeometryError(
            "contours: expected two planes or more, got one, whose thickness nobody states; give its image"
        )
    every = np.concatenate(places)
    low, high = every.min(axis=0), every.max(axis=0)
    spacing = np.array([float(gaps.min()), pixel_mm, pixel_mm])
    start = low - spacing * (0, _MARGIN, _MARGIN)
    shape = np.ceil((high - start) / spacing).astype(int) + np.array((1, _MARGIN, _MARGIN))
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = axes.T * spacing, axes.T @ start
    return Grid((int(shape[0]), int(shape[1]), int(shape[2])), affine)


def _normal(outline: np.ndarray) -> np.ndarray:
    """The unit normal of a flat curve, towards the side where its largest component is positive (Newell's method)."""
    vector = np.cross(outline, np.roll(outline, -1, axis=0)).sum(axis=0)
    length = float(np.linalg.norm(vector))
    if length == 0:
        raise GeometryError("contours: expected a curve with an inside, got one without area; leave it out")
    vector = vector / length
    return np.asarray(vector * np.sign(vector[int(np.argmax(np.abs(vector)))]))


def _planes(heights: np.ndarray, tolerance: float) -> list[np.ndarray]:
    """Indices of the curves of each plane, ascending."""
    order = np.argsort(heights, kind="stable")
    breaks = np.flatnonzero(np.diff(heights[order]) > tolerance) + 1
    return [np.asarray(part) for part in np.split(order, breaks)]


def _slices(heights: np.ndarray, n_slices: int) -> list[tuple[int, int]]:
    """(slice, plane) for each slice that a plane stands for: those up to half the distance of planes away from it."""
    reach = max(plane_step(heights), 1.0) / 2
    found = []
    for k in range(n_slices):
        away = k - heights
        nearest = int(np.argmin(np.abs(away) + (away >= reach - 1e-6)))
        if -reach - 1e-6 <= away[nearest] < reach - 1e-6:
            found.append((k, nearest))
    return found


def plane_step(heights: np.ndarray) -> float:
    """The regular distance of three planes or more: the least of which most are apart; 0 where there is none.

    heights   ascending

    >>> plane_step(np.array([0.0, 2.0, 4.0, 8.0])), plane_step(np.array([3.0, 30.0]))
    (2.0, 0.0)
    """
    gaps = np.diff(heights)
    if len(gaps) < 2:
        return 0.0
    step = float(gaps.min())
    is_regular = np.count_nonzero(gaps < 1.1 * step) * 2 >= len(gaps)
    return step if is_regular else 0.0
