"""Smoothing: Gaussian in millimetres, median, mean; the border repeats its outermost voxels."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from isocenter.core.errors import InputError

# Where the Gaussian is cut off, in standard deviations, as scipy does.
_TRUNCATE: Final = 4.0
# Rows that the median works on at a time: 27 strips of them stay in the processor's cache.
_STRIP_ROWS: Final = 64
# Voxels of each slice that the filter along the slices works on at a time, for the same reason.
_STRIP_VOXELS: Final = 2048


def smooth_gaussian(array: np.ndarray, *, sigma_mm: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The array blurred with a Gaussian that is as wide in millimetres along every axis, float32.

    array        (slices, rows, columns)
    spacing_mm   along (slices, rows, columns)
    """
    if array.ndim != 3:
        raise InputError(f"smoothing: expected (slices, rows, columns), got {array.shape}")
    if not sigma_mm >= 0 or not all(step > 0 for step in spacing_mm):
        raise InputError(f"smoothing: expected sigma >= 0 and positive spacing, got {sigma_mm} and {spacing_mm}")
    along_k, along_j, along_i = (_gaussian_kernel(sigma_mm / float(step)) for step in spacing_mm)
    smooth = np.empty(array.shape, dtype=np.float32)
    for k, picture in enumerate(array):
        source = np.ascontiguousarray(picture, dtype=np.float32)
        cv2.sepFilter2D(source, cv2.CV_32F, along_i, along_j, dst=smooth[k], borderType=cv2.BORDER_REPLICATE)
    return _filter_slices(smooth, along_k)


def _filter_slices(array: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A kernel along the slices: each slice is one row of a wide picture."""
    if kernel.size == 1 or array.shape[0] == 1:
        return array
    wide = array.reshape(array.shape[0], -1)
    one = np.ones(1, dtype=np.float32)
    done = np.empty_like(wide)
    for start in range(0, wide.shape[1], _STRIP_VOXELS):
        strip = wide[:, start : start + _STRIP_VOXELS]
        done[:, start : start + _STRIP_VOXELS] = cv2.sepFilter2D(
            strip, cv2.CV_32F, one, kernel, borderType=cv2.BORDER_REPLICATE
        )
    return done.reshape(array.shape)


def smooth_mean(array: np.ndarray, *, size: int = 3) -> np.ndarray:
    """The mean over a cube of an odd number of voxels, float32."""
    _require_odd(size)
    kernel = np.full(size, 1 / size, dtype=np.float32)
    smooth = np.empty(array.shape, dtype=np.float32)
    for k, picture in enumerate(array):
        source = np.ascontiguousarray(picture, dtype=np.float32)
        cv2.sepFilter2D(source, cv2.CV_32F, kernel, kernel, dst=smooth[k], borderType=cv2.BORDER_REPLICATE)
    return _filter_slices(smooth, kernel)


def smooth_median_2d(array: np.ndarray, *, size: int = 3) -> np.ndarray:
    """The median over a square of 3 or 5 pixels in each slice, float32 (uint8 stays)."""
    if size not in (3, 5):
        raise InputError(f"median: expected a size of 3 or 5, got {size}")
    source = array if array.dtype == np.uint8 else np.asarray(array, dtype=np.float32)
    return np.stack([np.asarray(cv2.medianBlur(np.ascontiguousarray(picture), size)) for picture in source])


def smooth_median(array: np.ndarray) -> np.ndarray:
    """The median over a cube of 3 x 3 x 3 voxels, float32."""
    if array.ndim != 3:
        raise InputError(f"median: expected (slices, rows, columns), got {array.shape}")
    padded = np.pad(np.asarray(array, dtype=np.float32), 1, mode="edge")
    smooth = np.empty(array.shape, dtype=np.float32)
    for k in range(array.shape[0]):
        for j in range(0, array.shape[1], _STRIP_ROWS):
            strip = smooth[k, j : j + _STRIP_ROWS]
            strip[:] = _median_of_strip(padded[k : k + 3, j : j + len(strip) + 2])
    return smooth


def _median_of_strip(three: np.ndarray) -> np.ndarray:
    """The median of 27 for some rows of a slice, by forgetting extremes.

    Of any 15 of the values neither the least nor the greatest can be the median of all 27: both go, the next value
    comes in, until one is left.
    """
    rows, columns = three.shape[1] - 2, three.shape[2] - 2
    pending = [three[k, j : j + rows, i : i + columns] for j in range(3) for i in range(3) for k in range(3)]
    held = [part.copy() for part in pending[:15]]
    for following in [*pending[15:], None]:
        _move_extremes_out(held)
        held = held[1:-1]
        if following is not None:
            held.append(following.copy())
    return held[0]


def _move_extremes_out(held: list[np.ndarray]) -> None:
    """Bring the smallest values to the first place and the largest to the last."""
    count = len(held)
    half = count // 2
    for low in range(half):
        _order(held, low, count - 1 - low)
    for low in range(1, (count + 1) // 2):
        _order(held, 0, low)
    for high in range(half, count - 1):
        _order(held, high, count - 1)


def _order(held: list[np.ndarray], low: int, high: int) -> None:
    smaller = cv2.min(held[low], held[high])
    cv2.max(held[low], held[high], dst=held[high])
    held[low] = smaller


def _gaussian_kernel(sigma: float) -> np.ndarray:
    """Samples of a Gaussian, sum 1; a single 1 where it is narrower than a voxel shows."""
    reach = int(_TRUNCATE * sigma + 0.5)
    if reach == 0:
        return np.ones(1, dtype=np.float32)
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (steps / sigma) ** 2)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


def _require_odd(size: int) -> None:
    if size < 1 or size % 2 == 0:
        raise InputError(f"smoothing: expected an odd size, got {size}")
