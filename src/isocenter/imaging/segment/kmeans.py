"""k-means: any number of features by Lloyd's steps, plain numbers as the best intervals."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from isocenter.core.errors import InputError

# Bins of numbers: those that the exact search runs over, and those that its answer is refined on.
_COARSE: Final = 512
FINE_BINS: Final = 65536
_MOST_CLASSES: Final = 64
_STARTS: Final = 8
_SAMPLE: Final = 20_000
_LLOYD_STEPS: Final = 100


def require_classes(classes: int, n_different: int) -> None:
    """Raise InputError unless there can be so many classes of so many different values."""
    if not 2 <= classes <= _MOST_CLASSES:
        raise InputError(f"classes: expected 2 to {_MOST_CLASSES}, got {classes}")
    if n_different < classes:
        raise InputError(f"classes: expected at least {classes} different intensities, got {n_different}")


def kmeans(features: np.ndarray, classes: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Class of each row (0 …) and the class means, the best of several starts spread over a sample.

    features   (samples, numbers)

    Source: Arthur & Vassilvitskii, k-means++, SODA 2007:1027-1035.
    """
    n = features.shape[0]
    sample = features if n <= _SAMPLE else features[rng.choice(n, _SAMPLE, replace=False)]
    best, best_cost = np.empty(0), np.inf
    for _ in range(_STARTS):
        centres, cost = _lloyd(sample, _spread_centres(sample, classes, rng))
        if cost < best_cost:
            best, best_cost = centres, cost
    if n > _SAMPLE:
        best, _ = _lloyd(features, best)
    return _nearest(features, best)[0], best


def interval_limits(values: np.ndarray, classes: int) -> np.ndarray:
    """Where intervals of numbers end that have the least squared distance to their means: all ends but the last.

    Found exactly on a coarse histogram, then moved by Lloyd's steps on a fine one. Source: Fisher WD, J Am Stat Assoc
    1958;53:789-798.

    >>> interval_limits(np.array([1.0, 2.0, 9.0, 10.0, 30.0]), 3).tolist()
    [5.5, 19.75]

    Raises InputError for fewer different values than classes.
    """
    x, mass = value_histogram(values, FINE_BINS)
    require_classes(classes, x.size)
    groups = np.array_split(np.arange(x.size), min(_COARSE, x.size))
    starts = np.array([group[0] for group in groups])
    sums = [np.add.reduceat(mass * x**power, starts) for power in (0, 1, 2)]
    edges = np.append(starts, x.size)[_best_cuts(sums, classes)]
    limits = np.empty(0)
    for _ in range(_LLOYD_STEPS):
        parts = [slice(a, b) for a, b in pairwise((0, *edges, x.size))]
        means = np.array([np.average(x[part], weights=mass[part]) for part in parts])
        limits = (means[1:] + means[:-1]) / 2
        moved = np.searchsorted(x, limits, side="right")
        if np.array_equal(moved, edges):
            break
        edges = moved
    return limits


def _best_cuts(sums: Sequence[np.ndarray], classes: int) -> np.ndarray:
    """Where to cut a row of groups into classes of least squared distance to the mean, by dynamic programming.

    sums   of mass, mass times value, mass times squared value in each group
    """
    n = sums[0].size
    total, first, second = (np.concatenate(([0.0], np.cumsum(part))) for part in sums)
    # cost[a, b] of the class of groups a … b-1
    mass = np.where(np.tri(n + 1, dtype=np.bool_), 1, total[None, :] - total[:, None])
    cost = (second[None, :] - second[:, None]) - (first[None, :] - first[:, None]) ** 2 / mass
    cost[np.tri(n + 1, dtype=np.bool_)] = np.inf
    best, back = cost[0], []
    for _ in range(classes - 1):
        joint = best[:, None] + cost
        back.append(joint.argmin(axis=0))
        best = joint.min(axis=0)
    cuts, end = [], n
    for choice in reversed(back):
        end = int(choice[end])
        cuts.append(end)
    return np.array(cuts[::-1], dtype=int)


def value_histogram(values: np.ndarray, n_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Different values and how often they occur; where they are too many, the means of bins of equal width."""
    low, high = float(values.min()), float(values.max())
    if high > low:
        place = np.minimum(((values - low) * (n_bins / (high - low))).astype(np.int64), n_bins - 1)
    else:
        place = np.zeros(values.size, dtype=np.int64)
    count = np.bincount(place, minlength=n_bins)
    kept = count > 0
    return np.bincount(place, values, minlength=n_bins)[kept] / count[kept], count[kept].astype(float)


def _lloyd(features: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, float]:
    """Class means after Lloyd's steps, and the sum of squared distances to them."""
    cost = np.inf
    for _ in range(_LLOYD_STEPS):
        labels, squares = _nearest(features, centres)
        now = float(squares.sum())
        if now > cost * (1 - 1e-6):
            break
        cost = now
        count = np.bincount(labels, minlength=len(centres))
        sums = np.stack([np.bincount(labels, column, minlength=len(centres)) for column in features.T], axis=1)
        centres = np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], centres)
    return centres, cost


def _nearest(features: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest centre of each row and the squared distance to it, some rows at a time."""
    labels = np.empty(features.shape[0], dtype=np.int64)
    squares = np.empty(features.shape[0])
    half = (centres**2).sum(axis=1) / 2
    for start in range(0, features.shape[0], FINE_BINS):
        part = slice(start, start + FINE_BINS)
        scores = features[part] @ centres.T - half
        labels[part] = scores.argmax(axis=1)
        squares[part] = ((features[part] - centres[labels[part]]) ** 2).sum(axis=1)
    return labels, squares


def _spread_centres(features: np.ndarray, classes: int, rng: np.random.Generator) -> np.ndarray:
    """Rows drawn one after the other, each with a chance that grows with the squared distance to those before."""
    chosen = [features[rng.integers(features.shape[0])]]
    squares = np.full(features.shape[0], np.inf)
    for _ in range(classes - 1):
        squares = np.minimum(squares, ((features - chosen[-1]) ** 2).sum(axis=1))
        total = squares.sum()
        chance = squares / total if total > 0 else None
        chosen.append(features[rng.choice(features.shape[0], p=chance)])
    return np.asarray(chosen, dtype=np.float64)
