"""Denoising by weighted means of neighbours: bilateral (alike in value) and non-local means (alike in surroundings)."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

import cv2
import numpy as np

from isocenter.core.errors import InputError

# Search reach and patch reach in voxels: pictures, volumes.
_FLAT: Final = ((0, 10, 10), 2)
_SOLID: Final = ((2, 4, 4), 1)
# How fast weights of non-local means fall with the patches' mean squared difference, in the noise's variance.
_NLM_FALL: Final = 0.6
# Bilateral: neighbours this far (voxels), values this far (deviations of the noise).
_NEAR: Final = 1.8
_ALIKE: Final = 3.0
# The work grows with the square of the reach.
_FARTHEST: Final = 50

Weigher = Callable[[np.ndarray, np.ndarray, tuple[int, int, int]], np.ndarray]


def denoise_nlm(array: np.ndarray, *, sigma: float, search: int | None = None) -> np.ndarray:
    """Each voxel the mean of those in its neighbourhood whose surroundings look alike, float32.

    array    (slices, rows, columns)
    sigma    deviation of the noise, in the array's unit
    search   how many voxels the neighbourhood reaches in the plane; 10 in pictures, 4 in volumes

    Source: Buades, Coll & Morel, CVPR 2005;2:60-65; the noise's share is taken off the differences as in their
    IPOL 2011;1:208-212.
    """
    values, flat = _unit(array, sigma)
    if not sigma > 0:
        return values
    reach, patch = _FLAT if flat else _SOLID
    if search is not None:
        if not 1 <= search <= _FARTHEST:
            raise InputError(f"search: expected 1 to {_FARTHEST} voxels, got {search}")
        reach = (min(reach[0], search), search, search)
    box = (1 if flat else 2 * patch + 1, 2 * patch + 1)

    def weigh(one: np.ndarray, other: np.ndarray, offset: tuple[int, int, int]) -> np.ndarray:
        difference = _box_mean(np.square(one - other), box)
        return np.asarray(np.exp(np.minimum(2.0 - difference, 0) / np.float32(_NLM_FALL)))

    return _weighted_mean(values, reach, weigh) * np.float32(sigma)


def denoise_bilateral(array: np.ndarray, *, sigma: float, radius_px: float = _NEAR) -> np.ndarray:
    """Each voxel the mean of near ones of like value, float32.

    array       (slices, rows, columns)
    sigma       deviation of the noise, in the array's unit
    radius_px   deviation of the Gaussian that weighs nearness, in voxels

    Source: Tomasi & Manduchi, ICCV 1998:839-846.
    """
    values, flat = _unit(array, sigma)
    if not 0 < radius_px <= _FARTHEST:
        raise InputError(f"radius: expected a positive number of voxels up to {_FARTHEST}, got {radius_px}")
    if not sigma > 0:
        return values
    far = max(1, round(2 * radius_px))
    reach = (0 if flat else min(far, 2), far, far)

    def weigh(one: np.ndarray, other: np.ndarray, offset: tuple[int, int, int]) -> np.ndarray:
        near = sum(step**2 for step in offset) / (2 * radius_px**2)
        return np.asarray(np.exp(-np.square(one - other) / np.float32(2 * _ALIKE**2) - np.float32(near)))

    return _weighted_mean(values, reach, weigh) * np.float32(sigma)


def _unit(array: np.ndarray, sigma: float) -> tuple[np.ndarray, bool]:
    """The array in deviations of its noise (as it is where there is none), and whether it is one picture."""
    if array.ndim != 3:
        raise InputError(f"denoising: expected (slices, rows, columns), got {array.shape}")
    scale = np.float32(1 / sigma) if sigma > 0 else np.float32(1)
    return np.asarray(array, dtype=np.float32) * scale, array.shape[0] == 1


def _weighted_mean(values: np.ndarray, reach: tuple[int, int, int], weigh: Weigher) -> np.ndarray:
    """The weighted mean over all offsets within a reach; each pair is weighed once and serves both."""
    total, weights = values.copy(), np.ones_like(values)
    for offset in _half_space(reach):
        if any(abs(step) >= size for step, size in zip(offset, values.shape, strict=True)):
            continue
        here = tuple(slice(max(0, -step), size - max(0, step)) for step, size in zip(offset, values.shape, strict=True))
        there = tuple(
            slice(max(0, step), size - max(0, -step)) for step, size in zip(offset, values.shape, strict=True)
        )
        one, other = values[here], values[there]
        weight = weigh(one, other, offset)
        total[here] += weight * other
        weights[here] += weight
        total[there] += weight * one
        weights[there] += weight
    return np.asarray(total / weights)


def _half_space(reach: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
    """Every offset within a reach, but not its opposite, and not 0."""
    for k, j, i in product(*(range(-far, far + 1) for far in reach)):
        if (k, j, i) > (0, 0, 0):
            yield k, j, i


def _box_mean(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The mean over `size` = (slices, pixels) around each voxel; the border is mirrored."""
    flat = np.stack([cv2.blur(picture, (size[1], size[1])).reshape(picture.shape) for picture in values])
    if size[0] == 1 or len(values) == 1:
        return flat
    padded = np.pad(flat, [(size[0] // 2, size[0] // 2), (0, 0), (0, 0)], mode="edge")
    return np.asarray(sum(padded[n : n + len(flat)] for n in range(size[0])) / np.float32(size[0]))
