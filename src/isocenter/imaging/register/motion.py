"""The motions that a linear registration may take: rigid, similarity, affine; in space or in one plane.

A motion is a (4, 4) matrix that maps fixed points (LPS mm) to moving points. A step is a short vector of numbers, each
in millimetres of displacement at `radius_mm` from `centre_mm`, so that all of them weigh alike in a search.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError

Kind = Literal["rigid", "similarity", "affine"]
KINDS: Final[tuple[Kind, ...]] = ("rigid", "similarity", "affine")


@dataclass(frozen=True, slots=True, eq=False)
class Freedom:
    """Which steps are allowed, and around which place.

    centre_mm   (3,) LPS; turns and scales leave it where it is
    radius_mm   the distance at which a turn or scale of one unit moves a point by one millimetre
    axes        (3, 3); columns are the directions of k, j, i of the fixed image, of unit length
    in_plane    whether only the plane of j and i moves
    generators  the velocity of each step at rest, shape (n, 4, 4)
    """

    kind: Kind
    centre_mm: np.ndarray
    radius_mm: float
    axes: np.ndarray
    in_plane: bool = False
    generators: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"transform: expected one of {', '.join(KINDS)}; got {self.kind!r}")
        # Every step of every search asks for them.
        object.__setattr__(self, "generators", self._velocities())

    def _velocities(self) -> np.ndarray:
        free = (1, 2) if self.in_plane else (0, 1, 2)
        parts = [_shift(a) for a in free]
        pairs = [(a, b) for n, a in enumerate(free) for b in free[n + 1 :]]
        if self.kind == "affine":
            parts += [_stretch(a, b) for a in free for b in free]
        else:
            parts += [_stretch(a, b) - _stretch(b, a) for a, b in pairs]
        if self.kind == "similarity":
            parts.append(sum((_stretch(a, a) for a in free), start=np.zeros((4, 4))))
        local = np.stack(parts)
        local[:, :3, :3] /= self.radius_mm
        into = np.eye(4)
        into[:3, :3] = self.axes
        into[:3, 3] = self.centre_mm
        return np.asarray(into @ local @ np.linalg.inv(into))

    def step(self, amounts: np.ndarray) -> np.ndarray:
        """The motion (4, 4) of a step; rigid and similarity steps stay exactly rigid and similar."""
        velocity = np.tensordot(np.asarray(amounts, dtype=np.float64), self.generators, axes=1)
        if self.kind == "affine":
            return np.asarray(np.eye(4) + velocity)
        move = np.eye(4)
        linear = velocity[:3, :3]
        turn = (linear - linear.T) / 2
        growth = 0.0 if self.kind == "rigid" else float(np.trace(linear)) / (2 if self.in_plane else 3)
        turned = rotation_matrix(np.array((turn[2, 1], turn[0, 2], turn[1, 0])))
        scale = np.eye(3) * np.exp(growth)
        if self.in_plane:
            normal = np.outer(self.axes[:, 0], self.axes[:, 0])
            scale = normal + (np.eye(3) - normal) * np.exp(growth)
        move[:3, :3] = turned @ scale
        drift = velocity[:3, 3] + linear @ self.centre_mm
        move[:3, 3] = self.centre_mm + drift - move[:3, :3] @ self.centre_mm
        return move


def rotation_matrix(turn_rad: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) about a vector by its length in radians.

    >>> rotation_matrix(np.array((0.0, 0.0, np.pi / 2))).round(6).tolist()
    [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]

    Source: Rodrigues' formula.
    """
    angle = float(np.linalg.norm(turn_rad))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = turn_rad / angle
    cross = np.array(((0.0, -z, y), (z, 0.0, -x), (-y, x, 0.0)))
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def about(linear: np.ndarray, start_mm: np.ndarray, end_mm: np.ndarray) -> np.ndarray:
    """The motion (4, 4) with this linear part (3, 3) that brings one point onto another."""
    move = np.eye(4)
    move[:3, :3] = linear
    move[:3, 3] = np.asarray(end_mm) - linear @ np.asarray(start_mm)
    return move


def moved_points(matrix: np.ndarray, points_mm: np.ndarray) -> np.ndarray:
    """Points (..., 3) after a motion (4, 4)."""
    return np.asarray(np.asarray(points_mm, dtype=np.float64) @ matrix[:3, :3].T + matrix[:3, 3])


def _shift(axis: int) -> np.ndarray:
    part = np.zeros((4, 4))
    part[axis, 3] = 1.0
    return part


def _stretch(row: int, column: int) -> np.ndarray:
    part = np.zeros((4, 4))
    part[row, column] = 1.0
    return part
