"""A mask as a closed surface of triangles through the middles between inside and outside: its volume and area.

The surface is that of marching cubes. Its 256 cases are worked out here from the definition: in each cube of eight
voxel centres the surface crosses every edge between an inside and an outside corner; on each face these crossings are
joined by segments, and the segments close to polygons. Where a face has inside corners on one diagonal only, the
inside stays connected.

Source: Lorensen WE, Cline HE. Computer Graphics 1987;21:163-169; IBSI reference manual, morphological features (HCUG).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

_CORNERS = np.array([(c >> 2 & 1, c >> 1 & 1, c & 1) for c in range(8)])
_EDGES = tuple((a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1)
_EDGE_NUMBERS = {frozenset(edge): number for number, edge in enumerate(_EDGES)}
_MIDDLES = np.array([(_CORNERS[a] + _CORNERS[b]) / 2 for a, b in _EDGES])
# Corners around each face; a face is the four corners that share one bit.
_FACES = tuple(
    tuple(next(c for c in range(8) if _CORNERS[c][axis] == side and tuple(np.delete(_CORNERS[c], axis)) == uv)
          for uv in ((0, 0), (0, 1), (1, 1), (1, 0)))
    for axis in range(3) for side in (0, 1)
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """What a mask's mesh measures.

    vertices_mm   (n, 3) along slices, rows and columns from the array's first voxel, each once
    """

    volume_mm3: float
    area_mm2: float
    vertices_mm: np.ndarray


def measure_surface(mask: np.ndarray, *, spacing_mm: tuple[float, float, float]) -> Surface:
    """The mesh of a mask: volume by signed tetrahedra, area by triangles, and its vertices.

    mask         bool, (slices, rows, columns); voxels at its border count as next to the outside
    spacing_mm   along (slices, rows, columns)
    """
    from isocenter.imaging.features.mesh_kernels import sum_triangles

    padded = np.pad(mask, 1)
    triangles, starts = _triangles()
    volume, area = sum_triangles(padded, triangles, starts, np.asarray(spacing_mm, dtype=np.float64))
    return Surface(float(volume), float(area), _vertices(padded) * np.asarray(spacing_mm))


def _vertices(padded: np.ndarray) -> np.ndarray:
    """The middle of every edge between an inside and an outside voxel, in voxels of the unpadded array."""
    found = []
    for axis in range(3):
        ahead = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        behind = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        places = np.argwhere(padded[ahead] != padded[behind]).astype(np.float64) - 1
        places[:, axis] += 0.5
        found.append(places)
    return np.concatenate(found)


@cache
def _triangles() -> tuple[np.ndarray, np.ndarray]:
    """All triangles (n, 3 corners, 3 coordinates in the cube), and where each of the 256 cases begins in them."""
    listed: list[np.ndarray] = []
    starts = [0]
    for case in range(256):
        for polygon in _polygons(case):
            listed.extend(_fan(polygon))
        starts.append(len(listed))
    return np.array(listed), np.array(starts)


def _polygons(case: int) -> list[np.ndarray]:
    """The closed polygons of one case as points in the cube, turning so that their normal points outside."""
    inside = [bool(case >> corner & 1) for corner in range(8)]
    segments = [segment for face in _FACES for segment in _segments(face, inside)]
    polygons = []
    while segments:
        loop = list(segments.pop())
        while loop[-1] != loop[0]:
            following = next(segment for segment in segments if loop[-1] in segment)
            segments.remove(following)
            loop.append(following[1] if following[0] == loop[-1] else following[0])
        edges = loop[:-1]
        points = _MIDDLES[edges]
        ends = [_EDGES[edge] if inside[_EDGES[edge][0]] else _EDGES[edge][::-1] for edge in edges]
        outwards = sum(_CORNERS[to] - _CORNERS[start] for start, to in ends)
        normal = np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)
        polygons.append(points if normal @ outwards > 0 else points[::-1])
    return polygons


def _segments(face: tuple[int, ...], inside: list[bool]) -> list[tuple[int, int]]:
    """The pairs of edges that the surface joins across one face."""
    edges = [_EDGE_NUMBERS[frozenset((face[n], face[(n + 1) % 4]))] for n in range(4)]
    crossed = [n for n in range(4) if inside[face[n]] != inside[face[(n + 1) % 4]]]
    if len(crossed) < 4:
        return [(edges[crossed[0]], edges[crossed[1]])] if crossed else []
    # Both diagonals differ: cut off the outside corners, so that the inside stays in one piece.
    return [(edges[n - 1], edges[n]) for n in range(4) if not inside[face[n]]]


def _fan(polygon: np.ndarray) -> list[np.ndarray]:
    """A polygon as triangles around that corner which gives the largest area, so that the choice follows no order."""
    best: list[np.ndarray] = []
    best_area = -1.0
    for turn in range(len(polygon)):
        points = np.roll(polygon, -turn, axis=0)
        fan = [points[[0, n, n + 1]] for n in range(1, len(points) - 1)]
        area = sum(float(np.linalg.norm(np.cross(t[1] - t[0], t[2] - t[0]))) for t in fan)
        if area > best_area + 1e-9:
            best, best_area = fan, area
    return best
