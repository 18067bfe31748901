"""Masks by threshold: given limits, Otsu's one limit, or several."""

from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.components import label_components

# An integer image with a wider range is counted in this many bins.
_MOST_BINS: Final = 4096


def threshold(array: np.ndarray, *, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """Which voxels lie from `low` to `high`, both included; NaN lies nowhere."""
    if not low <= high:
        raise InputError(f"threshold: expected low <= high, got {low} and {high}")
    return np.asarray((array >= low) & (array <= high))


def hysteresis(array: np.ndarray, *, low: float, high: float) -> np.ndarray:
    """Which voxels of at least `low` hang together, by faces, edges or corners, with one of at least `high`; bool.

    Raises InputError for low > high. Source: Canny J. IEEE PAMI 1986;8(6):679-698, section VIII.
    """
    if not low <= high:
        raise InputError(f"hysteresis: expected low <= high, got {low} and {high}")
    labels, count = label_components(np.asarray(array >= low))
    keep = np.zeros(count + 1, dtype=np.bool_)
    keep[np.unique(labels[np.asarray(array >= high)])] = True
    keep[0] = False
    return np.asarray(keep[labels])


def otsu_limit(array: np.ndarray, *, n_bins: int = 256) -> float:
    """The limit that parts the intensities into two classes with the least spread inside; a voxel above is bright.

    n_bins   for floats; integers are counted value by value

    >>> otsu_limit(np.array([1, 2, 2, 3, 8, 9, 9, 9]))
    3.0

    Raises InputError for a constant image. Source: Otsu N. IEEE Trans Syst Man Cybern 1979;9(1):62-66.
    """
    counts, centres = _histogram(array, n_bins)
    below, above = np.cumsum(counts), np.cumsum(counts[::-1])[::-1]
    mean_below = np.cumsum(counts * centres) / np.maximum(below, 1e-12)
    mean_above = (np.cumsum((counts * centres)[::-1]) / np.maximum(above[::-1], 1e-12))[::-1]
    between = below[:-1] * above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
    return float(centres[int(np.argmax(between))])


def multi_otsu_limits(array: np.ndarray, *, n_classes: int = 3, n_bins: int = 256) -> tuple[float, ...]:
    """The n_classes - 1 limits that part the intensities into classes with the least spread inside.

    Raises InputError where the image has fewer values than classes.
    Source: Liao PS, Chen TS, Chung PC. J Inf Sci Eng 2001;17(5):713-727; solved by dynamic programming.
    """
    if n_classes < 2:
        raise InputError(f"multi-Otsu: expected at least 2 classes, got {n_classes}")
    counts, centres = _histogram(array, n_bins)
    counts, centres = counts[counts > 0], centres[counts > 0]
    if counts.size < n_classes:
        raise InputError(f"multi-Otsu: expected at least {n_classes} different values, got {counts.size}")
    # gain[a, b]: what a class of the bins a to b adds to the variance between classes.
    mass = np.concatenate(((0.0,), np.cumsum(counts)))
    moment = np.concatenate(((0.0,), np.cumsum(counts * centres)))
    width = mass[None, 1:] - mass[:-1, None]
    gain = np.where(width > 0, (moment[None, 1:] - moment[:-1, None]) ** 2 / np.where(width > 0, width, 1), -np.inf)
    best = gain[0]
    splits = []
    for _ in range(n_classes - 1):
        # total[a, b]: the classes before end at bin a, the new one holds the bins a + 1 to b.
        total = best[:-1, None] + gain[1:, :]
        splits.append(np.argmax(total, axis=0))
        best = np.max(total, axis=0)
    limits = []
    end = counts.size - 1
    for split in reversed(splits):
        end = int(split[end])
        limits.append(float(centres[end]))
    return tuple(reversed(limits))


def _histogram(array: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts and the value of each bin: every value for integers, equal bins from smallest to largest for floats."""
    values = array.reshape(-1)
    if np.issubdtype(values.dtype, np.floating):
        values = values[np.isfinite(values)]
    if not values.size or values.min() == values.max():
        raise InputError("Otsu: expected at least two different intensities, got a constant or empty image")
    low, high = values.min(), values.max()
    if np.issubdtype(values.dtype, np.integer) and int(high) - int(low) < _MOST_BINS:
        counts = np.bincount((values.astype(np.int64) - int(low)), minlength=int(high) - int(low) + 1)
        return counts.astype(np.float64), np.arange(int(low), int(high) + 1, dtype=np.float64)
    counts, edges = np.histogram(values, bins=n_bins)
    return counts.astype(np.float64), (edges[:-1] + edges[1:]) / 2
