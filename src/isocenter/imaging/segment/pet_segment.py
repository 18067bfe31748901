"""Tumours in PET: a share of the hottest voxel, a fixed SUV, or where the uptake is steepest."""

from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.morphology import dilate
from isocenter.imaging.segment.gradients import blur, gradient_magnitude
from isocenter.imaging.segment.inputs import (
    Place,
    Seeds,
    gray_array,
    positive,
    relative_steps,
    require_contrast,
    seed_places,
)
from isocenter.imaging.segment.region import pieces_at
from isocenter.imaging.segment.watershed import flood

_SHARE_PERCENT: Final = 41.0
_FIXED_SUV: Final = 4.0
# What a lesion of the gradient method surely holds and surely does not: shares of its hottest voxel.
_SURE_INSIDE: Final = 0.7
_SURE_OUTSIDE: Final = 0.25
_SHELL_STEPS: Final = 3.0
# Noise has hilltops of its own: the way up is looked for after this blur, in finest steps.
_CLIMB_SIGMA: Final = 1.0


def share_of_maximum(volume: Volume, *, percent: float = _SHARE_PERCENT, seed: Seeds = ()) -> np.ndarray:
    """The voxels of at least a share of the hottest one's uptake, bool.

    percent   41 by custom, 50 where the background is hot
    seed      (column, row, slice) near lesions: each is climbed to the hottest voxel of its own hill, and the voxels
              count that hang together with it; without seeds, all voxels of the image against its hottest

    Raises InputError where nothing takes up, or for percent outside 0 to 100.
    Source: Boellaard R, et al. EANM guidelines for tumour PET imaging 2.0. Eur J Nucl Med Mol Imaging 2015;42:328-354.
    """
    array = _uptake(volume)
    if not 0 < percent <= 100:
        raise InputError(f"--percent: expected above 0, at most 100, got {percent:g}")
    share = percent / 100
    if not seed:
        return np.asarray(array >= share * float(array.max()))
    mask = np.zeros(array.shape, dtype=np.bool_)
    for place in seed_places(volume, seed):
        top = _hottest_near(array, _hilltop(blur(array, sigma=_CLIMB_SIGMA, steps=relative_steps(volume)), place))
        mask |= pieces_at(array >= share * float(array[top]), [top])
    return mask


def fixed_uptake(volume: Volume, *, suv: float = _FIXED_SUV, seed: Seeds = ()) -> np.ndarray:
    """The voxels of at least a fixed SUV, bool.

    suv    4.0 for lymphoma, 2.5 of old
    seed   (column, row, slice): only the pieces that hold one

    Raises InputError for an image in Bq/ml or counts.
    Source: Barrington SF, et al. J Nucl Med 2021;62(3):332-337 (4.0); Freudenberg LS, et al. 2007;34:1333 (2.5).
    """
    array = _uptake(volume)
    positive(suv, "suv")
    if volume.unit.lower() in ("bq/ml", "cnts", "counts"):
        raise InputError(f"pet-fixed: expected SUV, got {volume.unit}; convert it first, or use pet-41")
    mask = np.asarray(array >= suv)
    return pieces_at(mask, seed_places(volume, seed)) if seed else mask


def steepest_uptake(volume: Volume, *, seed: Seeds = ()) -> np.ndarray:
    """The lesions with their borders where the uptake falls off most steeply, bool.

    seed   (column, row, slice) near lesions; without one, the hottest voxel's

    Source: Geets X, et al. A gradient-based method for segmenting FDG-PET images. Eur J Nucl Med Mol Imaging
    2007;34:1427-1438: watershed of the gradient; the markers are ours.
    """
    array = _uptake(volume)
    steps = relative_steps(volume)
    relief = gradient_magnitude(array, sigma=_CLIMB_SIGMA, steps=steps)
    smooth = blur(array, sigma=_CLIMB_SIGMA, steps=steps)
    tops = [_hilltop(smooth, place) for place in seed_places(volume, seed)]
    hottest = np.unravel_index(int(np.argmax(smooth)), array.shape)
    mask = np.zeros(array.shape, dtype=np.bool_)
    for top in tops or [(int(hottest[0]), int(hottest[1]), int(hottest[2]))]:
        peak = float(smooth[top])
        sure = pieces_at(smooth >= _SURE_INSIDE * peak, [top])
        warm = pieces_at(smooth >= _SURE_OUTSIDE * peak, [top])
        room = dilate(warm, radius_mm=_SHELL_STEPS, spacing_mm=[float(step) for step in steps])
        markers = sure.astype(np.int32)
        markers[~room | (smooth < _SURE_OUTSIDE * peak)] = 2
        mask |= flood(relief, markers) == 1
    return mask


def _uptake(volume: Volume) -> np.ndarray:
    array = gray_array(volume)
    require_contrast(array, "PET")
    if array.max() <= 0:
        raise InputError(f"PET: expected uptake above 0, got {float(array.max()):g} at most")
    return array


def _hilltop(array: np.ndarray, place: Place) -> Place:
    """Uphill from a place, always to the hottest of the 26 neighbours, until none is hotter."""
    while True:
        hotter = _hottest_near(array, place)
        if array[hotter] <= array[place]:
            return place
        place = hotter


def _hottest_near(array: np.ndarray, place: Place) -> Place:
    """The hottest of a voxel and its 26 neighbours."""
    box = tuple(slice(max(0, p - 1), p + 2) for p in place)
    at = np.unravel_index(int(np.argmax(array[box])), array[box].shape)
    k, j, i = (int(s.start) + int(a) for s, a in zip(box, at, strict=True))
    return k, j, i
