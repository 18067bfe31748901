"""Region growing from a click: limits from around the seed, the border at half the step, and a word on leaks."""

from dataclasses import replace
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.components import label_components
from isocenter.imaging.morphology import dilate, distance_mm, erode
from isocenter.imaging.segment.gradients import gradient_magnitude
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
from isocenter.imaging.segment.necks import cut_at_necks
from isocenter.imaging.segment.region import Region, grow_region, pieces_at
from isocenter.imaging.segment.threshold import otsu_limit
from isocenter.imaging.smooth import smooth_median, smooth_median_2d

# Standard deviations around the region's mean, and how often they are taken anew; ITK's ConfidenceConnected takes 2.5.
_DEVIATIONS: Final = 3.0
_ROUNDS: Final = 4
_SAMPLE_RADIUS: Final = 2.0
# Of the image's range, what a sample may differ from its seed; of the noise, what the median may take from a seed.
_SAME: Final = 0.25
_WIPED: Final = 5.0
# Intensities this near to each other, of the image's spread, are one material however even the sample.
_LEAST_SPREAD: Final = 0.02
# How far from the region, in finest steps, its surroundings are looked at and its border may move.
_SHELL: Final = (2.0, 5.0)
_BORDER: Final = 3.0
_BORDER_ROUNDS: Final = 2
_LEAST_SHELL: Final = 0.05
_SMALL_HOLE: Final = 8
# The image itself, not its median, places the border where half the step is so many deviations of the noise; and the
# median of a Gaussian's absolute value in its deviations (a median of 27 leaves most of the noise in the difference).
_CLEAR: Final = 3.5
_QUARTILE: Final = 0.6745
# Deviation of the median of n Gaussian values, of theirs: sqrt(pi / 2n), of 27 in a stack and of 9 in one slice.
_MEDIAN_NOISE: Final = {False: 0.24, True: 0.42}
# Where a region leaks, it is cut where it is narrower than a share of the body around the seed: (how often the limits
# are taken anew, that share, the most that may be left for the cut to have been right). The limits of the seed's own
# surroundings, which are narrow, are for leaks that fill this share of the image. And the fewest voxels of a region.
_CUTS: Final = (
    (_ROUNDS, 0.3, 0.5),
    (_ROUNDS, 0.5, 0.4),
    (_ROUNDS, 0.7, 0.1),
    (1, 0.3, 0.3),
    (1, 0.5, 0.3),
    (1, 0.7, 0.1),
)
_SEVERE: Final = 0.1
# Narrow limits end a region amid its body where the image changes less at its border than this share of before.
_AS_CLEAR: Final = 0.7
_LEAST_KEPT: Final = 27
# A region that fills this share of the image, or has this share of its voxels at the image's border, has leaked.
_MOST_FILL: Final = 0.5
_MOST_RIM: Final = 0.02

# Least spread, neck and reach in mm, and the share of its depth at which a body is cut off.
Guards = tuple[float, float, float, float]
Walls = tuple[tuple[float, float], np.ndarray]


def region_growing(
    volume: Volume,
    *,
    seed: Seeds = (),
    low: float | None = None,
    high: float | None = None,
    neck_mm: float | None = None,
    reach_mm: float | None = None,
) -> Region:
    """What hangs together with the seeds and looks like them.

    seed        (column, row, slice) each; without one, the middle of the largest bright piece
    low, high   limits of intensity, both included; where neither is given, each seed's own from its surroundings
    neck_mm     the region does not pass through gaps narrower than this; where not given, and no limits either, gaps
                are closed only as far as a leak asks for
    reach_mm    nor farther than this from the nearest seed

    Raises InputError for a seed outside the image or its limits; UnknownSpacingError for unstated millimetres.
    Source: Adams R, Bischof L. IEEE PAMI 1994;16(6):641-647; limits as in Ibanez L, et al. The ITK Software Guide,
    ConfidenceConnected; the border at half the step and the guards are ours.
    """
    array = gray_array(volume)
    places = seed_places(volume, seed) or [_brightest_middle(volume, array)]
    spacing = _spacing(volume, stated=bool(neck_mm) or reach_mm is not None)
    reach = np.inf if reach_mm is None else positive(reach_mm, "reach-mm")
    neck = None if neck_mm is None else positive(neck_mm, "neck-mm", zero=True)
    if low is None and high is None:
        region = _grow_by_itself(volume, places, neck, reach)
    else:
        limits = (-np.inf if low is None else low, np.inf if high is None else high)
        for k, j, i in places:
            if not limits[0] <= array[k, j, i] <= limits[1]:
                raise InputError(
                    f"--seed: expected an intensity from {limits[0]:g} to {limits[1]:g} at {i},{j},{k}, "
                    f"got {array[k, j, i]:g}; widen --low and --high"
                )
        region = grow_region(array, places, limits=limits, spacing_mm=spacing, neck_mm=neck or 0.0, reach_mm=reach)
    return region if region.notes else replace(region, notes=_leaks(region))


def _spacing(volume: Volume, *, stated: bool) -> tuple[float, float, float]:
    """Millimetres where they are stated; ratios where they are not and need not be."""
    steps = volume.grid.spacing_mm if stated or volume.grid.spacing_known else relative_steps(volume)
    return float(steps[0]), float(steps[1]), float(steps[2])


def _grow_by_itself(volume: Volume, places: list[Place], neck: float | None, reach: float) -> Region:
    """Each seed's region with limits of its own, all together."""
    array = gray_array(volume)
    smooth = smooth_median_2d(array) if volume.is_2d else smooth_median(array)
    low, high = (float(value) for value in np.percentile(smooth, (0.5, 99.5)))
    least = _LEAST_SPREAD * (high - low)
    noise = float(np.median(np.abs(smooth - array))) / _QUARTILE
    # What few samples show of it may be too little, and noise then ends the growth at once.
    floor = max(least, _DEVIATIONS * noise * _MEDIAN_NOISE[volume.is_2d])
    mask = np.zeros(array.shape, dtype=np.bool_)
    stopped, notes = False, {}
    for place in places:
        # What the median wipes out, a thin vessel or a single voxel, is followed in the image itself.
        wiped = abs(float(smooth[place]) - float(array[place])) > _WIPED * noise + 10 * least
        values = np.asarray(array, np.float32) if wiped else smooth
        grown = _grow_one(volume, values, place, (floor, neck or 0.0, reach, 0.0))
        if neck is None and not grown.reached_limit and _leaks(grown):
            grown = _grow_guarded(volume, values, place, grown, floor)
        mask |= grown.mask
        stopped |= grown.reached_limit
        notes.update(dict.fromkeys(grown.notes))
    return Region(mask, stopped, tuple(notes))


def _grow_guarded(volume: Volume, values: np.ndarray, place: Place, leaked: Region, least: float) -> Region:
    """What is left when ever wider necks are cut and that cuts off most of it; what leaked where nothing does."""
    best = leaked
    relief = gradient_magnitude(np.asarray(gray_array(volume), np.float32), sigma=0.7, steps=relative_steps(volume))
    for rounds, share, left in _CUTS:
        if rounds == 1 and leaked.n_voxels < _SEVERE * values.size:
            break
        grown = _grow_one(volume, values, place, (least, 0.0, np.inf, share), rounds)
        is_right = _LEAST_KEPT <= grown.n_voxels < left * best.n_voxels
        if is_right and rounds == 1 and best is not leaked:
            is_right = _step_at_border(relief, grown.mask) > _AS_CLEAR * _step_at_border(relief, best.mask)
        if is_right:
            note = f"region-growing: it leaked, so necks below {share:.0%} of its depth were cut; see --neck-mm"
            best = replace(grown, notes=(note,))
            if not _leaks(grown):
                break
    return best


def _step_at_border(relief: np.ndarray, mask: np.ndarray) -> float:
    """How much the image changes at the border of a mask, where that is not the image's own."""
    inner = erode(np.pad(mask, 1, mode="edge"), radius_mm=1.0, spacing_mm=(1.0, 1.0, 1.0))[1:-1, 1:-1, 1:-1]
    border = mask & ~inner
    return float(relief[border].mean()) if border.any() else 0.0


def _grow_one(volume: Volume, smooth: np.ndarray, place: Place, guards: Guards, rounds: int = _ROUNDS) -> Region:
    """Grow, learn the limits from what grew, grow again; then move the border to half the step, unless it was cut."""
    least, neck_mm, reach_mm, share = guards
    sharp = np.asarray(gray_array(volume), dtype=np.float32)
    steps = relative_steps(volume)
    spacing_mm = _spacing(volume, stated=False)
    near = ball_around(smooth.shape, place, _SAMPLE_RADIUS, steps)
    near &= np.abs(smooth - smooth[place]) <= _SAME * (float(smooth.max()) - float(smooth.min()))
    limits = _limits(smooth, near, place, least)

    def grow(between: tuple[float, float]) -> Region:
        whole = grow_region(smooth, [place], limits=between, spacing_mm=spacing_mm, neck_mm=neck_mm, reach_mm=reach_mm)
        if not share:
            return whole
        return replace(
            whole, mask=cut_at_necks(_without_pinholes(whole.mask), place, share=share, spacing_mm=spacing_mm)
        )

    region = grow(limits)
    for _ in range(rounds - 1):
        wider = _limits(smooth, region.mask, place, least)
        if np.allclose(wider, limits, rtol=1e-3, atol=1e-3 * least):
            break
        grown = grow(wider)
        if _leaks(grown) and not _leaks(region):
            break
        limits, region = wider, grown
    mask = region.mask
    for _ in range(0 if share else _BORDER_ROUNDS):
        mask = _to_half_step((sharp, smooth), mask, place, (limits, steps)) | region.mask
    return replace(region, mask=mask)


def _limits(smooth: np.ndarray, where: np.ndarray, place: Place, least: float) -> tuple[float, float]:
    """Mean of a sample, and some deviations to each side; the seed itself always lies inside."""
    values = smooth[where].astype(np.float64)
    reach = max(_DEVIATIONS * float(values.std()), least)
    here = float(smooth[place])
    return min(float(values.mean()) - reach, here), max(float(values.mean()) + reach, here)


def _to_half_step(images: tuple[np.ndarray, np.ndarray], mask: np.ndarray, place: Place, walls: Walls) -> np.ndarray:
    """The region with its border where the intensity is half way to that of the surroundings.

    images   the image and its median; where noise is small beside the step, the sharper image decides
    walls    limits that the region grew in, and the relative steps
    """
    (sharp, smooth), ((low, high), steps) = images, walls
    units = [float(step) for step in steps]
    near, far = (dilate(mask, radius_mm=radius, spacing_mm=units) for radius in _SHELL)
    around = smooth[far & ~near]
    middle = float(np.median(smooth[mask]))
    noise = float(np.median(np.abs(sharp[mask] - smooth[mask]))) / _QUARTILE
    below, above = around[around < low], around[around > high]
    enough = max(1.0, _LEAST_SHELL * around.size)
    clear = True
    if below.size >= enough:
        low = min(low, (middle + float(np.median(below))) / 2)
        clear &= middle - low > _CLEAR * noise
    if above.size >= enough:
        high = max(high, (middle + float(np.median(above))) / 2)
        clear &= high - middle > _CLEAR * noise
    room = dilate(mask, radius_mm=_BORDER, spacing_mm=units)
    values = sharp if clear else smooth
    if clear:  # its noise is wider than that of the median, from which the limits are
        low, high = min(low, middle - _CLEAR * noise), max(high, middle + _CLEAR * noise)
    return _without_pinholes(pieces_at((values >= low) & (values <= high) & room, [place]))


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
    smooth = smooth if smooth.min() < smooth.max() else array
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
