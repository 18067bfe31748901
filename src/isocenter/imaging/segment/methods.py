"""Thresholds of a whole volume, with limits from its own intensities where none are given."""

from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.hounsfield import looks_like_hounsfield
from isocenter.imaging.segment.inputs import gray_array, require_contrast
from isocenter.imaging.segment.threshold import hysteresis, multi_otsu_limits, otsu_limit, threshold

Preset = Literal["air", "lung", "fat", "muscle", "body", "bone"]
# HU, both ends included. Source: fat and muscle: Mitsiopoulos N, et al. J Appl Physiol 1998;85:115-122; lung: Kim SS,
# et al. Am J Respir Crit Care Med 2016;194:887 (above -950 no emphysema) up to -500; bone: Buie HR, et al. Bone
# 2007;41:505 and common practice, 226; body and air: half way between air and water.
PRESETS: Final[dict[str, tuple[float, float]]] = {
    "air": (-np.inf, -950.0),
    "lung": (-950.0, -500.0),
    "fat": (-190.0, -30.0),
    "muscle": (-29.0, 150.0),
    "body": (-500.0, np.inf),
    "bone": (226.0, np.inf),
}


def threshold_volume(
    volume: Volume,
    *,
    low: float | None = None,
    high: float | None = None,
    preset: Preset | None = None,
    start: float | None = None,
) -> np.ndarray:
    """The voxels from `low` to `high`, both included, bool; above Otsu's limit where nothing is given.

    preset   limits in HU for CT, in place of low and high
    start    only pieces that hold a voxel of at least this (hysteresis)

    Raises InputError for low > high, or a preset on what is not in HU.
    """
    array = gray_array(volume)
    if preset is not None:
        if low is not None or high is not None:
            raise InputError("--preset: expected no --low and --high beside it; leave them or the preset out")
        if volume.unit != "HU" and not looks_like_hounsfield(volume):
            raise InputError(f"--preset: expected a CT in HU, got {volume.unit}; give --low and --high")
        low, high = PRESETS[preset]
    if low is None and high is None:
        require_contrast(array, "threshold")
        low = float(np.nextafter(otsu_limit(array), np.inf))
    mask = threshold(array, low=-np.inf if low is None else low, high=np.inf if high is None else high)
    if start is None:
        return mask
    return hysteresis(np.where(mask, array, -np.inf), low=-np.finfo(np.float64).max, high=start)


def otsu_volume(volume: Volume) -> np.ndarray:
    """The voxels brighter than Otsu's limit, bool.

    Raises InputError for a constant image. Source: Otsu N. IEEE Trans Syst Man Cybern 1979;9(1):62-66.
    """
    array = gray_array(volume)
    return np.asarray(array > otsu_limit(array))


def multi_otsu_volume(volume: Volume, *, classes: int = 3) -> np.ndarray:
    """Each voxel's class by brightness, 1 the darkest … n, int32.

    Raises InputError for fewer different intensities than classes.
    Source: Liao PS, Chen TS, Chung PC. J Inf Sci Eng 2001;17(5):713-727.
    """
    array = gray_array(volume)
    limits = multi_otsu_limits(array, n_classes=classes)
    return np.asarray(1 + np.digitize(array, limits, right=True), dtype=np.int32)
