"""A snake: an elastic closed curve drawn to edges, on one slice."""

from typing import Final

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.morphology import distance_mm
from isocenter.imaging.segment.edges import find_edges
from isocenter.imaging.segment.gradients import gradient

# Points of the curve; its elasticity, stiffness and inertia; the farthest that it moves at once, in pixels.
_SNAKE_POINTS: Final = 200
_ELASTICITY: Final = 0.02
_STIFFNESS: Final = 0.5
_INERTIA: Final = 0.2
_LONGEST_MOVE: Final = 1.0


def close_snake(volume: Volume, start: np.ndarray, *, iterations: int) -> np.ndarray:
    """What an elastic curve around the start encloses once it lies on edges, bool.

    start   bool, (1, rows, columns); the curve begins as the circle around its largest piece

    Raises InputError for more than one slice, an image without edges, or an empty start.
    Source: Kass M, et al. IJCV 1988;1:321-331; the force towards the nearest edge: Cohen LD, Cohen I. IEEE PAMI
    1993;15(11):1131-1147.
    """
    if not volume.is_2d:
        raise InputError(f"active-contour: expected one slice for a snake, got {volume.grid.shape[0]}; cut one out")
    edges = find_edges(volume)
    if not edges.any():
        raise InputError("active-contour: expected edges to be drawn to, found none; use --kind chan-vese")
    away = distance_mm(~edges, spacing_mm=(1.0, 1.0, 1.0))
    force = -gradient(away, steps=(1, 1, 1))[1:, 0] * np.minimum(away[0], 1)
    curve = _circle_around(start[0])
    stiff = _snake_matrix(len(curve))
    for _ in range(iterations):
        pulls = np.stack([_sample(part, curve) for part in force], axis=1)
        moved = stiff @ (_INERTIA * curve + pulls)
        move = _LONGEST_MOVE * np.tanh((moved - curve) / _LONGEST_MOVE)
        curve = np.clip(curve + move, 0, np.array(start[0].shape) - 1)
        if np.abs(move).max() < 1e-3:
            break
    filled = np.zeros(start[0].shape, dtype=np.uint8)
    fixed = np.rint(curve[:, ::-1] * 16).astype(np.int32)
    cv2.fillPoly(filled, [fixed], 1, shift=4)
    return filled.astype(np.bool_)[None]


def _circle_around(picture: np.ndarray) -> np.ndarray:
    """Points (row, column) of a circle that holds the largest piece, with a tenth of room."""
    count, labels, facts, centres = cv2.connectedComponentsWithStats(picture.astype(np.uint8), connectivity=4)
    if count < 2:
        raise InputError("active-contour: expected something to start from, found none; give --seed")
    largest = 1 + int(np.argmax(facts[1:, cv2.CC_STAT_AREA]))
    centre = centres[largest][::-1]
    reach = np.linalg.norm(np.argwhere(labels == largest) - centre, axis=1).max()
    angle = np.linspace(0, 2 * np.pi, _SNAKE_POINTS, endpoint=False)
    points = centre + (1.1 * reach + 1) * np.stack((np.sin(angle), np.cos(angle)), axis=1)
    return np.asarray(np.clip(points, 0, np.array(picture.shape) - 1))


def _snake_matrix(count: int) -> np.ndarray:
    """What one implicit step of elasticity and stiffness does to the points of a closed curve."""
    one = np.eye(count)
    second = np.roll(one, 1, axis=0) - 2 * one + np.roll(one, -1, axis=0)
    return np.linalg.inv(-_ELASTICITY * second + _STIFFNESS * second @ second + _INERTIA * one)


def _sample(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Linear interpolation at (row, column)."""
    at = points.astype(np.float32)
    return np.asarray(cv2.remap(picture, at[:, 1:], at[:, :1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))[:, 0]
