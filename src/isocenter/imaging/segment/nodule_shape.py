"""How a blob hangs in the lung: free all round, on the pleura, on a vessel, or a vessel itself.

A vessel goes on beyond the blob as thick as it is; what a nodule hangs on is thinner. The measure is the widest cap of
directions in which tissue stands a little outside the blob: its chord against the blob's own radius.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from isocenter.imaging.segment.ellipsoid_fit import directions
from isocenter.imaging.segment.grids import Triple
from isocenter.imaging.segment.lungs import Lungs

_CAPS_DEG = tuple(range(12, 66, 4))
_CAP_COVERAGE = 0.85


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a blob.

    neck      radius of the thickest thing that leaves it inside the lung, over its own radius
    wall      share of directions that leave the lung's hull
    free      share of directions that end in aerated lung
    """

    neck: float
    wall: float
    free: float


@cache
def _cap_weights() -> tuple[np.ndarray, ...]:
    """For each cap angle the row-normalised membership matrix."""
    angle = np.degrees(np.arccos(np.clip(directions() @ directions().T, -1, 1)))
    members = [(angle <= cap).astype(np.float32) for cap in _CAPS_DEG]
    return tuple(m / m.sum(axis=1, keepdims=True) for m in members)


def sample_linear(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Trilinear samples of (slices, rows, columns) at fractional indices (..., 3), edges repeated; float32."""
    limits = np.array(values.shape) - 1
    at = np.clip(index, 0, limits)
    low = np.minimum(at.astype(np.int32), np.maximum(limits - 1, 0))
    weight = (at - low).astype(np.float32)
    high = np.minimum(low + 1, limits)
    total = np.zeros(index.shape[:-1], np.float32)
    for corner in range(8):
        bits = [(corner >> axis) & 1 for axis in range(3)]
        k, j, i = (high[..., a] if bit else low[..., a] for a, bit in enumerate(bits))
        share = np.ones(index.shape[:-1], np.float32)
        for a, bit in enumerate(bits):
            share *= weight[..., a] if bit else 1 - weight[..., a]
        total += share * values[k, j, i]
    return total


def in_hull(lungs: Lungs, index: np.ndarray) -> np.ndarray:
    """Whether fine indices (..., 3) lie in the lungs' hull."""
    coarse = np.round(lungs.coarse.to_coarse(index)).astype(np.int32)
    k, j, i = (np.clip(coarse[..., a], 0, lungs.hull.shape[a] - 1) for a in range(3))
    return np.asarray(lungs.hull[k, j, i] > 0)


def blob_radii(
    hu: np.ndarray, spacing_mm: Triple, centres: np.ndarray, radii_mm: np.ndarray, lung_hu: float
) -> np.ndarray:
    """Median distance, over directions that end in lung, at which each blob falls below half its height; (n,).

    centres    (n, 3) fine indices
    radii_mm   (n,) rough radii
    """
    toward = directions()[::5]
    steps = np.linspace(0.15, 2.4, 16)
    way = steps[None, None, :, None] * radii_mm[:, None, None, None] * toward[None, :, None, :]
    values = sample_linear(hu, centres[:, None, None, :] + way / np.array(spacing_mm))
    middle = np.clip(values[:, :, :2].mean(axis=(1, 2)), lung_hu + 150, 150)
    below = values < ((middle + lung_hu) / 2)[:, None, None]
    first = np.where(below.any(axis=2), steps[below.argmax(axis=2)], np.nan)
    first[:, 0] = np.where(np.isnan(first).all(axis=1), 0.0, first[:, 0])
    return np.asarray(np.nanmedian(first, axis=1) * radii_mm)


def look_around(
    hu: np.ndarray, spacing_mm: Triple, centres: np.ndarray, surface_mm: np.ndarray, lungs: Lungs
) -> list[Surroundings]:
    """What stands around each blob.

    centres      (n, 3) fine indices
    surface_mm   (n, directions) or (n, 1): distance from the centre to the surface
    """
    reach = 1.35 * surface_mm + 1.2
    index = centres[:, None, :] + reach[..., None] * directions()[None] / np.array(spacing_mm)
    own = np.median(np.broadcast_to(surface_mm, index.shape[:2]), axis=1)
    level = (lungs.lung_hu + 30.0) / 2
    tissue = sample_linear(hu, index) > level
    inside = in_hull(lungs, index)
    branch = (tissue & inside).astype(np.float32)
    span = np.broadcast_to(reach, index.shape[:2])
    neck = np.zeros(len(centres))
    for cap, weights in zip(_CAPS_DEG, _cap_weights(), strict=True):
        covered = (branch @ weights.T) >= _CAP_COVERAGE
        chord = np.where(covered, span * np.sin(np.radians(cap)), 0).max(axis=1)
        neck = np.maximum(neck, chord / own)
    wall = (tissue & ~inside).mean(axis=1)
    free = (~tissue).mean(axis=1)
    return [Surroundings(float(n), float(w), float(f)) for n, w, f in zip(neck, wall, free, strict=True)]
