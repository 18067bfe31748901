"""Region growing from a click: limits from around the seed, the border at half the step, and a word on leaks."""

from dataclasses import replace
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.components import label_components
from isocenter.imaging.morphology import dilate, distance_mm
from isocenter.imaging.segment.inputs import (
    Place,
    Seeds,
    ball_around,
    gray_array,
    positive,
    relative_steps,
    require_contrast,
    seed_places,
)
from isocenter.imaging.segment.region import Region, grow_region, pieces_at
from isocenter.imaging.segment.threshold import otsu_limit
from isocenter.imaging.smooth import smooth_median, smooth_median_2d

# Standard deviations around the region's mean, and how often they are taken anew; ITK's ConfidenceConnected takes 2.5.
_DEVIATIONS: Final = 3.0
_ROUNDS: Final = 4
_SAMPLE_RADIUS: Final = 2.0
# Intensities this near to each other, of the image's spread, are one material however even the sample.
_LEAST_SPREAD: Final = 0.02
# How far from the region, in finest steps, its surroundings are looked at and its border may move.
_SHELL: Final = (2.0, 5.0)
_BORDER: Final = 3.0
_LEAST_SHELL: Final = 0.05
_SMALL_HOLE: Final = 8
# A region that fills this share of the image, or has this share of its voxels at the image's border, has leaked.
_MOST_FILL: Final = 0.5
_MOST_RIM: Final = 0.02


def region_growing(
    volume: Volume,
    *,
    seed: Seeds = (),
    low: float | None = None,
    high: float | None = None,
    neck_mm: float = 0.0,
    reach_mm: float | None = None,
) -> Region:
    """What hangs together with the seeds and looks like them.

    seed        (column, row, slice) each; without one, the middle of the largest bright piece
    low, high   limits of intensity, both included; where neither is given, each seed's own from its surroundings
    neck_mm     the region does not pass through gaps narrower than this
    reach_mm    nor farther than this from the nearest seed

    Raises InputError for a seed outside the image or its limits; UnknownSpacingError for unstated millimetres.
    Source: Adams R, Bischof L. IEEE PAMI 1994;16(6):641-647; limits as in Ibanez L, et al. The ITK Software Guide,
    ConfidenceConnected; the border at half the step and the guards are ours.
    """
    array = gray_array(volume)
    places = seed_places(volume, seed) or [_brightest_middle(volume, array)]
    if neck_mm or reach_mm is not None:
        steps = np.asarray(volume.grid.spacing_mm)
        positive(neck_mm, "neck-mm", zero=True)
    else:
        steps = relative_steps(volume)
    reach = np.inf if reach_mm is None else positive(reach_mm, "reach-mm")
    if low is None and high is None:
        region = _grow_by_itself(volume, places, (neck_mm, reach))
    else:
        limits = (-np.inf if low is None else low, np.inf if high is None else high)
        for k, j, i in places:
            if not limits[0] <= array[k, j, i] <= limits[1]:
                raise InputError(
                    f"--seed: expected an intensity from {limits[0]:g} to {limits[1]:g} at {i},{j},{k}, "
                    f"got {array[k, j, i]:g}; widen --low and --high"
                )
        region = grow_region(
            array, places, limits=limits, spacing_mm=[float(s) for s in steps], neck_mm=neck_mm, reach_mm=reach
        )
    return replace(region, notes=_leaks(region))


def _grow_by_itself(volume: Volume, places: list[Place], guards: tuple[float, float]) -> Region:
    """Each seed's region with limits of its own, all together."""
    array = gray_array(volume)
    smooth = smooth_median_2d(array) if volume.is_2d else smooth_median(array)
    low, high = (float(value) for value in np.percentile(smooth, (0.5, 99.5)))
    least = _LEAST_SPREAD * (high - low)
    mask = np.zeros(array.shape, dtype=np.bool_)
    stopped = False
    for place in places:
        # What the median wipes out, a thin vessel or a single voxel, is followed in the image itself.
        wiped = abs(float(smooth[place]) - float(array[place])) > 10 * least
        grown = _grow_one(volume, np.asarray(array, np.float32) if wiped else smooth, place, (least, *guards))
        mask |= grown.mask
        stopped |= grown.reached_limit
    return Region(mask, stopped)


def _grow_one(volume: Volume, smooth: np.ndarray, place: Place, guards: tuple[float, float, float]) -> Region:
    """Grow, learn the limits from what grew, grow again; then move the border to half the step."""
    least, neck_mm, reach_mm = guards
    steps = relative_steps(volume)
    spacing = volume.grid.spacing_mm if volume.grid.spacing_known else steps
    spacing_mm = [float(step) for step in spacing]
    limits = _limits(smooth, ball_around(smooth.shape, place, _SAMPLE_RADIUS, steps), place, least)
    region = grow_region(smooth, [place], limits=limits, spacing_mm=spacing_mm, neck_mm=neck_mm, reach_mm=reach_mm)
    for _ in range(_ROUNDS - 1):
        wider = _limits(smooth, region.mask, place, least)
        if np.allclose(wider, limits, rtol=1e-3, atol=1e-3 * least):
            break
        limits = wider
        region = grow_region(smooth, [place], limits=limits, spacing_mm=spacing_mm, neck_mm=neck_mm, reach_mm=reach_mm)
    return replace(region, mask=_to_half_step(smooth, region.mask, place, limits, steps))


def _limits(smooth: np.ndarray, where: np.ndarray, place: Place, least: float) -> tuple[float, float]:
    """Mean of a sample, and some deviations to each side; the seed itself always lies inside."""
    values = smooth[where].astype(np.float64)
    reach = max(_DEVIATIONS * float(values.std()), least)
    here = float(smooth[place])
    return min(float(values.mean()) - reach, here), max(float(values.mean()) + reach, here)


def _to_half_step(
    smooth: np.ndarray, mask: np.ndarray, place: Place, limits: tuple[float, float], steps: np.ndarray
) -> np.ndarray:
    """The region with its border where the intensity is half way to that of the surroundings."""
    units = [float(step) for step in steps]
    near, far = (dilate(mask, radius_mm=radius, spacing_mm=units) for radius in _SHELL)
    around = smooth[far & ~near]
    middle = float(np.median(smooth[mask]))
    low, high = limits
    below, above = around[around < low], around[around > high]
    enough = max(1.0, _LEAST_SHELL * around.size)
    if below.size >= enough:
        low = min(low, (middle + float(np.median(below))) / 2)
    if above.size >= enough:
        high = max(high, (middle + float(np.median(above))) / 2)
    room = dilate(mask, radius_mm=_BORDER, spacing_mm=units)
    return _without_pinholes(pieces_at((smooth >= low) & (smooth <= high) & room, [place]))


def _without_pinholes(mask: np.ndarray) -> np.ndarray:
    """The mask with the holes of a few voxels filled, which noise alone makes."""
    labels, count = label_components(~mask, connectivity=6)
    small = np.bincount(labels.reshape(-1), minlength=count + 1) <= _SMALL_HOLE
    small[0] = False
    return np.asarray(mask | small[labels])


def _brightest_middle(volume: Volume, array: np.ndarray) -> Place:
    """The voxel deepest inside the largest piece of the brighter of Otsu's classes."""
    require_contrast(array, "region-growing")
    smooth = smooth_median_2d(array) if volume.is_2d else smooth_median(array)
    require_contrast(smooth, "region-growing")
    labels, count = label_components(np.asarray(smooth > otsu_limit(smooth)), connectivity=6)
    sizes = np.bincount(labels.reshape(-1), minlength=count + 1)
    largest = labels == 1 + int(np.argmax(sizes[1:]))
    pads = [(1, 1) if size > 1 else (0, 0) for size in array.shape]
    depth = distance_mm(np.pad(largest, pads), spacing_mm=[float(step) for step in relative_steps(volume)])
    k, j, i = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return int(k) - pads[0][0], int(j) - pads[1][0], int(i) - pads[2][0]


def _leaks(region: Region) -> tuple[str, ...]:
    """One line where the region looks as if it had leaked."""
    mask = region.mask
    advice = "give --low and --high, --neck-mm or --reach-mm"
    if region.reached_limit:
        return ("region-growing: the reach ended it, not the intensities: it has leaked, or the thing is larger",)
    count = region.n_voxels
    inner = tuple(slice(1, -1) if size > 2 else slice(None) for size in mask.shape)
    at_rim = count - int(np.count_nonzero(mask[inner]))
    if count > _MOST_FILL * mask.size:
        return (f"region-growing: {100 * count / mask.size:.0f} % of the image grew: it has probably leaked; {advice}",)
    if count and at_rim > _MOST_RIM * count:
        return (f"region-growing: {at_rim} voxels lie at the image's border: it may have leaked; {advice}",)
    return ()
