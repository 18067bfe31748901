"""Moran's I and Geary's C: whether neighbouring intensities are alike, over all pairs of voxels of a region.

The sums over all pairs are autocorrelations, so that Fourier transforms give them exactly in a moment.

Source: IBSI reference manual, Moran's I index (N365), Geary's C measure (NPT7); weights are inverse distances.
"""

from typing import Final

import numpy as np

# Padded voxels beyond which the transforms would take more than about 10 GB.
_MOST_VOXELS: Final = 300_000_000


def spatial_autocorrelation(
    image: np.ndarray, mask: np.ndarray, *, spacing_mm: tuple[float, float, float]
) -> tuple[float, float]:
    """(Moran's I, Geary's C) of the masked intensities; NaN for a constant, a single voxel, or a region too large.

    image        float64, (slices, rows, columns)
    spacing_mm   along (slices, rows, columns)
    """
    from scipy import fft

    box = _filled_box(mask)
    inside = mask[box]
    n_voxels = int(np.count_nonzero(inside))
    apart = np.where(inside, image[box] - image[mask].mean(), 0.0)
    squares = float((apart**2).sum())
    shape = [fft.next_fast_len(2 * size - 1, real=True) for size in inside.shape]
    if n_voxels < 2 or float(np.ptp(image[mask])) == 0 or np.prod(shape) > _MOST_VOXELS:
        return np.nan, np.nan
    weights = fft.rfftn(_inverse_distances(shape, spacing_mm), s=shape).real
    counts = _twice_real(shape[-1], weights.shape[-1])

    def paired(one: np.ndarray, other: np.ndarray) -> float:
        """Sum over all ordered pairs of weight x one x other."""
        return float((weights * (one.real * other.real + one.imag * other.imag) * counts).sum()) / float(np.prod(shape))

    ones = fft.rfftn(inside.astype(np.float64), s=shape)
    values = fft.rfftn(apart, s=shape)
    all_weights = paired(ones, ones)
    moran = n_voxels / all_weights * paired(values, values) / squares
    unlike = 2 * paired(ones, fft.rfftn(apart**2, s=shape)) - 2 * paired(values, values)
    return moran, (n_voxels - 1) / (2 * all_weights) * unlike / squares


def _inverse_distances(shape: list[int], spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """One over the distance of each cyclic lag, 0 at lag 0."""
    lags = [np.minimum(np.arange(n), n - np.arange(n)) * step for n, step in zip(shape, spacing_mm, strict=True)]
    squared = lags[0][:, None, None] ** 2 + lags[1][None, :, None] ** 2 + lags[2][None, None, :] ** 2
    squared[0, 0, 0] = np.inf
    return np.asarray(1 / np.sqrt(squared))


def _twice_real(n_full: int, n_half: int) -> np.ndarray:
    """How often each frequency of a real transform's half counts in the whole."""
    counts = np.full(n_half, 2.0)
    counts[0] = 1.0
    if n_full % 2 == 0:
        counts[-1] = 1.0
    return counts


def _filled_box(mask: np.ndarray) -> tuple[slice, ...]:
    found = []
    for axis in range(3):
        places = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
        found.append(slice(int(places[0]), int(places[-1]) + 1))
    return tuple(found)
