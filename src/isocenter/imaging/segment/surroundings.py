"""What lies around the thing that was clicked on, where all around it looks alike: an organ amid the body."""

from typing import Final

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.components import label_components
from isocenter.imaging.morphology import distance_mm
from isocenter.imaging.segment.gradients import blur
from isocenter.imaging.segment.inputs import Place, gray_array, relative_steps
from isocenter.imaging.segment.region_growing import region_growing
from isocenter.imaging.segment.threshold import otsu_limit

# A region that fills less than this share of its piece of Otsu's class is a thing amid others like it.
_AMID: Final = 0.5
# What lies farther from it than this share of its depth, or so many finest steps, is surely around it.
_SHARE: Final = 0.3
_LEAST_STEPS: Final = 2.0
# What lies deeper inside than this share is surely of it.
_CORE: Final = 0.5
_LEAST_VOXELS: Final = 27
# Larger volumes are looked at on a coarser grid.
_MOST_VOXELS: Final = 2_000_000


def amid_its_like(volume: Volume, places: list[Place]) -> np.ndarray:
    """0 where it is open, 1 … n in the cores of the things at n places, n + 1 clearly beyond all of them, int32.

    places   (k, j, i) each

    All 0 where a thing fills most of its class, so that intensities alone tell it from the rest. The things are the
    regions of `region_growing`; volumes of more than two million voxels are looked at on a grid of block means.
    """
    factors = coarse_factors(volume, most=_MOST_VOXELS)
    k, j, i = factors
    found = _cores_and_beyond(block_means(volume, factors), [(p // k, q // j, r // i) for p, q, r in places])
    return spread_blocks(found, factors, volume.grid.shape)


def _cores_and_beyond(volume: Volume, places: list[Place]) -> np.ndarray:
    array, steps = gray_array(volume), relative_steps(volume)
    found = np.zeros(array.shape, dtype=np.int32)
    smooth = blur(array, sigma=1.0, steps=steps)
    if smooth.min() == smooth.max():
        return found
    bright = np.asarray(smooth > otsu_limit(smooth))
    units = [float(step) for step in steps]
    beyond = ~found.astype(np.bool_)
    for number, place in enumerate(places, 1):
        labels, _ = label_components(bright if bright[place] else ~bright, connectivity=6)
        region = region_growing(volume, seed=(place[::-1],))
        grown, count = region.mask, region.n_voxels
        if count < _LEAST_VOXELS:
            return np.zeros_like(found)
        if count >= _AMID * int(np.count_nonzero(labels == labels[place])):
            if region.notes:
                return np.zeros_like(found)
            beyond[:] = False
        inner = distance_mm(grown, spacing_mm=units)
        depth = float(inner.max())
        beyond &= distance_mm(~grown, spacing_mm=units) > max(_LEAST_STEPS, _SHARE * depth)
        if not any(grown[other] for other in places if other != place):
            found[inner > max(_LEAST_STEPS, _CORE * depth)] = number
    found[beyond] = len(places) + 1
    return found


def coarse_factors(volume: Volume, *, most: int) -> tuple[int, int, int]:
    """How many voxels along (slices, rows, columns) make a block, of even sides, so that there are at most so many.

    >>> coarse_factors(Volume(np.zeros((40, 90, 90)), Grid.of_spacing((40, 90, 90), (2.0, 1.0, 1.0))), most=90_000)
    (1, 2, 2)
    """
    steps, side = relative_steps(volume), 1
    shape = np.array(volume.grid.shape)
    while True:
        factors = np.minimum(np.maximum(1, np.floor(side / steps)), shape).astype(int)
        if np.prod(-(-shape // factors)) <= most:
            return int(factors[0]), int(factors[1]), int(factors[2])
        side += 1


def block_means(volume: Volume, factors: tuple[int, int, int]) -> Volume:
    """The volume on a grid of blocks, float32; the last blocks along an axis may be narrower."""
    if factors == (1, 1, 1):
        return volume
    array = np.asarray(gray_array(volume))
    for axis, factor in enumerate(factors):
        starts = np.arange(0, array.shape[axis], factor)
        count = np.minimum(factor, array.shape[axis] - starts).astype(np.float32)
        sums = np.add.reduceat(array, starts, axis=axis, dtype=np.float32)
        array = sums / count.reshape([-1 if a == axis else 1 for a in range(3)])
    k_mm, j_mm, i_mm = (float(step) for step in volume.grid.spacing_mm * factors)
    is_known = volume.grid.spacing_known
    grid = Grid.of_spacing(array.shape, (k_mm, j_mm, i_mm)) if is_known else Grid.of_pixels(array.shape)
    return Volume(array, grid)


def spread_blocks(blocks: np.ndarray, factors: tuple[int, int, int], shape: tuple[int, ...]) -> np.ndarray:
    """The value of its block in every voxel."""
    for axis, factor in enumerate(factors):
        if factor > 1:
            blocks = np.repeat(blocks, factor, axis=axis)
    return np.ascontiguousarray(blocks[tuple(slice(0, size) for size in shape)])
