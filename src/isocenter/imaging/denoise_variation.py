"""Denoising by few edges and by diffusion: total variation, and Perona and Malik's."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from isocenter.core.errors import InputError

_TV_WEIGHT: Final = 0.85
_TV_STEPS: Final = 80
# Gradients count as edges above this many deviations of the noise, seen through a Gaussian of this width (voxels).
_EDGE: Final = 0.6
_EDGE_SIGMA: Final = 1.0
# Diffusion ends when this share of the noise's variance has been taken away.
_REMOVED: Final = 0.92
_MOST_STEPS: Final = 200


def denoise_tv(
    array: np.ndarray, *, sigma: float, weight: float = _TV_WEIGHT, spacing_mm: Sequence[float] = (1, 1, 1)
) -> np.ndarray:
    """The image of least total variation for its distance from the array, float32.

    array        (slices, rows, columns)
    sigma        deviation of the noise, in the array's unit
    weight       of the total variation, in deviations of the noise
    spacing_mm   along (slices, rows, columns); only ratios count

    Source: Rudin, Osher & Fatemi, Physica D 1992;60:259-268; solved in the dual by Beck & Teboulle, IEEE Trans. Image
    Process. 2009;18(11):2419-2434.
    """
    values, scales = _prepare(array, sigma, spacing_mm)
    if not weight > 0:
        raise InputError(f"weight: expected a positive number, got {weight}")
    if not sigma > 0 or not scales:
        return values
    values = values / np.float32(sigma)
    dual = np.zeros((len(scales), *values.shape), dtype=np.float32)
    ahead = dual.copy()
    momentum = 1.0
    step = np.float32(1 / (4 * weight * sum(scale**2 for _, scale in scales)))
    for _ in range(_TV_STEPS):
        slopes = gradient(values - np.float32(weight) * adjoint(ahead, scales), scales)
        moved = ahead + step * slopes
        moved /= np.maximum(1, np.sqrt(np.square(moved).sum(axis=0)))
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = moved + np.float32((momentum - 1) / following) * (moved - dual)
        dual, momentum = moved, following
    return (values - np.float32(weight) * adjoint(dual, scales)) * np.float32(sigma)


def denoise_anisotropic(
    array: np.ndarray, *, sigma: float, edge: float = _EDGE, spacing_mm: Sequence[float] = (1, 1, 1)
) -> np.ndarray:
    """The array after diffusion that stops at edges, float32.

    array        (slices, rows, columns)
    sigma        deviation of the noise, in the array's unit; it also says when to stop
    edge         gradient per voxel above which diffusion fades, in deviations of the noise
    spacing_mm   along (slices, rows, columns); only ratios count

    Source: Perona & Malik, IEEE Trans. Pattern Anal. 1990;12(7):629-639, with the gradient seen through a Gaussian as
    Catté et al., SIAM J. Numer. Anal. 1992;29(1):182-193, and stopped by the discrepancy.
    """
    from isocenter.imaging.smooth import smooth_gaussian

    values, scales = _prepare(array, sigma, spacing_mm)
    if not edge > 0:
        raise InputError(f"edge: expected a positive number, got {edge}")
    if not sigma > 0 or not scales:
        return values
    noisy = values / np.float32(sigma)
    clean = noisy
    # Places without any noise, as padding or the dark of a count, have no share in what is to be taken away.
    live = adjoint(gradient(noisy, scales), scales) != 0
    step = np.float32(0.9 / (2 * sum(scale**2 for _, scale in scales)))
    for _ in range(_MOST_STEPS):
        seen = smooth_gaussian(clean, sigma_mm=_EDGE_SIGMA, spacing_mm=(1, 1, 1))
        slope = np.square(gradient(seen, scales)).sum(axis=0)
        flux = gradient(clean, scales) / (1 + slope / np.float32(edge**2))
        clean = clean - step * adjoint(flux, scales)
        if not live.any() or np.square(noisy - clean)[live].mean(dtype=np.float64) > _REMOVED:
            break
    return clean * np.float32(sigma)


Scales = list[tuple[int, np.float32]]


def _prepare(array: np.ndarray, sigma: float, spacing_mm: Sequence[float]) -> tuple[np.ndarray, Scales]:
    """The array, and along which axes it has differences, with one over the spacing in finest voxels."""
    if array.ndim != 3:
        raise InputError(f"denoising: expected (slices, rows, columns), got {array.shape}")
    if not sigma >= 0 or not all(step > 0 for step in spacing_mm):
        raise InputError(f"denoising: expected sigma >= 0 and positive spacing, got {sigma} and {spacing_mm}")
    axes = [axis for axis, size in enumerate(array.shape) if size > 1]
    finest = min((float(spacing_mm[axis]) for axis in axes), default=1.0)
    return np.asarray(array, dtype=np.float32), [(axis, np.float32(finest / float(spacing_mm[axis]))) for axis in axes]


def gradient(values: np.ndarray, scales: Scales) -> np.ndarray:
    """Forward differences, (axes, slices, rows, columns); 0 at the far border.

    scales   (axis, one over its spacing) of each axis with differences
    """
    slopes = np.zeros((len(scales), *values.shape), dtype=np.float32)
    for n, (axis, scale) in enumerate(scales):
        inner = tuple(slice(None, -1) if other == axis else slice(None) for other in range(3))
        np.multiply(np.diff(values, axis=axis), scale, out=slopes[(n, *inner)])
    return slopes


def adjoint(field: np.ndarray, scales: Scales) -> np.ndarray:
    """The adjoint of `gradient`: minus the divergence."""
    result = np.zeros(field.shape[1:], dtype=np.float32)
    for n, (axis, scale) in enumerate(scales):
        inner = tuple(slice(None, -1) if other == axis else slice(None) for other in range(3))
        outer = tuple(slice(1, None) if other == axis else slice(None) for other in range(3))
        part = field[(n, *inner)] * scale
        result[inner] -= part
        result[outer] += part
    return result
