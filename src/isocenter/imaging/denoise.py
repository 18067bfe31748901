"""Volumes without noise, by one of six methods and for four kinds of noise; both are found from the image itself.

What is left to say is `noise` (gaussian, poisson, rician, speckle) and `sigma`, the noise's level: the deviation in
the image's unit (gaussian, rician), variance over signal (poisson), or deviation over signal (speckle). The image is
bent so that its noise becomes Gaussian of deviation 1, denoised, and bent back without bias.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.channels import each_channel, keep_range, spacing_of
from isocenter.imaging.denoise_bm3d import denoise_bm3d
from isocenter.imaging.denoise_neighbours import denoise_bilateral, denoise_nlm
from isocenter.imaging.denoise_stabilise import denoise_stabilised
from isocenter.imaging.denoise_variation import denoise_anisotropic, denoise_tv
from isocenter.imaging.denoise_wavelet import denoise_wavelet
from isocenter.imaging.noise import NoiseKind, estimate_noise


def bm3d(volume: Volume, *, noise: NoiseKind | None = None, sigma: float | None = None) -> Volume:
    """Denoised by groups of alike patches (the best, and the slowest)."""
    spacing = spacing_of(volume)
    return _denoise(volume, noise, sigma, lambda array: denoise_bm3d(array, sigma=1.0, spacing_mm=spacing))


def nlm(
    volume: Volume, *, noise: NoiseKind | None = None, sigma: float | None = None, search_px: int | None = None
) -> Volume:
    """Denoised by means over places with alike surroundings."""
    return _denoise(volume, noise, sigma, lambda array: denoise_nlm(array, sigma=1.0, search=search_px))


def bilateral(
    volume: Volume, *, noise: NoiseKind | None = None, sigma: float | None = None, radius_px: float = 1.8
) -> Volume:
    """Denoised by means over near places of like value."""
    return _denoise(volume, noise, sigma, lambda array: denoise_bilateral(array, sigma=1.0, radius_px=radius_px))


def anisotropic(
    volume: Volume, *, noise: NoiseKind | None = None, sigma: float | None = None, edge: float = 0.6
) -> Volume:
    """Denoised by diffusion that stops at edges steeper than `edge` deviations of the noise."""
    spacing = spacing_of(volume)
    return _denoise(
        volume, noise, sigma, lambda array: denoise_anisotropic(array, sigma=1.0, edge=edge, spacing_mm=spacing)
    )


def tv(volume: Volume, *, noise: NoiseKind | None = None, sigma: float | None = None, weight: float = 0.85) -> Volume:
    """Denoised by least total variation; `weight` in deviations of the noise."""
    spacing = spacing_of(volume)
    return _denoise(volume, noise, sigma, lambda array: denoise_tv(array, sigma=1.0, weight=weight, spacing_mm=spacing))


def wavelet(volume: Volume, *, noise: NoiseKind | None = None, sigma: float | None = None, levels: int = 4) -> Volume:
    """Denoised by shrinking undecimated wavelet coefficients."""
    return _denoise(volume, noise, sigma, lambda array: denoise_wavelet(array, sigma=1.0, levels=levels))


def _denoise(
    volume: Volume, noise: NoiseKind | None, sigma: float | None, method: Callable[[np.ndarray], np.ndarray]
) -> Volume:
    """Each channel denoised, in the range of the integer type that came in."""
    if sigma is not None and not (sigma >= 0 and np.isfinite(sigma)):
        raise InputError(f"sigma: expected at least 0, got {sigma}")
    kind = "gaussian" if noise is None and sigma is not None else noise

    def clean(array: np.ndarray) -> np.ndarray:
        model = estimate_noise(array, kind=kind, level=sigma)
        return denoise_stabilised(array, model, method)

    cleaned = each_channel(volume, clean)
    return replace(cleaned, array=keep_range(cleaned.array, volume.array.dtype))
