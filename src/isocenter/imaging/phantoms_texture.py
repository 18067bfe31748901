"""Mosaics of textures with known truth: regions with curved borders, each filled with its own generated pattern."""

from collections.abc import Callable
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume

# Every texture of a mosaic has this mean and standard deviation: what tells them apart is their pattern.
_MEAN, _SPREAD = 128.0, 40.0


def texture_mosaic(
    size: int, *, n_textures: int, rng: np.random.Generator, names: tuple[str, ...] = ()
) -> tuple[Volume, np.ndarray]:
    """A square picture (0 to 255) of textures of equal mean and contrast, and the texture of each pixel (1 …).

    size    pixels along each side
    names   which textures, of TEXTURES; drawn where none are named

    Raises InputError for more textures than there are.
    """
    if not 2 <= n_textures <= len(TEXTURES) or (names and len(names) != n_textures):
        raise InputError(f"mosaic: expected 2 to {len(TEXTURES)} textures and as many names, got {n_textures}")
    chosen = names or tuple(rng.choice(list(TEXTURES), n_textures, replace=False))
    truth = _curved_regions(size, n_textures, rng)
    picture = np.zeros((size, size))
    for label, name in enumerate(chosen, start=1):
        patch = TEXTURES[name](size, rng)
        patch = (patch - patch.mean()) / patch.std() * _SPREAD + _MEAN
        picture[truth == label] = patch[truth == label]
    array = np.clip(np.round(picture), 0, 255).astype(np.uint8)[None]
    return Volume(array, Grid.of_pixels(array.shape)), truth[None]


def _curved_regions(size: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Regions of about equal area with wavy borders: the nearest of spread sites, seen through a bent plane."""
    angles = rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(count - 1) / (count - 1)
    sites = np.concatenate(([[0.5, 0.5]], 0.5 + 0.36 * np.stack((np.cos(angles), np.sin(angles)), axis=1)))
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    phase = rng.uniform(0, 2 * np.pi, (2, 2))
    bent = (
        y + 0.03 * np.sin(2 * np.pi * 2 * x + phase[0, 0]) + 0.015 * np.sin(2 * np.pi * 5 * x + phase[0, 1]),
        x + 0.03 * np.sin(2 * np.pi * 2 * y + phase[1, 0]) + 0.015 * np.sin(2 * np.pi * 5 * y + phase[1, 1]),
    )
    distance = [(bent[0] - a) ** 2 + (bent[1] - b) ** 2 - (0.02 if n == 0 else 0) for n, (a, b) in enumerate(sites)]
    return np.asarray(np.argmin(distance, axis=0) + 1, dtype=np.int32)


def _plane(size: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:size, :size].astype(float)
    return y, x


def _smooth_noise(size: int, rng: np.random.Generator, sigma: tuple[float, float]) -> np.ndarray:
    from scipy import ndimage

    field = ndimage.gaussian_filter(rng.normal(size=(size, size)), sigma, mode="wrap")
    return np.asarray(field / field.std())


def _stripes(size: int, rng: np.random.Generator, angle: float, period: float) -> np.ndarray:
    """Wavy stripes with a little noise."""
    y, x = _plane(size)
    wobble = 0.8 * _smooth_noise(size, rng, (12, 12))
    phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + wobble
    return np.asarray(np.sin(phase) + 0.3 * rng.normal(size=(size, size)))


def _weave(size: int, rng: np.random.Generator) -> np.ndarray:
    y, x = _plane(size)
    over = (np.floor(x / 6) + np.floor(y / 6)) % 2
    threads = np.where(over > 0, np.sin(2 * np.pi * x / 6), np.sin(2 * np.pi * y / 6))
    return np.asarray(threads + 0.4 * rng.normal(size=(size, size)))


def _bricks(size: int, rng: np.random.Generator) -> np.ndarray:
    y, x = _plane(size)
    row = np.floor(y / 10)
    joint = (y % 10 < 2) | ((x + 9 * (row % 2)) % 18 < 2)
    tones = rng.normal(size=(size // 10 + 2, size // 18 + 3))
    brick = tones[row.astype(int), ((x + 9 * (row % 2)) // 18).astype(int)]
    return np.asarray(np.where(joint, -1.5, 0.3 * brick + 0.5) + 0.3 * rng.normal(size=(size, size)))


def _spots(size: int, rng: np.random.Generator) -> np.ndarray:
    from scipy import ndimage

    points = (rng.random((size, size)) < 0.012).astype(float)
    return np.asarray(ndimage.gaussian_filter(points, 1.8, mode="wrap") * 60 + 0.15 * rng.normal(size=(size, size)))


def _cells(size: int, rng: np.random.Generator) -> np.ndarray:
    """Borders of Voronoi cells, as of leather or scales."""
    from scipy.spatial import cKDTree

    count = size * size // 90
    near, _ = cKDTree(rng.uniform(0, size, (count, 2))).query(np.stack(_plane(size), axis=-1), k=2)
    return np.asarray(np.minimum(near[..., 1] - near[..., 0], 3.0) + 0.2 * rng.normal(size=(size, size)))


TEXTURES: Final[dict[str, Callable[[int, np.random.Generator], np.ndarray]]] = {
    "grain": lambda size, rng: rng.normal(size=(size, size)),
    "cloud": lambda size, rng: _smooth_noise(size, rng, (2.5, 2.5)),
    "sand": lambda size, rng: _smooth_noise(size, rng, (1.0, 1.0)),
    "straw": lambda size, rng: _smooth_noise(size, rng, (4.0, 0.8)),
    "hair": lambda size, rng: _smooth_noise(size, rng, (0.8, 4.0)),
    "stripes": lambda size, rng: _stripes(size, rng, np.pi / 4, 8),
    "ripples": lambda size, rng: _stripes(size, rng, -np.pi / 5, 14),
    "weave": _weave,
    "bricks": _bricks,
    "spots": _spots,
    "cells": _cells,
}
