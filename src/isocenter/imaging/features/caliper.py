"""The longest and the shortest caliper (Feret diameters) across a mask in three dimensions."""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask
from isocenter.imaging.features.outline import edge_points

# Of 0.5 to 1.0 voxels the one with the least error on turned ellipsoids (tests/imaging/features/test_caliper.py).
_SIGMA = 0.6
_PAD = 4
_SMOOTHED_AT_MOST = 4_000_000


@dataclass(frozen=True, slots=True)
class Calipers:
    """The widest and the narrowest distance between two parallel plates that touch the thing from both sides.

    longest_ends         ((k, j, i), (k, j, i)) in fractional voxels
    longest_direction    unit vector in millimetres along (slices, rows, columns); shortest_direction likewise
    """

    longest_mm: float
    shortest_mm: float
    longest_ends: tuple[tuple[float, ...], tuple[float, ...]]
    longest_direction: tuple[float, ...]
    shortest_direction: tuple[float, ...]


def calipers(mask: Mask) -> Calipers:
    """Longest and shortest caliper of a mask, on the convex hull of its surface.

    The shortest caliper is sought at right angles to the hull's faces, where it lies unless it rests on two edges.

    Raises InputError for an empty mask, UnknownSpacingError where the image states no pixel size.
    Source: Feret LR. La grosseur des grains. Assoc Int Essais Mater 1931, 2D; the longest also IBSI "maximum 3D
    diameter", there on the mesh.
    """
    from scipy.spatial import ConvexHull

    spacing = mask.grid.spacing_mm
    points = surface_points(mask.array) * spacing
    hull = ConvexHull(points)
    corners = points[hull.vertices]
    a, b, longest_mm = _farthest(corners)
    along = (corners[b] - corners[a]) / longest_mm
    normals = hull.equations[:, :3]
    widths = np.array([np.ptp(corners @ normal) for normal in normals])
    narrow = int(np.argmin(widths))
    ends = (corners[[a, b]] / spacing).tolist()
    return Calipers(
        longest_mm, float(widths[narrow]), (tuple(ends[0]), tuple(ends[1])),
        tuple(along.tolist()), tuple(normals[narrow].tolist()),
    )  # fmt: skip


def surface_points(array: np.ndarray) -> np.ndarray:
    """Points (k, j, i) in fractional voxels on the surface of a mask, its stairs smoothed by 0.6 voxels.

    The surface is drawn at the level that holds as many voxels as the mask has, so that small things do not shrink;
    along an axis on which the mask is one or two voxels thick nothing is smoothed. Of a mask in a box of more than
    four million voxels only those points are given that can lie on its convex hull, with their stairs.

    Raises InputError for an empty mask.
    """
    from scipy.ndimage import gaussian_filter

    box = [np.flatnonzero(array.any(axis=tuple(other for other in range(3) if other != axis))) for axis in range(3)]
    if not box[0].size:
        raise InputError("caliper: expected a mask with voxels in it, got an empty one")
    first = np.array([places[0] for places in box])
    cropped = array[tuple(slice(int(places[0]), int(places[-1]) + 1) for places in box)]
    if cropped.size > _SMOOTHED_AT_MOST:
        return np.asarray(_row_ends(cropped) + first)
    padded = np.pad(cropped, _PAD)
    sigmas = [_SIGMA if len(places) > 2 else 0.0 for places in box]
    soft = gaussian_filter(padded.astype(np.float32), sigmas)
    n_outside = padded.size - int(np.count_nonzero(padded))
    ordered = np.partition(soft.ravel(), (n_outside - 1, n_outside))
    level = float(ordered[n_outside - 1] + ordered[n_outside]) / 2
    return np.asarray(edge_points(soft, level=level) - _PAD + first)


def _row_ends(array: np.ndarray) -> np.ndarray:
    """Half a voxel around the first and the last voxel of every row: all that the convex hull needs."""
    k, j = np.nonzero(array.any(axis=2))
    rows = array[k, j]
    first, last = rows.argmax(axis=1), array.shape[2] - 1 - rows[:, ::-1].argmax(axis=1)
    ends = np.concatenate((np.stack((k, j, first), axis=1), np.stack((k, j, last), axis=1))).astype(np.float64)
    halves = 0.5 * np.concatenate((np.eye(3), -np.eye(3)))
    return np.asarray((ends[:, None] + halves).reshape(-1, 3))


def _farthest(corners: np.ndarray) -> tuple[int, int, float]:
    """The two corners that lie farthest apart, and their distance; block by block, so that memory stays small."""
    from scipy.spatial.distance import cdist

    best = (0, 0, -1.0)
    for start in range(0, len(corners), 512):
        gaps = cdist(corners[start : start + 512], corners)
        row, column = np.unravel_index(int(np.argmax(gaps)), gaps.shape)
        if gaps[row, column] > best[2]:
            best = (start + int(row), int(column), float(gaps[row, column]))
    return best
