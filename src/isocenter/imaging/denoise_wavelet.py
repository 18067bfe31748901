"""Denoising in the undecimated wavelet domain: soft thresholds that fit each band (BayesShrink)."""

from itertools import product
from typing import Final

import numpy as np

from isocenter.core.errors import InputError

_ROOT3: Final = np.sqrt(3.0)
# Daubechies' filter with two vanishing moments; the high-pass is its alternating mirror.
_LOW: Final = np.array((1 + _ROOT3, 3 + _ROOT3, 3 - _ROOT3, 1 - _ROOT3)) / (4 * np.sqrt(2))
_HIGH: Final = _LOW[::-1] * np.array((1, -1, 1, -1))
_LEVELS: Final = 4


def denoise_wavelet(array: np.ndarray, *, sigma: float, levels: int = _LEVELS) -> np.ndarray:
    """The array with its wavelet coefficients drawn to 0 by what noise would leave in them, float32.

    array    (slices, rows, columns)
    sigma    deviation of the noise, in the array's unit
    levels   how many scales, fewer where an axis is short

    Source: Chang, Yu & Vetterli, IEEE Trans. Image Process. 2000;9(9):1532-1546 (BayesShrink); Coifman & Donoho 1995
    (all shifts at once); Daubechies, Ten Lectures on Wavelets, 1992, table 6.1 (the filter).
    """
    if array.ndim != 3:
        raise InputError(f"denoising: expected (slices, rows, columns), got {array.shape}")
    if levels < 1:
        raise InputError(f"levels: expected at least 1, got {levels}")
    values = np.asarray(array, dtype=np.float32)
    if not sigma > 0:
        return values.copy()
    axes = tuple(axis for axis, size in enumerate(values.shape) if size >= 4)
    if not axes:
        return values.copy()
    levels = min(levels, int(np.log2(min(values.shape[axis] for axis in axes))) - 1)
    # Mirrored beyond the border, since the shifts below go round.
    pads = [(0, 0)] * 3
    for axis in axes:
        reach = min(3 * (2**levels - 1), values.shape[axis])
        pads[axis] = (reach, reach)
    padded = np.pad(values, pads, mode="symmetric")
    clean = _denoise_level(padded, axes, 0, max(levels, 1), float(sigma))
    inner = tuple(slice(before, size - after) for (before, after), size in zip(pads, padded.shape, strict=True))
    return np.ascontiguousarray(clean[inner])


def _denoise_level(values: np.ndarray, axes: tuple[int, ...], level: int, levels: int, sigma: float) -> np.ndarray:
    """One scale split, its details shrunk, the coarse part denoised further, and put together again."""
    result = np.zeros_like(values)
    for kinds in product((_LOW, _HIGH), repeat=len(axes)):
        band = values
        for axis, taps in zip(axes, kinds, strict=True):
            band = _filter(band, taps, axis, 2**level)
        if all(taps is _LOW for taps in kinds):
            band = _denoise_level(band, axes, level + 1, levels, sigma) if level + 1 < levels else band
        else:
            band = _shrink(band, sigma)
        for axis, taps in zip(axes, kinds, strict=True):
            band = _filter(band, taps / 2, axis, -(2**level))
        result += band
    return result


def _filter(values: np.ndarray, taps: np.ndarray, axis: int, step: int) -> np.ndarray:
    """A weighted sum of shifted copies, `step` voxels apart, going round at the ends."""
    total = values * np.float32(taps[0])
    for n in range(1, len(taps)):
        total += np.roll(values, -n * step, axis=axis) * np.float32(taps[n])
    return total


def _shrink(band: np.ndarray, sigma: float) -> np.ndarray:
    """Soft thresholding at the noise's variance over the signal's deviation; the filters keep the noise's deviation."""
    signal = np.sqrt(max(float(np.square(band).mean(dtype=np.float64)) - sigma**2, 0.0))
    if signal == 0:
        return np.zeros_like(band)
    return np.asarray(np.sign(band) * np.maximum(np.abs(band) - np.float32(sigma**2 / signal), 0))
