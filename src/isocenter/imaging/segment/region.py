"""Region growing in three dimensions, with guards against leaking through thin gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.components import label_components
from isocenter.imaging.morphology import dilate, erode


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What grew from the seeds.

    mask           bool, the array's shape
    reached_limit  whether the reach in millimetres, rather than the intensities, ended it somewhere: a leak is likely
    notes          a line for the user where it looks as if it had leaked
    """

    mask: np.ndarray = field(repr=False)
    reached_limit: bool
    notes: tuple[str, ...] = ()

    @property
    def n_voxels(self) -> int:
        """How many voxels grew."""
        return int(np.count_nonzero(self.mask))


def grow_region(
    array: np.ndarray,
    seeds: Sequence[Sequence[int]],
    *,
    limits: tuple[float, float],
    spacing_mm: Sequence[float],
    neck_mm: float = 0.0,
    reach_mm: float = np.inf,
) -> Region:
    """All voxels within limits that hang together with a seed.

    seeds      (k, j, i) each; one whose intensity lies outside the limits grows nothing
    limits     smallest and largest intensity, both included
    neck_mm    the region does not pass through gaps narrower than this
    reach_mm   nor farther than this from the nearest seed

    Source: Adams R, Bischof L. IEEE PAMI 1994;16(6):641-647 for growing from seeds; the guards are ours.
    """
    places = _check_seeds(array, seeds)
    low, high = limits
    candidates = np.asarray((array >= low) & (array <= high))
    near = _within_reach(array.shape, places, spacing_mm, reach_mm)
    inside = candidates if near is None else candidates & near
    grown = pieces_at(inside, places) if neck_mm <= 0 else _through_wide_gaps(inside, places, neck_mm, spacing_mm)
    stopped = near is not None and bool((_touching(grown) & candidates & ~near).any())
    return Region(grown, stopped)


def confidence_limits(
    array: np.ndarray, seeds: Sequence[Sequence[int]], *, radius_voxels: int = 1, n_deviations: float = 2.5
) -> tuple[float, float]:
    """Intensity limits from the surroundings of the seeds: their mean, and some standard deviations to each side."""
    values = []
    for k, j, i in _check_seeds(array, seeds):
        box = tuple(slice(max(0, p - radius_voxels), p + radius_voxels + 1) for p in (k, j, i))
        values.append(array[box].ravel())
    sample = np.concatenate(values).astype(np.float64)
    spread = n_deviations * float(sample.std())
    return float(sample.mean()) - spread, float(sample.mean()) + spread


def _through_wide_gaps(
    inside: np.ndarray, places: list[tuple[int, int, int]], neck_mm: float, spacing_mm: Sequence[float]
) -> np.ndarray:
    """Grow where a ball as wide as the neck fits, then fill up to the region's own border again."""
    # Out of a square corner the core lies the square root of three radii away.
    back_mm = neck_mm / 2 * 1.75
    core = erode(inside, radius_mm=neck_mm / 2, spacing_mm=spacing_mm)
    # A seed near the border lies in no core: it starts from the core beside it.
    start = np.zeros_like(inside)
    for place in places:
        start[place] = inside[place]
    beside = dilate(start, radius_mm=back_mm, spacing_mm=spacing_mm) & core
    begins = [(int(k), int(j), int(i)) for k, j, i in np.argwhere(beside)]
    if not begins:
        return pieces_at(inside & dilate(start, radius_mm=back_mm, spacing_mm=spacing_mm), places)
    grown = pieces_at(core, begins)
    filled = dilate(grown, radius_mm=back_mm, spacing_mm=spacing_mm) & inside
    return np.asarray(filled | start)


def pieces_at(mask: np.ndarray, places: Sequence[tuple[int, int, int]]) -> np.ndarray:
    """The pieces of a mask, joined by faces, that hold one of the places (k, j, i), bool."""
    labels, count = label_components(mask, connectivity=6)
    keep = np.zeros(count + 1, dtype=np.bool_)
    keep[[int(labels[place]) for place in places]] = True
    keep[0] = False
    return np.asarray(keep[labels])


def _within_reach(
    shape: tuple[int, ...], places: list[tuple[int, int, int]], spacing_mm: Sequence[float], reach_mm: float
) -> np.ndarray | None:
    if not np.isfinite(reach_mm):
        return None
    near = np.zeros(shape, dtype=np.bool_)
    axes = [np.arange(size) for size in shape]
    for place in places:
        squares = [((axis - p) * step) ** 2 for axis, p, step in zip(axes, place, spacing_mm, strict=True)]
        near |= squares[0][:, None, None] + squares[1][:, None] + squares[2] <= reach_mm**2
    return near


def _touching(mask: np.ndarray) -> np.ndarray:
    """The voxels that share a face with the mask, and the mask itself."""
    return dilate(mask, radius_mm=1.0, spacing_mm=(1.0, 1.0, 1.0))


def _check_seeds(array: np.ndarray, seeds: Sequence[Sequence[int]]) -> list[tuple[int, int, int]]:
    if array.ndim != 3 or not len(seeds):
        raise InputError(f"region: expected three axes and a seed, got shape {array.shape} and {len(seeds)} seeds")
    places = []
    for seed in seeds:
        k, j, i = (int(value) for value in seed)
        if not all(0 <= p < size for p, size in zip((k, j, i), array.shape, strict=True)):
            raise InputError(f"seed: expected (slice, row, column) inside {array.shape}, got {tuple(seed)}")
        places.append((k, j, i))
    return places
