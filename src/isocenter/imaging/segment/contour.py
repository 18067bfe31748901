"""Active contours: on voxels in two and three dimensions (Chan-Vese, geodesic), and a snake on one slice."""

from collections.abc import Callable
from typing import Final, Literal

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
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
from isocenter.imaging.segment.snake import close_snake
from isocenter.imaging.segment.threshold import otsu_limit

Kind = Literal["chan-vese", "geodesic", "snake"]
Box = tuple[slice, slice, slice]
_SIGMA: Final = 1.0
# Radius of the ball that grows from a seed, in finest steps.
_START_RADIUS: Final = 3.0
# Voxels around the mask in which it may move in one round.
_ROOM: Final = 3
# It rests when no more than this share of its voxels changes.
_REST: Final = 1e-4


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
    radius_mm    of the ball or circle around each seed to start from; "chan-vese" starts from Otsu's class if not given
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
    start = _start(volume, places, radius_mm, by_class=kind == "chan-vese")
    if kind == "snake":
        return close_snake(volume, start, iterations=iterations)
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
    total = float(values.sum())

    def means(part: np.ndarray, box: Box) -> tuple[float, float]:
        count = int(np.count_nonzero(part))
        held = float(values[box].sum(where=part))
        return held / max(count, 1), (total - held) / max(values.size - count, 1)

    def step(part: np.ndarray, box: Box) -> np.ndarray:
        bright, dark = means(part, box)
        rim = _slopes(part).any(axis=0)
        nearer = np.square(values[box][rim] - bright) - np.square(values[box][rim] - dark)
        moved = part.copy()
        moved[rim] = np.where(nearer == 0, part[rim], nearer < 0)
        return moved

    def unexplained(mask: np.ndarray) -> float:
        bright, dark = means(mask, (slice(None),) * 3)
        return -float(mask.mean()) * (1 - float(mask.mean())) * (bright - dark) ** 2

    # Where it swings between two places, the one that fits better.
    return min(_move(start, step, iterations=iterations, smoothing=smoothing), key=unexplained)


def grow_to_edges(volume: Volume, start: np.ndarray, *, iterations: int, smoothing: int) -> np.ndarray:
    """What a balloon fills that is blown up inside edges, bool.

    Source: Marquez-Neila P, et al. IEEE PAMI 2014;36(1):2-17, section 3.3 (morphological GAC).
    """
    array, steps = gray_array(volume), relative_steps(volume)
    steepness = gradient_magnitude(array, sigma=_SIGMA, steps=steps)
    edge = otsu_limit(steepness)
    pull = gradient(1 / (1 + np.square(steepness / edge)), steps=steps)
    free = steepness < 0.5 * edge

    def step(part: np.ndarray, box: Box) -> np.ndarray:
        moved = np.where(free[box], _grow(part), part)
        slopes = _slopes(moved)
        rim = slopes.any(axis=0)
        attraction = np.einsum("an,an->n", pull[(slice(None), *box)][:, rim], slopes[:, rim])
        moved[rim] = np.where(attraction == 0, moved[rim], attraction > 0)
        return moved

    return _move(start, step, iterations=iterations, smoothing=smoothing)[0]


def _move(
    start: np.ndarray, step: Callable[[np.ndarray, Box], np.ndarray], *, iterations: int, smoothing: int
) -> tuple[np.ndarray, np.ndarray]:
    """The mask once it rests or swings between two places, and the one before it.

    step   the moved part of a mask; what lies outside the box around the mask stays out
    """
    from isocenter.imaging.segment.contour_kernel import smooth_once

    last, inside, earlier, turn = start, start, start, False
    for round_ in range(iterations):
        box = _box_around(inside)
        part = step(inside[box], box)
        for _ in range(smoothing):
            part = smooth_once(part, inside_first=turn)
            turn = not turn
        earlier, last = last, inside
        inside = np.zeros_like(start)
        inside[box] = part
        rest = _REST * int(np.count_nonzero(part))
        if _changes(inside, last) <= rest or (round_ and _changes(inside, earlier) <= rest):
            break
    return inside, last


def _start(volume: Volume, places: list[Place], radius_mm: float | None, *, by_class: bool) -> np.ndarray:
    """Balls around the seeds, or one class of the blurred image: the brighter, or the first seed's."""
    array = gray_array(volume)
    steps = relative_steps(volume)
    if not places or (by_class and radius_mm is None):
        smooth = blur(array, sigma=_SIGMA, steps=steps)
        require_contrast(smooth, "active-contour")
        bright = np.asarray(smooth > otsu_limit(smooth))
        return ~bright if places and not bright[places[0]] else bright
    radius = _START_RADIUS if radius_mm is None else positive(radius_mm, "radius-mm") / finest_mm(volume)
    start = np.zeros(array.shape, dtype=np.bool_)
    for place in places:
        start |= ball_around(array.shape, place, radius, steps)
    return start


def _changes(one: np.ndarray, two: np.ndarray) -> int:
    """How many voxels two masks differ in."""
    return int(np.count_nonzero(one != two))


def _box_around(mask: np.ndarray) -> Box:
    """The box that holds a mask with room for two steps."""
    slices = []
    for axis in range(3):
        places = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        start, stop = (int(places[0]), int(places[-1]) + 1) if places.size else (0, 0)
        slices.append(slice(max(0, start - _ROOM), min(mask.shape[axis], stop + _ROOM)))
    return slices[0], slices[1], slices[2]


def _slopes(inside: np.ndarray) -> np.ndarray:
    """Twice the central difference of a mask along each axis, int8, (3, …); one-sided at the ends."""
    values = inside.view(np.int8)
    slopes = np.zeros((3, *inside.shape), dtype=np.int8)
    for axis, slope in enumerate(slopes):
        if inside.shape[axis] > 1:
            along, of = np.moveaxis(slope, axis, 0), np.moveaxis(values, axis, 0)
            along[1:-1] = of[2:] - of[:-2]
            along[0] = 2 * (of[1] - of[0])
            along[-1] = 2 * (of[-1] - of[-2])
    return slopes


def _grow(inside: np.ndarray) -> np.ndarray:
    """The mask and all neighbours by faces, edges and corners."""
    flat = np.stack([cv2.dilate(part, np.ones((3, 3), np.uint8)) for part in inside.view(np.uint8)])
    grown = flat.copy()
    grown[1:] |= flat[:-1]
    grown[:-1] |= flat[1:]
    return grown.astype(np.bool_)
