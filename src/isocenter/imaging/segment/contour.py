"""Active contours: on voxels in two and three dimensions (Chan-Vese, geodesic), and a snake on one slice."""

from typing import Final, Literal

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.morphology import distance_mm
from isocenter.imaging.segment.edges import find_edges
from isocenter.imaging.segment.gradients import blur, gradient, gradient_magnitude
from isocenter.imaging.segment.inputs import (
    Place,
    Seeds,
    ball_around,
    finest_mm,
    gray_array,
    positive,
    relative_steps,
    require_contrast,
    seed_places,
)
from isocenter.imaging.segment.region import pieces_at
from isocenter.imaging.segment.threshold import otsu_limit

Kind = Literal["chan-vese", "geodesic", "snake"]
_SIGMA: Final = 1.0
# Radius of the ball that grows from a seed, in finest steps.
_START_RADIUS: Final = 3.0
# Points of a snake; its elasticity, stiffness and inertia; the farthest that it moves at once, in pixels.
_SNAKE_POINTS: Final = 200
_ELASTICITY: Final = 0.02
_STIFFNESS: Final = 0.5
_INERTIA: Final = 0.2
_LONGEST_MOVE: Final = 1.0


def active_contour(
    volume: Volume,
    *,
    kind: Kind = "chan-vese",
    seed: Seeds = (),
    radius_mm: float | None = None,
    iterations: int = 300,
    smoothing: int = 1,
) -> np.ndarray:
    """What a moving contour comes to enclose, bool.

    kind         "chan-vese": two mean intensities; "geodesic": outwards from the seeds up to edges; "snake": an
                 elastic curve drawn to the nearest edges of a single slice
    seed         (column, row, slice) inside; without one the contour starts around the brighter of Otsu's classes
    radius_mm    of the ball or circle around each seed to start from
    iterations   at most; it stops where it no longer moves
    smoothing    steps of curvature flow per iteration, for the two on voxels

    Raises InputError for a constant image, or a snake on more than one slice.
    Source: Marquez-Neila P, et al. IEEE PAMI 2014;36(1):2-17. Chan TF, Vese LA. IEEE TIP 2001;10(2):266-277.
    Kass M, et al. IJCV 1988;1:321-331, with the distance force of Cohen LD, Cohen I. IEEE PAMI 1993;15(11):1131-1147.
    """
    array = gray_array(volume)
    require_contrast(array, "active-contour")
    if iterations < 1 or smoothing < 0:
        raise InputError(f"active-contour: expected iterations >= 1 and smoothing >= 0, got {iterations}, {smoothing}")
    places = seed_places(volume, seed)
    start = _start(volume, array, places, radius_mm)
    if kind == "snake":
        return _snake(volume, start, iterations)
    if kind == "geodesic":
        inside = grow_to_edges(volume, start, iterations=iterations, smoothing=smoothing)
    else:
        inside = two_mean_contour(array, start, iterations=iterations, smoothing=smoothing)
    return pieces_at(inside, places) if places else inside


def two_mean_contour(array: np.ndarray, start: np.ndarray, *, iterations: int, smoothing: int) -> np.ndarray:
    """The region whose inside and outside are each nearest to one intensity, with a smooth border, bool.

    start   bool, the same shape

    Source: Marquez-Neila P, et al. IEEE PAMI 2014;36(1):2-17, section 3.4 (morphological ACWE).
    """
    values = np.asarray(array, dtype=np.float64)
    inside, earlier, turn = start.copy(), start, False
    for _ in range(iterations):
        last = inside
        bright, dark = _mean(values, inside), _mean(values, ~inside)
        rim = _rim(inside)
        nearer = np.square(values[rim] - bright) - np.square(values[rim] - dark)
        inside = inside.copy()
        inside[rim] = np.where(nearer == 0, inside[rim], nearer < 0)
        inside, turn = _smooth(inside, smoothing, turn)
        if np.array_equal(inside, earlier) or np.array_equal(inside, last):
            # Where it swings between two places, the one that fits better.
            return min((last, inside), key=lambda mask: _spread(values, mask))
        earlier = last
    return inside


def grow_to_edges(volume: Volume, start: np.ndarray, *, iterations: int, smoothing: int) -> np.ndarray:
    """What a balloon fills that is blown up inside edges, bool.

    Source: Marquez-Neila P, et al. IEEE PAMI 2014;36(1):2-17, section 3.3 (morphological GAC).
    """
    array, steps = gray_array(volume), relative_steps(volume)
    steepness = gradient_magnitude(array, sigma=_SIGMA, steps=steps)
    edge = otsu_limit(steepness)
    flatness = 1 / (1 + np.square(steepness / edge))
    pull = gradient(flatness, steps=steps)
    free = steepness < 0.5 * edge
    inside, earlier, turn = start.copy(), start, False
    for _ in range(iterations):
        last = inside
        grown = _grow(inside)
        inside = np.where(free, grown, inside)
        rim = _rim(inside)
        slope = gradient(inside, steps=(1, 1, 1))[:, rim]
        attraction = np.einsum("an,an->n", pull[:, rim], slope)
        inside[rim] = np.where(attraction == 0, inside[rim], attraction > 0)
        inside, turn = _smooth(inside, smoothing, turn)
        if np.array_equal(inside, earlier) or np.array_equal(inside, last):
            break
        earlier = last
    return inside


def _start(volume: Volume, array: np.ndarray, places: list[Place], radius_mm: float | None) -> np.ndarray:
    """Balls around the seeds, or the brighter class of the blurred image."""
    steps = relative_steps(volume)
    if not places:
        smooth = blur(array, sigma=_SIGMA, steps=steps)
        require_contrast(smooth, "active-contour")
        return np.asarray(smooth > otsu_limit(smooth))
    radius = _START_RADIUS if radius_mm is None else positive(radius_mm, "radius-mm") / finest_mm(volume)
    start = np.zeros(array.shape, dtype=np.bool_)
    for place in places:
        start |= ball_around(array.shape, place, radius, steps)
    return start


def _mean(values: np.ndarray, where: np.ndarray) -> float:
    """The mean of some voxels; 0 of none."""
    count = int(np.count_nonzero(where))
    return float(values.sum(where=where)) / count if count else 0.0


def _spread(values: np.ndarray, inside: np.ndarray) -> float:
    """What the two means leave unexplained: less the greater the variance between inside and outside."""
    share = float(np.mean(inside))
    return -share * (1 - share) * (_mean(values, inside) - _mean(values, ~inside)) ** 2


def _rim(inside: np.ndarray) -> np.ndarray:
    """Where the central difference of the mask along an axis is not 0."""
    rim = np.zeros(inside.shape, dtype=np.bool_)
    for axis in range(3):
        if inside.shape[axis] > 1:
            rim |= np.gradient(inside.view(np.int8), axis=axis) != 0
    return rim


def _grow(inside: np.ndarray) -> np.ndarray:
    """The mask and all neighbours by faces, edges and corners."""
    flat = np.stack([cv2.dilate(part, np.ones((3, 3), np.uint8)) for part in inside.view(np.uint8)])
    grown = flat.copy()
    grown[1:] |= flat[:-1]
    grown[:-1] |= flat[1:]
    return grown.astype(np.bool_)


def _smooth(inside: np.ndarray, steps: int, turn: bool) -> tuple[np.ndarray, bool]:
    """The mask after some steps of curvature flow, and whose turn it is next."""
    from isocenter.imaging.segment.contour_kernel import smooth_once

    for _ in range(steps):
        inside = smooth_once(inside, inside_first=turn)
        turn = not turn
    return inside, turn


def _snake(volume: Volume, start: np.ndarray, iterations: int) -> np.ndarray:
    """What an elastic curve around the start encloses once it lies on edges."""
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
