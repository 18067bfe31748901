"""Sharpening: the unsharp mask and the Laplacian; the border repeats its outermost voxels."""

from collections.abc import Sequence

import numpy as np

from isocenter.core.errors import InputError


def sharpen_unsharp(
    array: np.ndarray, *, amount: float = 1.0, sigma_mm: float, spacing_mm: Sequence[float]
) -> np.ndarray:
    """The array plus `amount` times what a Gaussian of that width takes away, float64.

    array        (slices, rows, columns)
    spacing_mm   along (slices, rows, columns); a single slice is blurred in its plane only

    Source: the unsharp mask as scikit-image's `unsharp_mask` and ITK define it.
    """
    from scipy import ndimage

    _check(array, amount)
    if not sigma_mm > 0 or not all(step > 0 for step in spacing_mm):
        raise InputError(f"sharpening: expected positive sigma and spacing, got {sigma_mm} and {spacing_mm}")
    values = np.asarray(array, dtype=np.float64)
    widths = [sigma_mm / float(step) if size > 1 else 0.0 for step, size in zip(spacing_mm, array.shape, strict=True)]
    return np.asarray(values + amount * (values - ndimage.gaussian_filter(values, widths, mode="reflect")))


def sharpen_laplacian(array: np.ndarray, *, amount: float = 1.0, spacing_mm: Sequence[float]) -> np.ndarray:
    """The array minus `amount` times its Laplacian, float64.

    array        (slices, rows, columns)
    spacing_mm   along (slices, rows, columns); only ratios count: along the finest axis the second difference has
                 weight 1, along one twice as coarse a quarter

    Source: second differences as in OpenCV's `Laplacian` (ksize 1) and scipy's `laplace`.
    """
    _check(array, amount)
    if not all(step > 0 for step in spacing_mm):
        raise InputError(f"sharpening: expected positive spacing, got {spacing_mm}")
    values = np.asarray(array, dtype=np.float64)
    finest = min(
        float(step) for step, size in zip(spacing_mm, array.shape, strict=True) if size > 1 or max(array.shape) == 1
    )
    laplacian = np.zeros_like(values)
    for axis, step in enumerate(spacing_mm):
        padded = np.pad(values, [(1, 1) if other == axis else (0, 0) for other in range(3)], mode="edge")
        laplacian += np.diff(padded, 2, axis=axis) * (finest / float(step)) ** 2
    return np.asarray(values - amount * laplacian)


def _check(array: np.ndarray, amount: float) -> None:
    if array.ndim != 3:
        raise InputError(f"sharpening: expected (slices, rows, columns), got {array.shape}")
    if not (np.isfinite(amount) and amount >= 0):
        raise InputError(f"amount: expected at least 0, got {amount}")
