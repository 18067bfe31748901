"""One image at several resolutions, and the samples of it that a search looks at."""

from dataclasses import dataclass, field

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.smooth import smooth_gaussian

# Percentiles between which intensities count; beyond them they are clipped, so that a few bright voxels do not rule.
_LOW, _HIGH = 0.2, 99.8
# At most so many voxels are looked at for percentiles.
_PROBE = 200_000
# Share of the range within which values count as one.
_EVEN = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """An array and where its voxels lie.

    array    (slices, rows, columns), float32, clipped to the range that counts
    affine   (4, 4); index (k, j, i, 1) -> LPS mm
    range    (lowest, highest) intensity that counts
    """

    array: np.ndarray = field(repr=False)
    affine: np.ndarray
    range: tuple[float, float]

    @property
    def spacing_mm(self) -> np.ndarray:
        """Along (k, j, i)."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    @property
    def centre_mm(self) -> np.ndarray:
        """The middle of the grid, (3,) LPS."""
        return np.asarray(self.affine[:3, :3] @ ((np.array(self.array.shape) - 1) / 2) + self.affine[:3, 3])


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Voxels of a fixed image that a search compares.

    index     (n, 3) float32, k j i
    values    (n,) float32
    weights   (n,) float32
    """

    index: np.ndarray = field(repr=False)
    values: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)


def finest_level(volume: Volume) -> Level:
    """The whole image as a level: float32, clipped; colour becomes luma; what is not finite becomes the lowest value.

    Raises InputError for an image of one value.
    """
    array = np.asarray(volume.array, dtype=np.float32)
    if volume.is_colour:
        array = array @ np.array((0.299, 0.587, 0.114), dtype=np.float32)
    step = max(1, array.size // _PROBE)
    # An odd step that is no whole number of rows sees all columns.
    probe = array.ravel()[:: step + (1 - step % 2)]
    finite = probe[np.isfinite(probe)]
    if finite.size == 0:
        raise InputError("registration: expected finite voxels, got none; check the image")
    low, high = (float(v) for v in np.percentile(finite, (_LOW, _HIGH)))
    if not high > low:
        low, high = float(finite.min()), float(finite.max())
    if not high > low:
        raise InputError("registration: expected an image with contrast, got one value everywhere; check the image")
    if not np.isfinite(array).all():
        array = np.nan_to_num(array, nan=low, posinf=high, neginf=low)
    return Level(np.clip(array, low, high), np.asarray(volume.grid.affine), (low, high))


def coarser_level(level: Level, target_mm: float) -> Level:
    """The level with voxels of about so many millimetres; axes that are coarser already stay as they are."""
    from isocenter.imaging.register.level_kernels import shrink_mean

    wanted = np.floor(target_mm / level.spacing_mm + 0.3)
    factors = np.clip(wanted, 1, np.maximum(1, np.array(level.array.shape) // 4)).astype(np.int64)
    if (factors == 1).all():
        return level
    array = shrink_mean(np.ascontiguousarray(level.array), factors)
    affine = level.affine.copy()
    affine[:3, 3] += level.affine[:3, :3] @ ((factors - 1) / 2)
    affine[:3, :3] = level.affine[:3, :3] * factors
    return Level(array, affine, level.range)


def smoother_level(level: Level, sigma_mm: float) -> Level:
    """The level blurred by a Gaussian."""
    array = smooth_gaussian(level.array, sigma_mm=sigma_mm, spacing_mm=level.spacing_mm.tolist())
    return Level(array, level.affine, level.range)


def take_samples(level: Level, chosen: np.ndarray | None, *, n_most: int, seed: int = 0) -> Samples:
    """At most so many of the chosen voxels, spread evenly over them by stratified draws.

    chosen   bool, the level's shape; None for all
    """
    flat = None if chosen is None else np.flatnonzero(chosen)
    n_all = level.array.size if flat is None else flat.size
    picks = np.arange(n_all)
    if n_all > n_most:
        edges = np.linspace(0, n_all, n_most + 1)
        draws = np.random.default_rng(seed).random(n_most)
        picks = (edges[:-1] + draws * np.diff(edges)).astype(np.int64)
    if flat is not None:
        picks = flat[picks]
    index = np.stack(np.unravel_index(picks, level.array.shape), axis=1).astype(np.float32)
    return Samples(index, level.array.ravel()[picks], np.ones(picks.size, dtype=np.float32))


def is_even(level: Level, region: np.ndarray) -> bool:
    """Whether a region (bool, the level's shape) has one value all over, but for a thousandth of the image's range."""
    values = level.array[region]
    return bool(values.size and np.ptp(values) <= _EVEN * (level.range[1] - level.range[0]))


def foreground(level: Level) -> np.ndarray:
    """Which voxels are brighter than the ground, bool: Otsu's threshold, halved towards the darkest value.

    Source: Otsu N. IEEE Trans Syst Man Cybern 1979;9(1):62-66.
    """
    low, high = level.range
    counts, edges = np.histogram(level.array, bins=128, range=(low, high))
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.cumsum(counts)[:-1]
    above = below[-1] + counts[-1] - below
    sums = np.cumsum(counts * middle)
    mean_below = sums[:-1] / np.maximum(below, 1)
    mean_above = (sums[-1] - sums[:-1]) / np.maximum(above, 1)
    best = int(np.argmax(below * above * (mean_above - mean_below) ** 2))
    threshold = (edges[best + 1] + mean_below[best]) / 2
    return np.asarray(level.array > threshold)
