"""Gabor filters: a wave under a Gaussian in the plane of the slices, or the mean over three orthogonal planes."""

import math
from collections.abc import Callable

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.features.filters_pooling import pad_border, pool_responses
from isocenter.imaging.features.filters_settings import FilterSettings

# Standard deviations along the wave at which the kernel ends (IBSI-2), and at least this many across it.
_REACH_ALONG, _REACH_ACROSS = 7.0, 3.5
# Complex numbers that are transformed at a time: slices in groups, so that memory stays bounded.
_GROUP_SIZE = 2**23


def respond_gabor(array: np.ndarray, settings: FilterSettings, spacing: Callable[[], tuple[float, ...]]) -> np.ndarray:
    """The modulus of the response to a complex Gabor wave, slice by slice, float32.

    With `angle_step_deg` the responses of all directions are pooled; with `planes = 3` those of the planes of columns
    and rows, columns and slices, rows and slices are averaged. The wave runs from columns towards rows by `angle_deg`.

    Source: IBSI-2 reference manual, Q88H.
    """
    if settings.dimension != 2:
        raise InputError("gabor: expected dimension 2, got 3; planes = 3 averages over the three orthogonal planes")
    angles = _angles(settings)
    if len(angles) > 1 and settings.pooling == "none":
        raise InputError("gabor: expected pooling max, mean or min with angle_step_deg, got none")
    sigma = settings.length_voxels("sigma", spacing)
    wavelength = settings.length_voxels("wavelength", spacing)
    total = np.zeros(array.shape, dtype=np.float32)
    for plane in ((0, 1), (0, 2), (1, 2))[: settings.planes]:
        kernels = [_kernel(settings, angle, [(sigma[d], wavelength[d]) for d in plane]) for angle in angles]
        stack = np.moveaxis(array, 2 - ({0, 1, 2} - set(plane)).pop(), 0)
        done = _respond_stack(stack, kernels, settings)
        total += np.moveaxis(done, 0, 2 - ({0, 1, 2} - set(plane)).pop())
    return total / settings.planes


def _angles(settings: FilterSettings) -> list[float]:
    """Directions of the wave in radians; those beyond half a turn have the same modulus and are left out."""
    if settings.angle_step_deg is None:
        return [math.radians(settings.angle_deg)]
    count = 360 / settings.angle_step_deg
    if abs(count - round(count)) > 1e-6 or round(count) < 1:
        raise InputError(f"angle_step_deg: expected a part of a full turn, got {settings.angle_step_deg}")
    n = round(count) // 2 if round(count) % 2 == 0 else round(count)
    return [math.radians(settings.angle_deg + step * settings.angle_step_deg) for step in range(n)]


def _kernel(settings: FilterSettings, angle: float, lengths: list[tuple[float, float]]) -> np.ndarray:
    """The complex kernel (second direction, first direction); x counts the first, y the second, in sigmas of each."""
    sigmas = [sigma for sigma, _ in lengths]
    reach_sigmas = max(_REACH_ALONG, _REACH_ACROSS / settings.aspect_ratio)
    reaches = [math.ceil(reach_sigmas * sigma) for sigma in sigmas]
    y, x = np.mgrid[-reaches[1] : reaches[1] + 1, -reaches[0] : reaches[0] + 1].astype(np.float64)
    x, y = x / sigmas[0], y / sigmas[1]
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    envelope = np.exp(-(along**2 + (settings.aspect_ratio * across) ** 2) / 2)
    sigmas_per_wave = lengths[0][0] / lengths[0][1]
    return np.asarray(envelope * np.exp(2j * np.pi * sigmas_per_wave * along))


def _respond_stack(stack: np.ndarray, kernels: list[np.ndarray], settings: FilterSettings) -> np.ndarray:
    """The pooled modulus for every plane of a stack (planes, second direction, first direction)."""
    from scipy import fft

    reach = [size // 2 for size in kernels[0].shape]
    padded = tuple(size + 2 * more for size, more in zip(stack.shape[1:], reach, strict=True))
    shape = tuple(fft.next_fast_len(size) for size in padded)
    spectra = [fft.fft2(kernel.astype(np.complex64), shape) for kernel in kernels]
    group = max(1, _GROUP_SIZE // (shape[0] * shape[1]))
    done = np.empty(stack.shape, dtype=np.float32)
    # What a convolution of padded planes gives beyond both reaches is whole; the rest wraps around and is dropped.
    inside = (slice(None), *(slice(2 * r, 2 * r + size) for r, size in zip(reach, stack.shape[1:], strict=True)))
    for start in range(0, stack.shape[0], group):
        part = pad_border(stack[start : start + group], (0, *reach), settings.boundary)
        spectrum = fft.fft2(part, shape)
        moduli = ((np.abs(fft.ifft2(spectrum * kernel)[inside]), 1) for kernel in spectra)
        done[start : start + group] = pool_responses(moduli, settings.pooling)
    return done
