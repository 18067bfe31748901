"""Volume finer than a voxel: the voxels at a boundary count by how far their value has gone from outside to inside."""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask
from isocenter.imaging.features.layers import grow_by_voxel, shrink_by_voxel

_LEAST_CORE = 8
_LEAST_CONTRAST = 3.0
_MOST_BRIGHT_RIM = 0.1
_MOST_UNEVEN = 0.2


@dataclass(frozen=True, slots=True)
class PartialVolume:
    """A volume whose boundary voxels count in part.

    inside, outside   the two levels, in the image's unit
    uncertainty_ml    two standard deviations, from the noise of the levels and of the boundary voxels
    """

    volume_ml: float
    uncertainty_ml: float
    inside: float
    outside: float


def estimate_volume(array: np.ndarray, mask: Mask) -> PartialVolume | None:
    """The volume of a thing of one level in surroundings of another; None where the image does not show such a thing.

    array   gray, on the mask's grid, finite
    mask    ends about halfway between the two levels

    One layer of voxels on either side of the boundary counts by its value, linearly between the median of what lies
    deeper and the median of the surroundings two and three voxels away. None where nothing lies deeper, the levels
    differ by less than three standard deviations of the noise, the inside varies by more than a fifth of their
    difference beyond the noise, or the layer outside is as bright as the inside (the thing touches another).

    Raises InputError for an empty mask.
    """
    if array.shape != mask.array.shape or not mask.array.any():
        raise InputError("partial volume: expected a gray image and a mask with voxels in it on one grid")
    core = shrink_by_voxel(mask.array)
    grown = grow_by_voxel(mask.array)
    around = grow_by_voxel(grow_by_voxel(grown)) & ~grown
    n_core = int(np.count_nonzero(core))
    if n_core < _LEAST_CORE or not around.any():
        return None
    deep, beyond = array[core].astype(np.float64), array[around].astype(np.float64)
    inside, outside = float(np.median(deep)), float(np.median(beyond))
    noise = float(np.median(np.abs(beyond - outside))) / 0.6745
    uneven = float(np.sqrt(max(float(deep.var()) - noise**2, 0.0)))
    if abs(inside - outside) <= max(_LEAST_CONTRAST * noise, uneven / _MOST_UNEVEN, 1e-12):
        return None
    rim_in, rim_out = mask.array & ~core, grown & ~mask.array
    share_in = (array[rim_in].astype(np.float64) - outside) / (inside - outside)
    share_out = (array[rim_out].astype(np.float64) - outside) / (inside - outside)
    if float((share_out > 0.75).mean()) > _MOST_BRIGHT_RIM:
        return None
    spread = (float(deep.std()) + noise) / 2 / abs(inside - outside)
    n_in, n_out = len(share_in), len(share_out)
    # Medians are 1.25 times as uncertain as means.
    levels = 1.25 * spread * np.hypot(n_in / np.sqrt(n_core), n_out / np.sqrt(len(beyond)))
    sd_voxels = float(np.hypot(spread * np.sqrt(n_in + n_out), levels))
    voxel_ml = mask.grid.voxel_volume_ml
    # Half a percent for what a layer of two voxels cannot tell about a curved surface.
    counted = n_core + float(share_in.sum() + share_out.sum())
    return PartialVolume(counted * voxel_ml, (2 * sd_voxels + 0.005 * counted) * voxel_ml, inside, outside)
