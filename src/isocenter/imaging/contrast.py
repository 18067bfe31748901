"""Contrast: gamma, histogram equalisation, CLAHE in 2-D and 3-D; never beyond the values that were there."""

from collections.abc import Sequence
from itertools import product
from typing import Final

import numpy as np

from isocenter.core.errors import InputError

_BINS: Final = 256


def apply_gamma(array: np.ndarray, *, gamma: float) -> np.ndarray:
    """The array with its range bent by a power: below 1 brightens, above 1 darkens; its ends stay, float32.

    >>> apply_gamma(np.array([0.0, 25.0, 100.0]), gamma=0.5).tolist()
    [0.0, 50.0, 100.0]
    """
    if not (np.isfinite(gamma) and gamma > 0):
        raise InputError(f"gamma: expected a positive number, got {gamma}")
    low, span = _range_of(array)
    if span == 0:
        return np.asarray(array, dtype=np.float32)
    return np.asarray(low + span * ((np.asarray(array, dtype=np.float64) - low) / span) ** gamma, dtype=np.float32)


def equalize(array: np.ndarray, *, mask: np.ndarray | None = None, bins: int = _BINS) -> np.ndarray:
    """The array with its values spread so that each brightness is about as frequent as any other, float32.

    mask   bool; only these voxels are counted and changed

    The result keeps the array's range. Source: as scikit-image's `equalize_hist` (cumulative histogram, linear
    between the centres of bins).
    """
    values = np.asarray(array, dtype=np.float32)
    inside = _inside(values, mask)
    low, span = _range_of(inside)
    if span == 0:
        return values.copy()
    counts, edges = np.histogram(inside, bins=bins)
    share = np.cumsum(counts) / inside.size
    changed = values.copy()
    where = np.ones(values.shape, dtype=np.bool_) if mask is None else mask
    changed[where] = low + span * np.interp(inside, (edges[:-1] + edges[1:]) / 2, share)
    return changed


def clahe(
    array: np.ndarray, *, clip_limit: float = 2.0, tiles: Sequence[int] = (8, 8), mask: np.ndarray | None = None
) -> np.ndarray:
    """Adaptive histogram equalisation that limits how much any tile's contrast may grow, float32.

    array        (slices, rows, columns)
    clip_limit   how many times more frequent than on average a brightness may count
    tiles        along rows and columns (each slice by itself), or along slices, rows and columns (in 3-D)
    mask         bool; only these voxels are counted and changed

    The result stays in the array's range. Source: Zuiderveld, Graphics Gems IV, 1994, 474-485; tiles and clipping as
    OpenCV has them, with 256 levels between the least and the greatest value.
    """
    if array.ndim != 3:
        raise InputError(f"CLAHE: expected (slices, rows, columns), got {array.shape}")
    if not clip_limit >= 1:
        raise InputError(f"clip limit: expected at least 1, got {clip_limit}")
    if len(tiles) not in (2, 3) or min(tiles) < 1:
        raise InputError(f"tiles: expected two or three counts of at least 1, got {tuple(tiles)}")
    values = np.asarray(array, dtype=np.float32)
    inside = _inside(values, mask)
    low, span = _range_of(inside)
    if span == 0:
        return values.copy()
    levels = np.clip(np.rint((values - low) * ((_BINS - 1) / span)), 0, _BINS - 1).astype(np.int64)
    counted = np.ones(values.shape, dtype=np.bool_) if mask is None else mask
    if len(tiles) == 3:
        share = _equalise_tiles(levels, counted, clip_limit, tiles)
    else:
        parts = [_equalise_tiles(levels[k], counted[k], clip_limit, tiles) for k in range(len(levels))]
        share = np.stack(parts)
    return np.where(counted, low + np.float32(span) * share, values).astype(np.float32)


def _equalise_tiles(levels: np.ndarray, counted: np.ndarray, clip_limit: float, tiles: Sequence[int]) -> np.ndarray:
    """0 to 1 for each voxel: its level through the tables of the nearest tiles, linear between their centres."""
    counts = [min(count, size) for count, size in zip(tiles, levels.shape, strict=True)]
    sizes = [-(-size // count) for size, count in zip(levels.shape, counts, strict=True)]
    tables = _tables_of(levels, counted, clip_limit, sizes)
    lows, highs, weights = [], [], []
    for size, length, count in zip(sizes, levels.shape, tables.shape, strict=False):
        place = (np.arange(length) + 0.5) / size - 0.5
        floor = np.floor(place).astype(int)
        lows.append(np.clip(floor, 0, count - 1))
        highs.append(np.clip(floor + 1, 0, count - 1))
        weights.append((place - floor).astype(np.float32))
    result = np.zeros(levels.shape, dtype=np.float32)
    for corner in product((0, 1), repeat=levels.ndim):
        index = np.ix_(*(highs[a] if side else lows[a] for a, side in enumerate(corner)))
        weight = np.ones((1,) * levels.ndim, dtype=np.float32)
        for axis, side in enumerate(corner):
            shape = [-1 if other == axis else 1 for other in range(levels.ndim)]
            weight = weight * (weights[axis] if side else 1 - weights[axis]).reshape(shape)
        result += weight * tables[(*index, levels)]
    return result


def _tables_of(levels: np.ndarray, counted: np.ndarray, clip_limit: float, sizes: Sequence[int]) -> np.ndarray:
    """The clipped cumulative histogram of each tile, (tiles …, 256), 0 to 1; an empty tile changes nothing."""
    n_tiles = [-(-length // size) for length, size in zip(levels.shape, sizes, strict=True)]
    tables = np.empty((*n_tiles, _BINS), dtype=np.float32)
    for place in np.ndindex(*n_tiles):
        box = tuple(slice(n * size, (n + 1) * size) for n, size in zip(place, sizes, strict=True))
        found = levels[box][counted[box]]
        if not found.size:
            tables[place] = np.arange(_BINS) / (_BINS - 1)
            continue
        histogram = np.bincount(found, minlength=_BINS).astype(np.float64)
        ceiling = max(clip_limit * found.size / _BINS, 1.0)
        excess = np.maximum(histogram - ceiling, 0).sum()
        histogram = np.minimum(histogram, ceiling) + excess / _BINS
        tables[place] = np.cumsum(histogram) / found.size
    return tables


def _inside(values: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    if mask is None:
        return values.reshape(-1)
    if mask.shape != values.shape or mask.dtype != np.bool_:
        raise InputError(f"mask: expected bool of shape {values.shape}, got {mask.dtype} of {mask.shape}")
    if not mask.any():
        raise InputError("mask: expected voxels in it, got an empty one; leave it out")
    return np.asarray(values[mask])


def _range_of(values: np.ndarray) -> tuple[float, float]:
    """The least value and how far the greatest is above it."""
    low, high = float(values.min()), float(values.max())
    return low, high - low
