"""What all enhancing shares: channels one by one, finite values, the range of the type that came in, the spacing."""

from collections.abc import Callable

import numpy as np

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.volume import Volume


def each_channel(volume: Volume, change: Callable[[np.ndarray], np.ndarray]) -> Volume:
    """The volume with each channel changed; a gray volume is one channel.

    change   (slices, rows, columns) -> the same shape
    Raises InputError for values that are no numbers.
    """
    return volume.with_array(each_part(volume, change))


def each_part(volume: Volume, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The array of a volume with each channel changed, to another shape if need be."""
    require_finite(volume)
    if not volume.is_colour:
        return change(volume.array)
    parts = [change(np.ascontiguousarray(volume.array[..., channel])) for channel in range(3)]
    return np.stack(parts, axis=-1)


def require_finite(volume: Volume) -> None:
    """Raise InputError where a voxel is NaN or infinite."""
    if volume.array.dtype.kind == "f" and not np.isfinite(volume.array).all():
        broken = int((~np.isfinite(volume.array)).sum())
        raise InputError(
            f"image: expected a number in every voxel, {broken} are NaN or infinite; replace them, or use inpaint"
        )


def keep_range(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The array as float32, cut to what an integer type holds; a float type cuts nothing."""
    values = np.asarray(array, dtype=np.float32)
    if not np.issubdtype(dtype, np.integer):
        return values
    limits = np.iinfo(dtype)
    return np.clip(values, np.float32(limits.min), np.float32(limits.max))


def spacing_of(volume: Volume) -> tuple[float, float, float]:
    """Millimetres along (slices, rows, columns); 1 pixel each where nobody stated a size."""
    if not volume.grid.spacing_known:
        return 1.0, 1.0, 1.0
    k, j, i = volume.grid.spacing_mm
    return float(k), float(j), float(i)


def millimetres_of(volume: Volume, *, instead: str) -> tuple[float, float, float]:
    """Millimetres along (slices, rows, columns) for an option that is in millimetres.

    instead   the option that is in pixels
    Raises UnknownSpacingError where nobody stated a pixel size.
    """
    if not volume.grid.spacing_known:
        raise UnknownSpacingError(
            f"millimetres: expected an image that states its pixel size, it has none; use {instead}"
        )
    return spacing_of(volume)
