"""How good classes and probabilities are: confusion, areas under curves, operating points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from isocenter.core.errors import InputError
from isocenter.evaluation.intervals import Estimate, bootstrap, wilson


@dataclass(frozen=True, slots=True)
class OperatingFigures:
    """What a threshold does."""

    threshold: float
    sensitivity: Estimate
    specificity: Estimate
    positive_predictive_value: Estimate | None
    negative_predictive_value: Estimate | None


def confusion_matrix(truth: np.ndarray, answer: np.ndarray, n_classes: int) -> np.ndarray:
    """Counts, (classes, classes): rows are the truth, columns the answer."""
    truth, answer = np.asarray(truth), np.asarray(answer)
    if truth.shape != answer.shape or truth.ndim != 1:
        raise InputError(f"confusion: expected two equal rows of class numbers, got {truth.shape} and {answer.shape}")
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (truth, answer), 1)
    return counts


def accuracy(truth: np.ndarray, probability: np.ndarray) -> Estimate:
    """Share of cases whose largest probability is the truth's, Wilson interval; probability (n, classes)."""
    right = int((np.asarray(probability).argmax(axis=1) == truth).sum())
    return wilson(right, len(truth))


def class_figures(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """precision, recall, specificity and f1 per class, (classes,); NaN where a class never occurs or is never said."""
    confusion = np.asarray(confusion, dtype=np.float64)
    hit, said, there = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    total = confusion.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "precision": hit / said,
            "recall": hit / there,
            "specificity": (total - said - there + hit) / (total - there),
            "f1": 2 * hit / (said + there),
        }


def matthews(confusion: np.ndarray) -> float:
    """Matthews' correlation of any number of classes; 0 where it is not defined.

    Source: Gorodkin, Computational Biology and Chemistry 2004;28:367-374.
    """
    confusion = np.asarray(confusion, dtype=np.float64)
    said, there, total = confusion.sum(axis=0), confusion.sum(axis=1), confusion.sum()
    product = (total**2 - (said**2).sum()) * (total**2 - (there**2).sum())
    return float((np.trace(confusion) * total - said @ there) / np.sqrt(product)) if product > 0 else 0.0


def auc(is_positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive case scores above a negative one, ties half; NaN for one class."""
    is_positive = np.asarray(is_positive, dtype=bool)
    n_positive, n_negative = int(is_positive.sum()), int((~is_positive).sum())
    if not n_positive or not n_negative:
        return float("nan")
    ranks = rankdata(score)
    return float((ranks[is_positive].sum() - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def auc_delong(is_positive: np.ndarray, score: np.ndarray, *, level: float = 0.95) -> Estimate:
    """Area under the ROC curve with DeLong's interval.

    Source: DeLong, DeLong, Clarke-Pearson, Biometrics 1988;44:837-845; ranks as Sun, Xu, IEEE Signal Processing
    Letters 2014;21:1389-1393.
    """
    is_positive, score = np.asarray(is_positive, dtype=bool), np.asarray(score, dtype=np.float64)
    positive, negative = score[is_positive], score[~is_positive]
    if positive.size < 2 or negative.size < 2:
        raise InputError(f"AUC: expected two cases of each class, got {positive.size} and {negative.size}")
    together = rankdata(np.concatenate([positive, negative]))
    above = (together[: positive.size] - rankdata(positive)) / negative.size
    below = 1 - (together[positive.size :] - rankdata(negative)) / positive.size
    value = float(above.mean())
    deviation = np.sqrt(above.var(ddof=1) / positive.size + below.var(ddof=1) / negative.size)
    half = float(ndtri(0.5 + level / 2) * deviation)
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), len(score))


def macro_auc(
    truth: np.ndarray, probability: np.ndarray, *, rng: np.random.Generator, groups: Sequence[str] | None = None
) -> Estimate:
    """Mean over the classes of the one-against-rest area, with its bootstrap interval; probability (n, classes)."""
    truth, probability = np.asarray(truth), np.asarray(probability)

    def mean_area(index: np.ndarray) -> float:
        return float(np.mean([auc(truth[index] == c, probability[index, c]) for c in range(probability.shape[1])]))

    return bootstrap(mean_area, len(truth), rng=rng, groups=groups, n_rounds=1000)


def average_precision(is_positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the precision-recall steps; NaN without positives. Equal scores count as one step."""
    is_positive, score = np.asarray(is_positive, dtype=bool), np.asarray(score, dtype=np.float64)
    if not is_positive.any():
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(is_positive[order])
    last_of_equal = np.append(np.diff(score[order]) != 0, True)
    precision = (hits / np.arange(1, len(score) + 1))[last_of_equal]
    recall = hits[last_of_equal] / hits[-1]
    return float((np.diff(np.concatenate([[0.0], recall])) * precision).sum())


def roc_curve(is_positive: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False-positive share, sensitivity and threshold ("score >= threshold"), from none positive to all."""
    is_positive, score = np.asarray(is_positive, dtype=bool), np.asarray(score, dtype=np.float64)
    order = np.argsort(-score, kind="stable")
    last_of_equal = np.append(np.diff(score[order]) != 0, True)
    hits = np.cumsum(is_positive[order])[last_of_equal]
    false = np.cumsum(~is_positive[order])[last_of_equal]
    thresholds = np.concatenate([[np.inf], score[order][last_of_equal]])
    n_positive, n_negative = max(1, int(is_positive.sum())), max(1, int((~is_positive).sum()))
    return np.concatenate([[0], false / n_negative]), np.concatenate([[0], hits / n_positive]), thresholds


def threshold_for_sensitivity(is_positive: np.ndarray, score: np.ndarray, sensitivity: float) -> float:
    """The highest threshold that still reaches a sensitivity (to be chosen on validation data)."""
    _, reached, thresholds = roc_curve(is_positive, score)
    return float(thresholds[np.flatnonzero(reached >= sensitivity)[0]])


def operating_figures(is_positive: np.ndarray, score: np.ndarray, threshold: float) -> OperatingFigures:
    """Sensitivity, specificity and predictive values at "score >= threshold", with Wilson intervals."""
    is_positive = np.asarray(is_positive, dtype=bool)
    called = np.asarray(score) >= threshold
    hit, false = int((called & is_positive).sum()), int((called & ~is_positive).sum())
    missed, right = int((~called & is_positive).sum()), int((~called & ~is_positive).sum())
    return OperatingFigures(
        threshold,
        wilson(hit, hit + missed),
        wilson(right, right + false),
        wilson(hit, hit + false) if hit + false else None,
        wilson(right, right + missed) if right + missed else None,
    )
