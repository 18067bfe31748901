"""The values inside a mask, and how far they move with its boundary."""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask
from isocenter.imaging.features.layers import grow_by_voxel, shrink_by_voxel

PERCENTILES = (10, 90)


@dataclass(frozen=True, slots=True)
class ValueStatistics:
    """What the voxels of a mask hold, in the image's unit.

    sd       with N in the denominator
    p10      10th percentile, by linear interpolation; p90 likewise
    """

    mean: float
    sd: float
    min: float
    max: float
    median: float
    p10: float
    p90: float


def describe_values(array: np.ndarray, mask: Mask) -> ValueStatistics:
    """Mean, standard deviation, extremes, median and percentiles of the voxels inside a mask.

    array   gray, on the mask's grid

    Raises InputError for an empty mask, colour, or values that are not finite.
    """
    if array.shape != mask.array.shape:
        raise InputError(f"values: expected a gray image of shape {mask.array.shape}, got {array.shape}")
    inside = np.asarray(array[mask.array], dtype=np.float64)
    if not inside.size:
        raise InputError("values: expected a mask with voxels in it, got an empty one")
    if not np.isfinite(inside).all():
        raise InputError("values: expected finite numbers inside the mask, got NaN or infinity; mask them out")
    low, median, high = np.percentile(inside, (PERCENTILES[0], 50, PERCENTILES[1]))
    return ValueStatistics(
        float(inside.mean()), float(inside.std()), float(inside.min()), float(inside.max()),
        float(median), float(low), float(high),
    )  # fmt: skip


def boundary_spread(array: np.ndarray, mask: Mask) -> ValueStatistics:
    """How far each statistic moves when the boundary does by half a voxel, either way.

    Half of the larger of the two changes that one whole voxel of growth and of shrinking bring; the standard error of
    the mean is added to the mean's in quadrature, at two standard errors.
    """
    here = describe_values(array, mask)
    others = []
    for change in (grow_by_voxel, shrink_by_voxel):
        moved = Mask(change(mask.array), mask.grid)
        finite = Mask(moved.array & np.isfinite(array), mask.grid)
        if finite.array.any():
            others.append(describe_values(array, finite))
    moves = {
        name: max((abs(getattr(other, name) - getattr(here, name)) for other in others), default=0.0) / 2
        for name in here.__slots__
    }
    error = 2 * here.sd / np.sqrt(mask.n_voxels)
    moves["mean"] = float(np.hypot(moves["mean"], error))
    return ValueStatistics(**moves)
