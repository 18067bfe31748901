"""Convolutional filters of IBSI-2 on a volume: one function, told by a mapping which filter and how."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.features.filters_fourier import continued, filter_isotropic, riesz_aligned, riesz_transform
from isocenter.imaging.features.filters_gabor import respond_gabor
from isocenter.imaging.features.filters_separable import respond_laws, respond_log, respond_mean, respond_wavelet
from isocenter.imaging.features.filters_settings import FilterSettings, read_settings

Spacing = Callable[[], tuple[float, ...]]
_SPATIAL: Final[Mapping[str, Callable[[np.ndarray, FilterSettings, Spacing], np.ndarray]]] = {
    "none": lambda array, _settings, _spacing: array,
    "mean": respond_mean,
    "log": respond_log,
    "laws": respond_laws,
    "gabor": respond_gabor,
    "wavelet": respond_wavelet,
}


def filter_volume(volume: Volume, config: Mapping[str, object]) -> Volume:
    """The response of a convolutional filter at every voxel, float32, on the same grid.

    config   `filter` (none mean log laws gabor wavelet simoncelli shannon) and its parameters, as `FilterSettings`
             lists them; or `ibsi2 = "4.a.1"` for the parameters of a test of IBSI-2. Without `dimension`, a picture of
             one slice is filtered in its plane and a stack in space (Gabor: always in a plane)

    The response keeps the image's unit only where the filter averages (mean, none); else it is "a.u.".

    >>> from isocenter.core.grid import Grid
    >>> image = Volume(np.ones((3, 4, 5)), Grid.of_spacing((3, 4, 5), (1, 1, 1)))
    >>> float(filter_volume(image, {"filter": "mean", "support": 3, "boundary": "zero"}).array[0, 0, 0])
    0.29629629850387573

    Raises InputError for colour, voxels that are no number, and settings that cannot be; UnknownSpacingError where the
    settings speak of millimetres and the image does not.
    Source: IBSI-2 reference manual, arXiv:2006.05470v9; Whybra et al., Radiology 2024;310:e231319.
    """
    if volume.is_colour:
        raise InputError("filter: expected one grey value per voxel, got colour; convert with `enhance grey` first")
    flat = volume.is_2d or config.get("filter") == "gabor"
    settings = read_settings(config, default_dimension=2 if flat else 3)
    array = np.asarray(volume.array, dtype=np.float32)
    if not np.isfinite(array).all():
        count = int(np.count_nonzero(~np.isfinite(array)))
        raise InputError(
            f"filter: expected a number in every voxel, got {count} that are NaN or infinite; fill them first"
        )
    response = filter_array(array, settings, lambda: tuple(float(step) for step in volume.grid.spacing_mm[::-1]))
    return volume.with_array(response, volume.unit if settings.averages else "a.u.")


def filter_array(array: np.ndarray, settings: FilterSettings, spacing: Spacing) -> np.ndarray:
    """The response at every voxel of (slices, rows, columns), float32.

    spacing   gives the millimetres between columns, rows and slices; asked only where the settings need them
    """
    isotropic = settings.filter in ("simoncelli", "shannon")
    if not isotropic and not settings.riesz:
        return np.ascontiguousarray(_SPATIAL[settings.filter](array, settings, spacing))
    wide, inside = continued(array, settings)
    if settings.filter == "simoncelli" or settings.filter == "shannon":
        wide = filter_isotropic(wide, level=settings.level, kind=settings.filter, dimension=settings.dimension)
    else:
        wide = _SPATIAL[settings.filter](wide, settings, spacing)
    if settings.riesz and settings.align_mm is not None:
        sigmas = tuple(settings.align_mm / step for step in spacing())
        wide = riesz_aligned(wide, settings.riesz, sigma_voxels=sigmas)
    elif settings.riesz:
        wide = riesz_transform(wide, settings.riesz)
    return np.ascontiguousarray(wide[inside])
