"""What surely belongs to the things and what surely does not: seeds for watershed, random walker and graph cut."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.morphology import distance_mm
from isocenter.imaging.segment.gradients import blur
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
from isocenter.imaging.segment.surroundings import amid_its_like
from isocenter.imaging.segment.threshold import otsu_limit

# Of the way from a class to the limit between the two: what is nearer to the class is sure.
_SURE: Final = 0.5
# A voxel is surely something else when it differs from a seed by this share of the widest difference in the image.
_OTHER: Final = 0.7
# A voxel is like a seed when it differs from it by less than this share of that widest difference.
_ALIKE: Final = 0.35
# The ball around a seed that is surely of its thing: this share of the way to the nearest voxel unlike it, or to
# another seed; at least so many finest steps.
_SURE_SHARE: Final = 0.7
_SEED_RADIUS: Final = 1.5
_SIGMA: Final = 1.0
# How far from the undecided the background is looked at for its intensities, in finest steps.
_RING: Final = 4.0


def class_markers(volume: Volume) -> np.ndarray:
    """1 where a voxel is surely of the bright of Otsu's two classes, 2 where surely of the dark one, 0 between, int32.

    Raises InputError for a constant image.
    Source: Otsu N. IEEE Trans Syst Man Cybern 1979;9(1):62-66 for the classes; sure is half the way to the limit.
    """
    array = gray_array(volume)
    require_contrast(array, "markers")
    smooth = blur(array, sigma=_SIGMA, steps=relative_steps(volume))
    require_contrast(smooth, "markers")
    limit = otsu_limit(smooth)
    bright, dark = two_means(smooth, limit)
    markers = np.zeros(array.shape, dtype=np.int32)
    markers[smooth > limit + _SURE * (bright - limit)] = 1
    markers[smooth < limit - _SURE * (limit - dark)] = 2
    return markers


def two_means(array: np.ndarray, limit: float) -> tuple[float, float]:
    """Mean intensity above a limit and at most at it; the limit itself where a class is empty."""
    above = array > limit
    count = int(np.count_nonzero(above))
    total = float(array.sum(dtype=np.float64))
    inside = float(array.sum(where=above, dtype=np.float64))
    bright = inside / count if count else limit
    dark = (total - inside) / (array.size - count) if count < array.size else limit
    return bright, dark


def seed_markers(
    volume: Volume, seeds: Seeds, *, background: Seeds = (), reach_mm: float | None = None
) -> tuple[np.ndarray, int]:
    """1 … n around n seeds, n + 1 in what is surely none of them, 0 between (int32); and n.

    seeds        (column, row, slice) each; so is background
    background   where none is given: what looks nothing like a seed, and what lies beyond the reach
    reach_mm     how far from the nearest seed a thing may lie

    Raises InputError where no background can be told; UnknownSpacingError for a reach on an image without millimetres.
    """
    array = gray_array(volume)
    steps = relative_steps(volume)
    places = seed_places(volume, seeds)
    markers = np.zeros(array.shape, dtype=np.int32)
    other = len(places) + 1
    if reach_mm is not None:
        reach = positive(reach_mm, "reach-mm") / finest_mm(volume)
        near = np.zeros(array.shape, dtype=np.bool_)
        for place in places:
            near |= ball_around(array.shape, place, reach, steps)
        markers[~near] = other
    smooth = blur(array, sigma=_SIGMA, steps=steps)
    is_amid = False
    if not background:
        markers[_unlike_all(smooth, places)] = other
        around = amid_its_like(volume, places)
        markers[around > 0] = around[around > 0]
        # Amid its like, what differs little from the seed may be something else.
        is_amid = bool((around == other).any())
    for place in seed_places(volume, background):
        markers[ball_around(array.shape, place, _SEED_RADIUS, steps)] = other
    for number, place in enumerate(places, 1):
        others = [p for p in places if p != place]
        radius = _SEED_RADIUS if is_amid else _sure_radius(smooth, place, others, steps)
        alike = np.abs(array - float(array[place])) < _ALIKE * _widest(smooth, place)
        markers[ball_around(array.shape, place, radius, steps) & (markers == 0) & alike] = number
    for number, place in enumerate(places, 1):
        markers[place] = number
    if not (markers == other).any():
        raise InputError("--background: expected places outside the things, found none by itself; give I,J,K")
    return markers, len(places)


def undecided_box(markers: np.ndarray, count: int) -> tuple[slice, slice, slice]:
    """The box that holds all that is not background by the markers, with two voxels of background around it.

    count   the highest label of a thing; above it is background
    """
    slices = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        places = np.flatnonzero((markers <= count).any(axis=others))
        start, stop = (int(places[0]), int(places[-1]) + 1) if places.size else (0, markers.shape[axis])
        slices.append(slice(max(0, start - 2), stop + 2))
    return slices[0], slices[1], slices[2]


def beside(markers: np.ndarray, count: int, steps: np.ndarray) -> np.ndarray:
    """The background near what is not background, all of it where little is near, bool.

    count   the highest label of a thing; above it is background
    """
    outside = markers > count
    near = outside & (distance_mm(outside, spacing_mm=[float(step) for step in steps]) <= _RING)
    return near if near.any() else np.asarray(outside)


def _unlike_all(smooth: np.ndarray, places: Sequence[Place]) -> np.ndarray:
    """Which voxels differ from every seed by most of the widest difference there is to it."""
    unlike = np.ones(smooth.shape, dtype=np.bool_)
    if smooth.min() == smooth.max():
        return ~unlike
    limit = otsu_limit(smooth)
    bright, dark = two_means(smooth, limit)
    for place in places:
        here = float(smooth[place])
        unlike &= np.abs(smooth - here) > _OTHER * _widest(smooth, place)
        # The seed may lie on a peak of its thing: what is not surely of the other class may belong to it.
        unlike &= smooth < limit - _SURE * (limit - dark) if here > limit else smooth > limit + _SURE * (bright - limit)
    return unlike


def _widest(smooth: np.ndarray, place: Place) -> float:
    """How far the intensity of a place lies from the mean of the one of Otsu's classes that it does not belong to."""
    if smooth.min() == smooth.max():
        return float("inf")
    bright, dark = two_means(smooth, otsu_limit(smooth))
    return max(abs(float(smooth[place]) - bright), abs(float(smooth[place]) - dark))


def _sure_radius(smooth: np.ndarray, place: Place, others: Sequence[Place], steps: np.ndarray) -> float:
    """The radius of the ball around a seed that surely belongs to its thing, in finest steps."""
    nearest = min((float(np.linalg.norm((np.array(p) - place) * steps)) for p in others), default=np.inf)
    if smooth.min() < smooth.max():
        unlike = np.argwhere(np.abs(smooth - smooth[place]) > _ALIKE * _widest(smooth, place))
        if len(unlike):
            nearest = min(nearest, float(np.sqrt(np.square((unlike - place) * steps).sum(axis=1).min())))
    return max(_SEED_RADIUS, _SURE_SHARE * nearest) if np.isfinite(nearest) else _SEED_RADIUS
