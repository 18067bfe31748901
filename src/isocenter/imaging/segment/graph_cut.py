"""Graph cut: the two-part labelling of least cost, in intensities and in border, exactly."""

from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.segment.gradients import blur
from isocenter.imaging.segment.inputs import (
    Place,
    Seeds,
    gray_array,
    positive,
    relative_steps,
    require_contrast,
    seed_places,
)
from isocenter.imaging.segment.markers import beside, class_markers, seed_markers, undecided_box
from isocenter.imaging.segment.region import pieces_at

# Capacities are whole numbers: a cost of 1 is this many.
_SCALE: Final = 256
_SURE: Final = 2**20
# Costs of intensities stay below this, so that no voxel outweighs its surroundings.
_MOST_COST: Final = 16.0
_BINS: Final = 128
_ROUNDS: Final = 3
# This share of the voxels of either side may have any intensity.
_STRAY: Final = 0.05


def graph_cut(
    volume: Volume,
    *,
    seed: Seeds = (),
    background: Seeds = (),
    reach_mm: float | None = None,
    smoothness: float = 4.0,
) -> np.ndarray:
    """The thing whose intensities and border together cost least, bool.

    seed         (column, row, slice) inside, all of one thing; without one: the brighter of Otsu's classes
    background   places outside; found by the image where none is given
    reach_mm     how far from the nearest seed the thing may lie
    smoothness   what a face of the border costs where the image is flat, in natural logarithms of odds

    The intensities of the two sides are learnt from the seeds and again from the cut.
    Raises InputError for a constant image.
    Source: Boykov Y, Jolly MP. ICCV 2001;1:105-112. Rother C, et al. GrabCut. ACM TOG 2004;23(3):309-314.
    """
    array = gray_array(volume)
    require_contrast(array, "graph-cut")
    positive(smoothness, "smoothness", zero=True)
    steps = relative_steps(volume)
    markers, count = (
        seed_markers(volume, seed, background=background, reach_mm=reach_mm) if seed else (class_markers(volume), 1)
    )
    box = undecided_box(markers, count) if seed else (slice(None),) * 3
    start = tuple(part.start or 0 for part in box)
    places = [(k - start[0], j - start[1], i - start[2]) for k, j, i in seed_places(volume, seed)]
    inside = np.zeros(array.shape, dtype=np.bool_)
    costs = border_costs(array[box], smoothness=smoothness, steps=steps)
    guess = markers_to_guess(markers[box], count, array[box], steps)
    inside[box] = _learn_and_cut(
        _binned(array)[box], costs, guess, _hard(markers[box], count) if seed else None, places
    )
    return inside


def _hard(markers: np.ndarray, count: int) -> np.ndarray:
    """1 for all things, 2 for background, 0 for what is free."""
    return np.where(markers > count, 2, np.minimum(markers, 1))


def _learn_and_cut(
    bins: np.ndarray, costs: list[np.ndarray], guess: np.ndarray, hard: np.ndarray | None, places: list[Place]
) -> np.ndarray:
    """The cut, its histograms learnt from a guess and then from itself; with places, only pieces that hold one."""
    inside = guess
    for _ in range(_ROUNDS):
        found = cut(_log_odds(bins, inside), costs, hard=hard)
        if places:
            found = pieces_at(found, places)
        if np.array_equal(found, inside) or not found.any() or found.all():
            return found
        inside = found
    return inside


def markers_to_guess(markers: np.ndarray, count: int, array: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Where the intensities are nearer to those of the things' markers than to those of the background's, bool."""
    thing = (markers > 0) & (markers <= count)
    smooth = blur(array, sigma=1.0, steps=steps)
    if not thing.any() or not (markers > count).any():
        raise InputError("graph-cut: expected sure places inside and outside, found one kind only; give --seed")
    within = np.sort(smooth[thing])[[0, -1]]
    middle, beyond = float(smooth[thing].mean()), float(smooth[beside(markers, count, steps)].mean())
    limit = (middle + beyond) / 2
    nearer = smooth > limit if middle > beyond else smooth < limit
    close = np.abs(smooth - middle) <= max(abs(middle - beyond) / 2, float(within[1] - within[0]))
    return np.asarray((nearer & close & (markers <= count)) | thing)


def border_costs(array: np.ndarray, *, smoothness: float, steps: np.ndarray) -> list[np.ndarray]:
    """What it costs to part each voxel from the next along each axis, float32; 0 from the last voxel.

    Source: Boykov Y, Jolly MP. ICCV 2001, equation 3; the contrast is taken relative to the mean square of all
    differences (Rother 2004, equation 5), and a face counts by its area.
    """
    values = np.asarray(array, dtype=np.float32)
    many = [axis for axis in range(3) if array.shape[axis] > 1]
    jumps = {axis: np.square(np.diff(values, axis=axis)) for axis in many}
    mean = sum(float(jump.sum(dtype=np.float64)) for jump in jumps.values()) / sum(jump.size for jump in jumps.values())
    costs = []
    for axis in range(3):
        cost = np.zeros(array.shape, dtype=np.float32)
        if axis in many:
            front = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
            area = float(np.prod([steps[a] for a in many if a != axis])) / float(np.prod(steps[many])) ** (2 / 3)
            cost[front] = smoothness * area * np.exp(-jumps[axis] / np.float32(2 * max(mean, 1e-30)))
        costs.append(cost)
    return costs


def cut(odds: np.ndarray, costs: list[np.ndarray], *, hard: np.ndarray | None = None) -> np.ndarray:
    """The inside of the labelling with the least sum of border costs and odds against it, bool.

    odds    natural logarithm of inside against outside for each voxel
    costs   of parting a voxel from the next along each axis, as `border_costs` gives them
    hard    1 must be inside, 2 outside, 0 is free
    """
    from isocenter.imaging.segment.max_flow import cut_grid

    shape = tuple(n + 2 for n in odds.shape)
    inner = (slice(1, -1),) * 3
    ends = np.zeros(shape, dtype=np.int32)
    ends[inner] = np.rint(np.clip(odds, -_MOST_COST, _MOST_COST) * _SCALE)
    if hard is not None:
        ends[inner][hard == 1] = _SURE
        ends[inner][hard == 2] = -_SURE
    flow = np.zeros((*shape, 6), dtype=np.int32)
    for axis, cost in enumerate(costs):
        whole = np.rint(cost * _SCALE).astype(np.int32)
        flow[(*inner, 2 * axis)] = whole
        flow[(*inner, 2 * axis + 1)] = np.roll(whole, 1, axis=axis)
    plane, row = shape[1] * shape[2], shape[2]
    offsets = np.array((plane, -plane, row, -row, 1, -1), dtype=np.int64)
    return np.asarray(cut_grid(flow.reshape(-1, 6), ends.reshape(-1), offsets).reshape(shape)[inner])


def _binned(array: np.ndarray) -> np.ndarray:
    """The intensities in equal bins between the 0.1st and the 99.9th percentile."""
    sample = array.reshape(-1)[:: max(1, array.size // 10**6)]
    low, high = (float(value) for value in np.percentile(sample, (0.1, 99.9)))
    if high <= low:
        low, high = float(array.min()), float(array.max())
    scaled = (np.asarray(array, dtype=np.float32) - low) * np.float32(_BINS / (high - low))
    return np.asarray(np.clip(scaled, 0, _BINS - 1), dtype=np.int32)


def _log_odds(bins: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The logarithm of how much more often each voxel's intensity occurs inside than outside, float32."""
    from scipy.ndimage import gaussian_filter1d

    shares = []
    for side in (inside, ~inside):
        counts = np.bincount(bins[side], minlength=_BINS).astype(np.float64)
        # A few voxels tell little: their histogram is smoothed more.
        width = max(1.5, 12.0 / max(counts.sum(), 1.0) ** 0.2)
        smooth = gaussian_filter1d(counts, width, mode="nearest")
        shares.append((1 - _STRAY) * smooth / max(float(smooth.sum()), 1e-12) + _STRAY / _BINS)
    return np.asarray(np.log(shares[0] / shares[1]).astype(np.float32)[bins])
