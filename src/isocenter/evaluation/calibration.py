"""Whether a probability means what it says, and how to make it so on validation data."""

from typing import Any

import numpy as np
from scipy.optimize import minimize

from isocenter.core.errors import InputError


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits (n, classes)."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def negative_log_likelihood(logits: np.ndarray, truth: np.ndarray) -> float:
    """Mean surprise in nats at the truth; logits (n, classes)."""
    top = logits.max(axis=1)
    total = top + np.log(np.exp(logits - top[:, np.newaxis]).sum(axis=1))
    return float((total - logits[np.arange(len(truth)), truth]).mean())


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> dict[str, Any]:
    """A card's calibration {"method": "temperature", "temperature": T} that makes the likelihood of the truth largest.

    Source: Guo, Pleiss, Sun, Weinberger, ICML 2017.
    """
    logits, truth = _checked(logits, truth)
    found = minimize(
        lambda log_t: negative_log_likelihood(logits / np.exp(log_t[0]), truth), [0.0], method="L-BFGS-B",
        bounds=[(np.log(0.05), np.log(20.0))],
    )  # fmt: skip
    return {"method": "temperature", "temperature": float(np.exp(found.x[0]))}


def fit_vector(logits: np.ndarray, truth: np.ndarray, *, decay: float = 1e-2) -> dict[str, Any]:
    """A card's calibration with a scale and a bias per class; `decay` draws it to one temperature and no bias.

    Source: vector scaling of Guo et al., ICML 2017.
    """
    logits, truth = _checked(logits, truth)
    n_classes = logits.shape[1]
    start = np.concatenate(
        [np.full(n_classes, -np.log(fit_temperature(logits, truth)["temperature"])), np.zeros(n_classes)]
    )

    def cost(values: np.ndarray) -> float:
        scale, bias = np.exp(values[:n_classes]), values[n_classes:]
        pull = ((values[:n_classes] - values[:n_classes].mean()) ** 2).sum() + (bias**2).sum()
        return negative_log_likelihood(logits * scale + bias, truth) + decay * float(pull)

    found = minimize(cost, start, method="L-BFGS-B")
    bias = found.x[n_classes:] - found.x[n_classes:].mean()
    return {"method": "vector", "scale": np.exp(found.x[:n_classes]).tolist(), "bias": bias.tolist()}


def calibration_error(truth: np.ndarray, probability: np.ndarray, *, n_bins: int = 15) -> float:
    """Expected calibration error of the top class: mean gap between confidence and accuracy over bins of equal count.

    Source: Nguyen, O'Connor, EMNLP 2015 (adaptive bins).
    """
    confidence = np.asarray(probability).max(axis=1)
    right = np.asarray(probability).argmax(axis=1) == truth
    order = np.argsort(confidence, kind="stable")
    bins = [part for part in np.array_split(order, min(n_bins, len(order))) if part.size]
    return float(sum(abs(confidence[part].mean() - right[part].mean()) * part.size for part in bins) / len(order))


def brier_score(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean squared distance between probabilities (n, classes) and the truth as 0 and 1, summed over classes.

    Source: Brier, Monthly Weather Review 1950;78:1-3.
    """
    probability = np.asarray(probability, dtype=np.float64)
    target = np.eye(probability.shape[1])[np.asarray(truth)]
    return float(((probability - target) ** 2).sum(axis=1).mean())


def reliability_curve(truth: np.ndarray, probability: np.ndarray, *, n_bins: int = 10) -> np.ndarray:
    """Rows of (mean confidence, accuracy, count) over bins of equal count, (bins, 3)."""
    confidence = np.asarray(probability).max(axis=1)
    right = np.asarray(probability).argmax(axis=1) == truth
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, min(n_bins, len(order))) if part.size]
    return np.array([(confidence[part].mean(), right[part].mean(), part.size) for part in parts])


def _checked(logits: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, classes) in double precision and class numbers (n,)."""
    logits, truth = np.asarray(logits, dtype=np.float64), np.asarray(truth)
    if logits.ndim != 2 or truth.shape != logits.shape[:1] or not np.isfinite(logits).all() or not len(truth):
        raise InputError(
            f"calibration: expected finite logits (n, classes) and n truths, got {logits.shape}, {truth.shape}"
        )
    return logits, truth
