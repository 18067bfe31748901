"""Filters in Fourier space: isotropic wavelets (Simoncelli, Shannon) and Riesz transforms, which may follow any filter.

Frequencies count per voxel. Directions are counted as IBSI does: columns (k1), rows (k2), slices (k3).
"""

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError, LimitError
from isocenter.imaging.features.filters_pooling import pad_border
from isocenter.imaging.features.filters_settings import Boundary, FilterSettings

# Voxels around the image that a transform sees unless the image repeats itself; twice as many for each coarser level.
_MARGIN: Final = 24
# The order up to which a Riesz transform is turned: 3^order terms.
_LARGEST_TURNED: Final = 4
_VOXELS_AT_A_TIME: Final = 2**18
# Voxels, margin included, whose frames and components fit into a few GB.
_MOST_TURNED: Final = 2**25


def margin_voxels(shape: Sequence[int], settings: FilterSettings) -> tuple[int, ...]:
    """How far the array is continued on each side of each axis before it is transformed."""
    if settings.boundary == "periodic":
        return (0,) * len(shape)
    wanted = _MARGIN * 2 ** (settings.level - 1)
    widths = [min(size, wanted) for size in shape]
    return (0 if settings.dimension == 2 else widths[0], *widths[1:])


def filter_isotropic(
    array: np.ndarray, *, level: int, kind: Literal["simoncelli", "shannon"] = "simoncelli", dimension: int = 3
) -> np.ndarray:
    """The band-pass response to an isotropic wavelet of a periodic image, float32.

    level   1 passes frequencies from a quarter of the sampling limit (Shannon: half of it) up to the limit; each level
            more halves them

    Source: IBSI-2 reference manual, PRT7; Portilla & Simoncelli, Int J Comput Vis 2000;40:49-71.
    """

    def gain(frequencies: Sequence[np.ndarray]) -> np.ndarray:
        radius = np.sqrt(sum(f**2 for f in frequencies)) * 2.0 ** (level - 1)
        if kind == "shannon":
            return np.asarray((radius > 0.5) & (radius <= 1), dtype=np.float32)
        inside = (radius > 0.25) & (radius <= 1)
        waves = np.cos(np.pi / 2 * np.log2(2 * np.where(inside, radius, 0.5)))
        return np.where(inside, waves, 0).astype(np.float32)

    return _transformed(array, gain, dimension)


def riesz_transform(array: np.ndarray, orders: Sequence[int]) -> np.ndarray:
    """One component of the Riesz transform of a periodic image, float32: a derivative of all frequencies alike.

    orders   along columns, rows (and slices); two orders transform slice by slice

    The squares of all components of one order add up to the image's energy without its mean (where sizes are odd: see
    `_frequencies`). Source: IBSI-2 reference manual, AYRS; Unser & Van De Ville, IEEE Trans Image Process
    2010;19:636-652.
    """
    order = sum(orders)
    factor = np.complex64((-1j) ** order * math.sqrt(_multinomial(orders)))

    def gain(frequencies: Sequence[np.ndarray]) -> np.ndarray:
        radius = np.sqrt(sum(f**2 for f in frequencies))
        radius[radius == 0] = np.inf
        whole: np.ndarray = factor / radius.astype(np.float32) ** order
        for frequency, count in zip(frequencies[::-1], orders, strict=True):
            whole = whole * frequency.astype(np.float32) ** count
        return whole

    return _transformed(array, gain, len(orders))


def riesz_aligned(array: np.ndarray, orders: Sequence[int], *, sigma_voxels: Sequence[float]) -> np.ndarray:
    """A component of the Riesz transform in each voxel's own frame, float32: the image turned, nothing else changes.

    orders         along the direction of most change, of less, of least
    sigma_voxels   of the Gaussian over which the structure tensor is taken, along columns, rows (and slices)

    The frame is that of the structure tensor of the first-order Riesz components; each direction points where the
    component along it is positive.

    Raises InputError for an order above 4, LimitError for more than 2^25 voxels.
    Source: IBSI-2 reference manual (no reference map); Depeursinge et al., Med Image Anal 2017;36:177-196.
    """
    dimension, order = len(orders), sum(orders)
    if order > _LARGEST_TURNED:
        raise InputError(f"riesz: expected an order up to {_LARGEST_TURNED} with align_mm, got {order}")
    if array.size > _MOST_TURNED:
        raise LimitError(f"riesz: expected at most {_MOST_TURNED} voxels with align_mm, got {array.size}; crop first")
    first = [riesz_transform(array, unit) for unit in np.eye(dimension, dtype=int).tolist()]
    frames = _frames(first, sigma_voxels)
    response = np.zeros(array.shape, dtype=np.float32)
    factors = [n for n, count in enumerate(orders) for _ in range(count)]
    weights: dict[tuple[int, ...], np.ndarray] = {}
    for choice in product(range(dimension), repeat=order):
        term = np.ones(array.shape, dtype=np.float32)
        for factor, direction in zip(factors, choice, strict=True):
            term *= frames[..., factor, direction]
        key = tuple(choice.count(direction) for direction in range(dimension))
        weights[key] = weights[key] + term if key in weights else term
    for key, weight in weights.items():
        response += (
            weight * riesz_transform(array, key) * np.float32(math.sqrt(_multinomial(orders) / _multinomial(key)))
        )
    return response


def _frames(first: list[np.ndarray], sigma_voxels: Sequence[float]) -> np.ndarray:
    """Unit vectors (…, rank, direction) of each voxel's structure tensor, the direction of most change first."""
    from scipy import ndimage

    dimension, shape = len(first), first[0].shape
    sigmas = (*((0,) * (3 - dimension)), *tuple(sigma_voxels[:dimension])[::-1])
    tensor = np.empty((*shape, dimension, dimension), dtype=np.float32)
    for a, b in product(range(dimension), repeat=2):
        if a <= b:
            tensor[..., a, b] = tensor[..., b, a] = ndimage.gaussian_filter(first[a] * first[b], sigmas, mode="wrap")
    flat, gradient = tensor.reshape(-1, dimension, dimension), np.stack(first, axis=-1).reshape(-1, dimension)
    for start in range(0, flat.shape[0], _VOXELS_AT_A_TIME):
        part = slice(start, start + _VOXELS_AT_A_TIME)
        vectors = np.linalg.eigh(flat[part])[1][:, :, ::-1].swapaxes(1, 2)
        along = np.einsum("nrd,nd->nr", vectors, gradient[part])
        flat[part] = vectors * np.where(along < 0, -1, 1)[:, :, None]
    return tensor


def _multinomial(orders: Sequence[int]) -> float:
    """How many orders of factors give the same product."""
    return math.factorial(sum(orders)) / math.prod(math.factorial(count) for count in orders)


def _frequencies(shape: Sequence[int], dimension: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Frequencies along the last axes of a real array's half spectrum, and those of the conjugate places.

    The reference maps of IBSI-2 sample frequencies from minus the limit to the limit with both ends in, so that for an
    even size the middle falls between two samples; so do we. Each line is shaped to broadcast; the limit is 1.
    """
    here, there = [], []
    for axis in range(3 - dimension, 3):
        size = shape[axis]
        middle = 0.5 if size % 2 == 0 else 0.0
        line = (np.fft.fftfreq(size) * size + middle) * 2 / max(size - 1, 1)
        kept = size // 2 + 1 if axis == 2 else size
        where = [-1 if n == axis else 1 for n in range(3)]
        here.append(line[:kept].reshape(where))
        there.append(line[-np.arange(size) % size][:kept].reshape(where))
    return here, there


def _transformed(array: np.ndarray, gain: Callable[[Sequence[np.ndarray]], np.ndarray], dimension: int) -> np.ndarray:
    """The real part of the image whose spectrum is the array's times the gain; the mean is taken out."""
    from scipy import fft

    axes = tuple(range(3 - dimension, 3))
    here, there = _frequencies(array.shape, dimension)
    spectrum = fft.rfftn(np.asarray(array, dtype=np.float32), axes=axes)
    spectrum *= (gain(here) + np.conj(gain(there))) / 2
    spectrum[(..., *(0,) * dimension)] = 0
    return np.asarray(fft.irfftn(spectrum, s=[array.shape[axis] for axis in axes], axes=axes), dtype=np.float32)


def continued(array: np.ndarray, settings: FilterSettings) -> tuple[np.ndarray, tuple[slice, ...]]:
    """The array with its margin, and where the array lies in it."""
    widths = margin_voxels(array.shape, settings)
    boundary: Boundary = settings.boundary
    inside = tuple(slice(width, width + size) for width, size in zip(widths, array.shape, strict=True))
    return (pad_border(array, widths, boundary) if any(widths) else array), inside
