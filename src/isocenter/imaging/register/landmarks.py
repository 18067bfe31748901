"""Registration by corresponding points: rigid, similarity, affine and thin-plate spline, with their errors."""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.register.motion import KINDS, Kind, moved_points

# Points needed, by dimension: fewer leave the motion open.
_NEEDED = {"rigid": 3, "similarity": 3, "affine": 4}


def fit_landmarks(fixed_mm: np.ndarray, moving_mm: np.ndarray, *, kind: Kind = "rigid") -> np.ndarray:
    """The motion (4, 4) that brings fixed points nearest to their moving partners, by least squares.

    fixed_mm, moving_mm   (n, 3) LPS; row by row the same anatomical point

    >>> points = np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0], [0, 0, 10]])
    >>> fit_landmarks(points, points + (1, 2, 3))[:3, 3].round(6).tolist()
    [1.0, 2.0, 3.0]

    Raises InputError for too few points, points on one line (rigid, similarity) or in one plane (affine).
    Sources: Umeyama S. IEEE Trans Pattern Anal Mach Intell 1991;13(4):376-380 (rigid, similarity).
    """
    if kind not in KINDS:
        raise InputError(f"landmarks: expected one of {', '.join(KINDS)}; got {kind!r}")
    one, other = _as_pairs(fixed_mm, moving_mm, _NEEDED[kind])
    middle, goal = one.mean(0), other.mean(0)
    spread = np.linalg.svd(one - middle, compute_uv=False)
    rank = int(np.sum(spread > 1e-9 * max(spread[0], 1e-300)))
    if rank < (3 if kind == "affine" else 2):
        raise InputError(f"landmarks: expected points that span space for {kind}, got {rank} dimension(s); add points")
    if kind == "affine":
        linear = np.linalg.lstsq(one - middle, other - goal, rcond=None)[0].T
    else:
        linear = _turn_and_scale(one - middle, other - goal, scaled=kind == "similarity")
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, goal - linear @ middle
    return matrix


def _turn_and_scale(one: np.ndarray, other: np.ndarray, *, scaled: bool) -> np.ndarray:
    left, values, right = np.linalg.svd(other.T @ one)
    proper = np.ones(3)
    proper[2] = np.sign(np.linalg.det(left @ right))
    turn = left @ np.diag(proper) @ right
    scale = float((values * proper).sum() / (one**2).sum()) if scaled else 1.0
    return np.asarray(scale * turn)


def fiducial_errors_mm(matrix: np.ndarray, fixed_mm: np.ndarray, moving_mm: np.ndarray) -> np.ndarray:
    """How far each moved fixed point is from its partner, (n,): FRE of the points that made the fit, TRE of others.

    Source: Fitzpatrick JM, West JB, Maurer CR. IEEE Trans Med Imaging 1998;17(5):694-702.
    """
    one, other = _as_pairs(fixed_mm, moving_mm, 1)
    return np.asarray(np.linalg.norm(moved_points(matrix, one) - other, axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Spline:
    """A thin-plate spline in space.

    knots_mm   (n, 3)
    bends      (n, 3) weights of the knots
    affine     (4, 3): constant and linear part
    """

    knots_mm: np.ndarray
    bends: np.ndarray
    affine: np.ndarray

    def move(self, points_mm: np.ndarray) -> np.ndarray:
        """Points (m, 3) after the spline."""
        points = np.asarray(points_mm, dtype=np.float64)
        away = np.linalg.norm(points[:, None] - self.knots_mm, axis=-1)
        return np.asarray(away @ self.bends + self.affine[0] + points @ self.affine[1:])


def fit_spline(fixed_mm: np.ndarray, moving_mm: np.ndarray, *, stiffness: float = 0.0) -> Spline:
    """The thin-plate spline that brings fixed points onto their partners with the least bending.

    stiffness   0 meets every point; more lets points miss for a smoother field (mm)

    Raises InputError for fewer than four points, points in one plane, or two at one place.
    Source: Bookstein FL. IEEE Trans Pattern Anal Mach Intell 1989;11(6):567-585; in space the kernel is the distance.
    """
    one, other = _as_pairs(fixed_mm, moving_mm, 4)
    n = len(one)
    away = np.linalg.norm(one[:, None] - one, axis=-1)
    if np.min(away + np.eye(n) * 1e9) < 1e-9:
        raise InputError("landmarks: expected different points, got two at one place; remove one")
    flat = np.column_stack((np.ones(n), one))
    if np.linalg.matrix_rank(flat) < 4:
        raise InputError("landmarks: expected points that span space for a spline, got a plane; add points")
    # In space the bending kernel -r is conditionally positive: stiffness is taken off.
    system = np.block([[away - stiffness * np.eye(n), flat], [flat.T, np.zeros((4, 4))]])
    solved = np.linalg.solve(system, np.vstack((other, np.zeros((4, 3)))))
    return Spline(one, solved[:n], solved[n:])


def _as_pairs(fixed_mm: np.ndarray, moving_mm: np.ndarray, needed: int) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.asarray(fixed_mm, dtype=np.float64), np.asarray(moving_mm, dtype=np.float64)
    if one.shape != other.shape or one.ndim != 2 or one.shape[1] != 3 or len(one) < needed:
        raise InputError(
            f"landmarks: expected at least {needed} pairs of points (n, 3), got {one.shape} and {other.shape}"
        )
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise InputError("landmarks: expected finite places, got NaN or infinity; check the points")
    return one, other
