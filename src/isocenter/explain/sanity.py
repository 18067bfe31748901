"""Whether a heat map deserves belief: does the answer hang on what it marks, and the map on the network at all?

Source: Petsiuk et al. 2018, RISE (deletion and insertion); Zhang et al. 2018 (pointing game);
Adebayo et al. 2018, Sanity Checks for Saliency Maps (randomised weights).
"""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.explain.perturb import Predict

_WRONG_PLACES = 4


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How the class's probability follows the pixels that a heat map calls important, each in 0…1.

    deletion_auc    mean probability while they are taken away, most important first: low is good
    insertion_auc   mean probability while they are put back: high is good
    random_auc      the deletion score of the same map in wrong places: a true map lies below it
    """

    deletion_auc: float
    insertion_auc: float
    random_auc: float


def faithfulness(
    predict: Predict, array: np.ndarray, heat: np.ndarray, *, column: int, rng: np.random.Generator, steps: int = 16
) -> Faithfulness:
    """Deletion and insertion scores of a heat map for one class, and the deletion score that chance would reach.

    array   (channels, rows, columns) or (channels, slices, rows, columns), prepared
    heat    on the same pixels, higher is more important
    rng     for the wrong places: the map is rolled along every axis, which keeps its grain (pixels taken in random
            order would destroy texture everywhere at once, and make any map look good or bad by its smoothness)
    steps   how many shares of the pixels are taken one after the other
    """
    if heat.shape != array.shape[1:]:
        raise InputError(f"faithfulness: expected a map of shape {array.shape[1:]}, got {heat.shape}")
    blank = np.broadcast_to(array.mean(axis=tuple(range(1, array.ndim)), keepdims=True), array.shape)
    deletion = _area(predict, array, blank, heat=heat, column=column, steps=steps)
    insertion = _area(predict, blank, array, heat=heat, column=column, steps=steps)
    misplaced = [
        _area(predict, array, blank, heat=_rolled(heat, rng), column=column, steps=steps) for _ in range(_WRONG_PLACES)
    ]
    return Faithfulness(deletion, insertion, float(np.mean(misplaced)))


def pointing_hit(heat: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the largest value of the map lies inside the mask."""
    return bool(mask.flat[int(np.argmax(heat))])


def energy_inside(heat: np.ndarray, mask: np.ndarray) -> float:
    """Share of the positive heat that lies inside the mask, 0…1; 0 for a map without any."""
    positive = np.maximum(heat, 0).astype(np.float64)
    total = float(positive.sum())
    return float(positive[mask].sum()) / total if total > 0 else 0.0


def rank_correlation(heat: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of two maps, -1…1; 0 where one of them is flat.

    A map of the trained network and one of the same network with random weights should hardly correlate: a method
    whose maps do draws the image, not the answer.
    """
    ranks = [_ranks(each) for each in (heat, other)]
    deviations = [each - each.mean() for each in ranks]
    norm = float(np.linalg.norm(deviations[0]) * np.linalg.norm(deviations[1]))
    return float(deviations[0] @ deviations[1]) / norm if norm > 0 else 0.0


def _area(predict: Predict, start: np.ndarray, end: np.ndarray, *, heat: np.ndarray, column: int, steps: int) -> float:
    """The class's mean probability while `start` turns into `end`, hottest pixels first."""
    n_channels = start.shape[0]
    current = np.array(start, dtype=np.float32).reshape(n_channels, -1)
    target = end.reshape(n_channels, -1)
    images = [current.copy()]
    for part in np.array_split(np.argsort(-heat, axis=None, kind="stable"), steps):
        current[:, part] = target[:, part]
        images.append(current.copy())
    curve = predict(np.stack(images).reshape(len(images), *start.shape))[:, column]
    return float(np.trapezoid(curve) / steps)


def _rolled(heat: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The map moved by at least a quarter along every axis, round the edges."""
    shifts = [int(rng.integers(n // 4, n - n // 4 + 1)) for n in heat.shape]
    return np.roll(heat, shifts, axis=tuple(range(heat.ndim)))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks with ties sharing their mean."""
    _, inverse, counts = np.unique(values.ravel(), return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])
