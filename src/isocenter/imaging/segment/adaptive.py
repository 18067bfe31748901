"""Thresholds that follow a drifting background: from tiles, from the local mean, Sauvola's."""

from collections.abc import Sequence
from typing import Final, Literal

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.segment.inputs import gray_array, require_contrast
from isocenter.imaging.segment.markers import two_means
from isocenter.imaging.segment.threshold import otsu_limit

# Tiles along the longest axis, and the least voxels along an axis of a tile.
_TILES: Final = 6
_LEAST_TILE: Final = 12
# A tile has two classes when their spread makes up this share of the tile's variance, and their distance this share
# of that between the whole image's classes.
_TWO_CLASSES: Final = 0.7
_CONTRAST: Final = 0.35


def adaptive_threshold(
    volume: Volume,
    *,
    method: Literal["tiles", "mean", "sauvola"] = "tiles",
    size: int | None = None,
    offset: float = 0.0,
    k: float = 0.2,
) -> np.ndarray:
    """The voxels brighter than a limit that changes over the image, bool.

    method   "tiles": Otsu's limit of each tile that shows two classes, interpolated between tiles; "mean": the mean
             of each voxel's square; "sauvola": that mean lowered where the square is even, by k
    size     of a tile or square in pixels (odd for squares); a sixth of the image where not given. Tiles have as
             many slices; squares lie in the slice
    offset   added to every limit, in the image's unit
    k        of Sauvola's formula

    Raises InputError for a constant image or a size that does not fit.
    Source: Chow CK, Kaneko T. Comput Biomed Res 1972;5:388-410; Sauvola J, Pietikainen M. Pattern Recognit 2000;33:225.
    """
    array = gray_array(volume)
    require_contrast(array, "adaptive")
    if size is not None and size < 2:
        raise InputError(f"--size: expected at least 2 pixels, got {size}")
    if method == "tiles":
        limits = tile_limits(array, size=size)
    else:
        width = size or max(3, max(array.shape[1:]) // _TILES // 2 * 2 + 1)
        limits = local_limits(array, size=width, k=k if method == "sauvola" else None)
    return np.asarray(array > limits + np.float32(offset))


def local_limits(array: np.ndarray, *, size: int, k: float | None = None) -> np.ndarray:
    """The mean over each pixel's square, or Sauvola's mean * (1 + k * (deviation / half the range - 1)), float32.

    size   odd, in pixels of a slice; beyond the border the picture is mirrored

    Raises InputError for an even size or one larger than the slices.
    """
    if size % 2 == 0 or size < 3 or size > 2 * min(array.shape[1:]) - 1:
        raise InputError(f"--size: expected an odd number from 3 to twice the image's shorter side, got {size}")
    half_range = (float(array.max()) - float(array.min())) / 2
    limits = np.empty(array.shape, dtype=np.float32)
    for index, picture in enumerate(array):
        padded = cv2.copyMakeBorder(picture.astype(np.float64), *(size // 2,) * 4, cv2.BORDER_REFLECT)
        inner = (slice(size // 2, -(size // 2)),) * 2
        mean = cv2.boxFilter(padded, cv2.CV_64F, (size, size))[inner]
        if k is None:
            limits[index] = mean
            continue
        square = cv2.boxFilter(np.square(padded), cv2.CV_64F, (size, size))[inner]
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        limits[index] = mean * (1 + k * (spread / half_range - 1))
    return limits


def tile_limits(array: np.ndarray, *, size: int | None = None) -> np.ndarray:
    """Otsu's limit of every tile that shows two classes, spread smoothly over the voxels between, float32.

    Raises InputError for a constant image.
    Source: Chow CK, Kaneko T. Automatic boundary detection of the left ventricle. Comput Biomed Res 1972;5:388-410.
    """
    whole = otsu_limit(array)
    bright, dark = two_means(array, whole)
    width = size or max(_LEAST_TILE, max(array.shape) // _TILES)
    starts = [_tile_starts(n, width) for n in array.shape]
    limits = np.full([len(s) for s in starts], np.nan)
    for place in np.ndindex(limits.shape):
        box = tuple(slice(s[p], s[p] + width) for s, p in zip(starts, place, strict=True))
        limits[place] = _limit_of_tile(array[box], bright - dark)
    if np.isnan(limits).all():
        return np.full(array.shape, whole, dtype=np.float32)
    limits = _filled(limits)
    for axis, (n, start) in enumerate(zip(array.shape, starts, strict=True)):
        limits = _stretched(limits, axis, n, np.array(start) + (min(width, n) - 1) / 2)
    return np.asarray(limits, dtype=np.float32)


def _tile_starts(n: int, width: int) -> list[int]:
    """First voxels of tiles that overlap by half and reach from border to border."""
    if n <= width:
        return [0]
    count = -(-2 * (n - width) // width) + 1
    return [int(start) for start in np.linspace(0, n - width, count)]


def _limit_of_tile(tile: np.ndarray, contrast: float) -> float:
    """Otsu's limit, NaN where the tile shows one class only."""
    if tile.min() == tile.max():
        return float("nan")
    limit = otsu_limit(tile)
    bright, dark = two_means(tile, limit)
    share = float(np.mean(tile > limit))
    between = share * (1 - share) * (bright - dark) ** 2
    two = between > _TWO_CLASSES * float(tile.var()) and bright - dark > _CONTRAST * contrast
    return (bright + dark) / 2 if two else float("nan")


def _filled(limits: np.ndarray) -> np.ndarray:
    """The limits with each missing one taken from all others, the nearer the more."""
    known = np.argwhere(np.isfinite(limits))
    filled = limits.copy()
    for place in np.argwhere(np.isnan(limits)):
        weights = 1 / np.square(known - place).sum(axis=1) ** 1.5
        filled[tuple(place)] = float((weights * limits[tuple(known.T)]).sum() / weights.sum())
    return filled


def _stretched(limits: np.ndarray, axis: int, n: int, centres: Sequence[float] | np.ndarray) -> np.ndarray:
    """Linear between the tiles' centres along one axis, constant beyond them."""
    at = np.interp(np.arange(n), centres, np.arange(len(centres)))
    low = np.minimum(at.astype(int), max(0, len(centres) - 2))
    weight = (at - low).reshape([-1 if a == axis else 1 for a in range(3)])
    high = np.minimum(low + 1, len(centres) - 1)
    return np.asarray(np.take(limits, low, axis) * (1 - weight) + np.take(limits, high, axis) * weight)
