"""Bodies around a cloud of points: the convex hull, its longest distance, the smallest box and the smallest ellipsoid.

The box is the smallest of those with a face on the hull; the rare smaller one without (O'Rourke) is not looked for.

Source: Barber CB, Dobkin DP, Huhdanpaa H. ACM Trans Math Softw 1996;22:469-483 (hull); O'Rourke J. Int J Comput Inf Sci
1985;14:183-199 (box); Khachiyan LG. Math Oper Res 1996;21:307-320, with the stopping rule of Todd MJ, Yildirim EA.
Discrete Appl Math 2007;155:1731-1744 (ellipsoid).
"""

from dataclasses import dataclass, field

import numpy as np

_ELLIPSOID_SHARE = 1e-3
_ELLIPSOID_STEPS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Hull:
    """A convex hull: its corners in mm, (n, 3), the normals of its faces, (m, 3), its volume and its area."""

    points: np.ndarray = field(repr=False)
    normals: np.ndarray = field(repr=False)
    volume_mm3: float
    area_mm2: float


def hull_of(points_mm: np.ndarray) -> Hull:
    """The convex hull of the points of a mesh, which never lie in one plane."""
    from scipy.spatial import ConvexHull

    points = _line_ends(points_mm)
    hull = ConvexHull(points)
    normals = np.unique(np.round(hull.equations[:, :3], 6), axis=0)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Hull(points[hull.vertices], normals, float(hull.volume), float(hull.area))


def _line_ends(points: np.ndarray) -> np.ndarray:
    """The points without those that lie between two others on a line along an axis: none of these is a corner."""
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        order = np.lexsort((points[:, axis], points[:, others[1]], points[:, others[0]]))
        points = points[order]
        is_new = np.ones(len(points) + 1, dtype=np.bool_)
        is_new[1:-1] = (points[1:, others] != points[:-1, others]).any(axis=1)
        points = points[is_new[:-1] | is_new[1:]]
    return points


def largest_distance(points_mm: np.ndarray) -> float:
    """The largest distance between any two points."""
    from isocenter.imaging.features.mesh_kernels import largest_square

    return float(largest_square(np.ascontiguousarray(points_mm, dtype=np.float64)) ** 0.5)


def smallest_box_mm(hull: Hull) -> np.ndarray:
    """Sides in mm of the box of least volume around a hull among those that lie on one of its faces."""
    from isocenter.imaging.features.box_kernels import smallest_box

    return np.asarray(smallest_box(np.ascontiguousarray(hull.points), hull.normals))


def smallest_ellipsoid(points_mm: np.ndarray) -> np.ndarray:
    """Half axes in mm, longest first, of the smallest ellipsoid around the points, to 0.1 % of its volume or better."""
    n_points, size = points_mm.shape
    lifted = np.column_stack((points_mm, np.ones(n_points))).T
    shares = np.full(n_points, 1 / n_points)
    for _ in range(_ELLIPSOID_STEPS):
        spread = (lifted * shares) @ lifted.T
        reach = np.einsum("ij,ij->j", lifted, np.linalg.solve(spread, lifted))
        far = int(np.argmax(reach))
        if reach[far] <= (1 + _ELLIPSOID_SHARE) * (size + 1):
            break
        step = (reach[far] - size - 1) / ((size + 1) * (reach[far] - 1))
        shares *= 1 - step
        shares[far] += step
    centre = points_mm.T @ shares
    spread = (points_mm.T * shares) @ points_mm - np.outer(centre, centre)
    # Blown up until the furthest point lies on it, so that it surely encloses all.
    apart = points_mm - centre
    furthest = float(np.einsum("ij,ij->i", apart, np.linalg.solve(spread, apart.T).T).max())
    return np.asarray(np.sqrt(np.linalg.eigvalsh(spread)[::-1] * furthest))
