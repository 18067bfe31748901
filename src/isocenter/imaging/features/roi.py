"""The region that features describe: image and masks on the grid of the configuration, cut to what is needed.

Source: IBSI reference manual, image processing: interpolation, re-segmentation, morphological and intensity mask.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Final

import numpy as np

from isocenter.core.errors import GeometryError, InputError, UnknownSpacingError
from isocenter.core.grid import require_same_grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.features.align_grid import aligned_axis, interpolate
from isocenter.imaging.features.filters import filter_array
from isocenter.imaging.features.radiomics_config import RadiomicsConfig

_Box = tuple[slice, slice, slice]
# Radius of a ball of 1 ml in mm: what a local intensity averages over.
BALL_MM: Final = 10 * (3 / (4 * np.pi)) ** (1 / 3)
_NEARLY_WHOLE: Final = 1e-3
# Shares that are one half but for rounding count as one half.
_SHARE_SLACK: Final = 1e-6
_SHEAR: Final = 1e-3
# The mean of equal values is theirs but for rounding.
_MEAN_SLACK: Final = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Roi:
    """Image and masks on one grid, cut to the region with a rim that local intensities reach into.

    image        float64, (slices, rows, columns); the response of the configuration's filter, where it has one
    shape_mask   the region as drawn, interpolated: the morphological mask
    mask         the region without re-segmented voxels: the intensity mask
    spacing_mm   along (slices, rows, columns); None where nobody stated it
    unit         of the intensities
    """

    image: np.ndarray = field(repr=False)
    shape_mask: np.ndarray = field(repr=False)
    mask: np.ndarray = field(repr=False)
    spacing_mm: tuple[float, float, float] | None
    unit: str

    @property
    def values(self) -> np.ndarray:
        """The intensities in the intensity mask."""
        return np.asarray(self.image[self.mask])


def prepare_roi(volume: Volume, mask: Mask, config: RadiomicsConfig) -> Roi:
    """The region of a mask on an image, resampled, filtered and re-segmented as the configuration says.

    The filter sees the whole resampled image; re-segmentation asks that image, not the filter's response.

    Voxels outside the mask that are not finite take the value of the nearest finite voxel.

    Raises InputError for colour, an empty mask, values in the region that are not finite, and where re-segmentation
    leaves nothing; GeometryError for another grid or a sheared one; UnknownSpacingError for resampling without a pixel
    size.
    """
    _check(volume, mask)
    image = _finite(volume.array, mask.array)
    spacing_mm = _spacing(volume, config)
    if config.round_input or (config.round_input is None and _is_nearly_whole(image)):
        image = np.rint(image)
    if config.resample is None or spacing_mm is None:
        place = _as_it_is(image, mask.array, spacing_mm)
    else:
        place = _resampled(image, mask.array, spacing_mm, config)
    shown, answer = _answered(place, config)
    kept = _resegmented(shown, place.mask, config)
    averages = config.filter is None or config.filter.averages
    unit = (config.unit or volume.unit) if averages else "a.u."
    return Roi(answer, place.mask, kept, place.spacing_mm, unit)


def _check(volume: Volume, mask: Mask) -> None:
    if volume.is_colour:
        raise InputError("image: expected grey values, got colours; convert it with isocenter enhance grey")
    require_same_grid(volume.grid, mask.grid)
    if not mask.array.any():
        raise InputError("mask: expected voxels of a region, got an empty mask; check the label")
    values = volume.array[mask.array]
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        n_bad = int(np.count_nonzero(~np.isfinite(values)))
        raise InputError(
            f"image: expected finite values in the region, got {n_bad} of {values.size} NaN or infinite; "
            "take them out of the mask"
        )


def _finite(array: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The array with each value that is not finite replaced by its nearest finite one."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return array
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(~np.isfinite(array), return_distances=False, return_indices=True)
    return np.asarray(array[tuple(nearest)])


def _spacing(volume: Volume, config: RadiomicsConfig) -> tuple[float, float, float] | None:
    """Spacing in mm, None where it is unknown and not needed."""
    if not volume.grid.spacing_known:
        if config.resample is None:
            return None
        raise UnknownSpacingError(
            "resampling: expected a pixel size, the image states none; give --pixel-size-mm, or do not resample"
        )
    spacing = volume.grid.spacing_mm
    axes = volume.grid.affine[:3, :3] / spacing
    if np.abs(axes.T @ axes - np.eye(3)).max() > _SHEAR:
        raise GeometryError("image: expected axes at right angles, got a sheared grid; resample it first")
    return float(spacing[0]), float(spacing[1]), float(spacing[2])


def _is_nearly_whole(image: np.ndarray) -> bool:
    """Whether a whole-number image carries nothing but rounding noise."""
    if image.dtype.kind != "f":
        return False
    # A few voxels tell most images with fractions; slice by slice the rest stays in the processor's cache.
    parts = (image.ravel()[:: max(1, image.size // 1000)], *image)
    return all(float(np.abs(part - np.rint(part)).max()) < _NEARLY_WHOLE for part in parts)


def _rim(spacing_mm: tuple[float, float, float] | None) -> tuple[int, int, int]:
    """Voxels around the region that a local intensity can reach."""
    if spacing_mm is None:
        return 0, 0, 0
    rims = [ceil(BALL_MM / step) for step in spacing_mm]
    return rims[0], rims[1], rims[2]


def _box(mask: np.ndarray, rim: tuple[int, int, int]) -> _Box:
    """The part of the array that holds the mask with its rim."""
    found = []
    for axis in range(3):
        places = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(max(0, int(places[0]) - rim[axis]), min(mask.shape[axis], int(places[-1]) + 1 + rim[axis])))
    return found[0], found[1], found[2]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A region on the grid that features are counted on.

    values       gives the image within index ranges of that grid, float64
    shape        of the grid
    box          the part that holds the region and its rim
    mask         the region within the box
    """

    values: Callable[[_Box], np.ndarray]
    shape: tuple[int, int, int]
    box: _Box
    mask: np.ndarray
    spacing_mm: tuple[float, float, float] | None


def _as_it_is(image: np.ndarray, mask: np.ndarray, spacing_mm: tuple[float, float, float] | None) -> _Place:
    """The region on the image's own grid."""
    box = _box(mask, _rim(spacing_mm))
    shape = (image.shape[0], image.shape[1], image.shape[2])
    return _Place(lambda part: image[part].astype(np.float64), shape, box, mask[box], spacing_mm)


def _resampled(
    image: np.ndarray, mask: np.ndarray, spacing_mm: tuple[float, float, float], config: RadiomicsConfig
) -> _Place:
    """The region on the new grid."""
    assert config.resample is not None
    how = config.resample
    new_mm = tuple(old if new is None else new for old, new in zip(spacing_mm, how.spacing_mm, strict=True))
    axes = [aligned_axis(image.shape[n], old_mm=spacing_mm[n], new_mm=new_mm[n]) for n in range(3)]
    lines = (axes[0], axes[1], axes[2])
    spacing = (new_mm[0], new_mm[1], new_mm[2])
    old_box = _box(mask, (1, 1, 1))
    reached = tuple(_new_range(line.places, part) for line, part in zip(lines, old_box, strict=True))
    first = (reached[0], reached[1], reached[2])
    shares = interpolate(mask, lines, first, order=how.mask_order)
    inside = shares >= how.mask_threshold - _SHARE_SLACK
    if not inside.any():
        raise InputError(
            f"mask: expected voxels after resampling to {' x '.join(f'{mm:g}' for mm in new_mm)} mm, got none; "
            "the region is too small for this spacing"
        )
    whole = np.zeros([line.count for line in lines], dtype=np.bool_)
    whole[first] = inside
    box = _box(whole, _rim(spacing))

    def values(part: _Box) -> np.ndarray:
        found = interpolate(image, lines, part, order=how.order)
        return np.rint(found) if how.round else found

    return _Place(values, (whole.shape[0], whole.shape[1], whole.shape[2]), box, whole[box], spacing)


def _answered(place: _Place, config: RadiomicsConfig) -> tuple[np.ndarray, np.ndarray]:
    """The image within the region's box, and what the filter makes of it there: the same where there is none."""
    if config.filter is None:
        image = place.values(place.box)
        return image, image
    size = place.shape
    whole = place.values((slice(0, size[0]), slice(0, size[1]), slice(0, size[2])))
    # Half the memory while the filter works.
    shown, whole = whole[place.box].copy(), whole.astype(np.float32)
    answer = filter_array(whole, config.filter, lambda: _known(place.spacing_mm))
    return shown, answer[place.box].astype(np.float64)


def _known(spacing_mm: tuple[float, float, float] | None) -> tuple[float, ...]:
    """Spacing along columns, rows, slices, for a filter that counts millimetres."""
    if spacing_mm is None:
        raise UnknownSpacingError(
            "filter: expected a pixel size, the image states none; give --pixel-size-mm, or sizes in voxels"
        )
    return spacing_mm[::-1]


def _new_range(places: np.ndarray, part: slice) -> slice:
    """The new centres that lie within an old index range; at least one."""
    inside = np.flatnonzero((places >= part.start - 1) & (places <= part.stop))
    if inside.size == 0:
        middle = int(np.argmin(np.abs(places - (part.start + part.stop - 1) / 2)))
        return slice(middle, middle + 1)
    return slice(int(inside[0]), int(inside[-1]) + 1)


def _resegmented(image: np.ndarray, mask: np.ndarray, config: RadiomicsConfig) -> np.ndarray:
    """The mask without the voxels whose intensity does not belong to the region."""
    low, high = config.range
    kept = mask.copy()
    if low is not None:
        kept &= image >= low
    if high is not None:
        kept &= image <= high
    if config.sigma is not None:
        values = image[mask]
        centre = float(values.mean())
        reach = config.sigma * float(values.std()) + _MEAN_SLACK * max(1.0, abs(centre))
        kept &= (image >= centre - reach) & (image <= centre + reach)
    if not kept.any():
        values = image[mask]
        wanted = f"{'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
        raise InputError(
            f"re-segmentation: expected intensities of {wanted} in the region, got {values.min():g} to "
            f"{values.max():g}; change range or sigma"
        )
    return kept
