"""Smoothing: Gaussian in millimetres, median, mean; the border repeats its outermost voxels."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from isocenter.core.errors import InputError

# Where the Gaussian is cut off, in standard deviations, as scipy does.
_TRUNCATE: Final = 4.0
# Work and memory grow with the kernel: no image needs more voxels than these.
_WIDEST: Final = 10_000.0
_LARGEST_MEAN: Final = 1023
_LARGEST_MEDIAN: Final = 31
_ONE: Final = np.ones(1, dtype=np.float32)


def smooth_gaussian(array: np.ndarray, *, sigma_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The array blurred with a Gaussian that is as wide in millimetres along every axis, float32.

    array        (slices, rows, columns)
    spacing_mm   along (slices, rows, columns)
    """
    if array.ndim != 3:
        raise InputError(f"smoothing: expected (slices, rows, columns), got {array.shape}")
    if not sigma_mm >= 0 or not all(step > 0 for step in spacing_mm):
        raise InputError(f"smoothing: expected sigma >= 0 and positive spacing, got {sigma_mm} and {spacing_mm}")
    from isocenter.imaging.smooth_kernels import separable_filter

    smooth = np.empty(array.shape, dtype=np.float32)
    # A single slice has no neighbours along the slices: its own value repeats, and the kernel there sums to 1.
    kernels = [_gaussian_kernel(sigma_mm / float(step)) for step in spacing_mm]
    kernels = [kernel if size > 1 else _ONE for kernel, size in zip(kernels, array.shape, strict=True)]
    separable_filter(_native(array), *kernels, smooth)
    return smooth


def smooth_mean(array: np.ndarray, *, size: int = 3) -> np.ndarray:
    """The mean over a cube of an odd number of voxels, float32."""
    _require_odd(size)
    from isocenter.imaging.smooth_kernels import separable_filter

    if array.ndim != 3:
        raise InputError(f"smoothing: expected (slices, rows, columns), got {array.shape}")
    smooth = np.empty(array.shape, dtype=np.float32)
    kernel = np.full(size // 2 + 1, 1 / size, dtype=np.float32)
    kernels = [kernel if length > 1 else _ONE for length in array.shape]
    separable_filter(_native(array), *kernels, smooth)
    return smooth


def smooth_median_2d(array: np.ndarray, *, size: int = 3) -> np.ndarray:
    """The median over a square of 3 or 5 pixels in each slice, float32 (uint8 stays)."""
    if size not in (3, 5):
        raise InputError(f"median: expected a size of 3 or 5, got {size}")
    source = array if array.dtype == np.uint8 else np.asarray(array, dtype=np.float32)
    return np.stack([np.asarray(cv2.medianBlur(np.ascontiguousarray(picture), size)) for picture in source])


def smooth_median(array: np.ndarray, *, size: int = 3) -> np.ndarray:
    """The median over a cube of an odd number of voxels, in the array's type; 3 is fast.

    array   (slices, rows, columns)

    Exactly the middle of the 27 sorted values; how it is found so fast stands in smooth_kernels.py.
    """
    if array.ndim != 3:
        raise InputError(f"median: expected (slices, rows, columns), got {array.shape}")
    _require_odd(size, most=_LARGEST_MEDIAN)
    if size != 3:
        from scipy import ndimage

        return np.asarray(ndimage.median_filter(array, size, mode="nearest"))
    from isocenter.imaging.smooth_kernels import median_27

    source = _native(array)
    smooth = np.empty_like(source)
    median_27(source, smooth)
    return smooth


def _native(array: np.ndarray) -> np.ndarray:
    """The array as the kernels take it: in one piece, in this machine's byte order."""
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _gaussian_kernel(sigma: float) -> np.ndarray:
    """Samples of a Gaussian from its middle outwards, all with their mirror images 1; a single 1 for a narrow one."""
    if sigma > _WIDEST:
        raise InputError(f"smoothing: expected a sigma of at most {_WIDEST:g} voxels, got {sigma:g}")
    reach = int(_TRUNCATE * sigma + 0.5)
    if reach == 0:
        return _ONE
    weights = np.exp(-0.5 * (np.arange(reach + 1) / sigma) ** 2)
    return np.asarray(weights / (2 * weights.sum() - weights[0]), dtype=np.float32)


def _require_odd(size: int, *, most: int = _LARGEST_MEAN) -> None:
    if not (1 <= size <= most and size % 2):
        raise InputError(f"smoothing: expected an odd size from 1 to {most}, got {size}")
