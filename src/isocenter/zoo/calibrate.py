"""From logits to probabilities that mean what they say, and from a probability to a class at an operating point.

A card's `calibration` table: {method = "none"}, {method = "temperature", temperature = T} (logits / T) or
{method = "vector", scale = [..], bias = [..]} (logits · scale + bias, per class). It was fitted on validation data.
Source: Guo et al. 2017, On Calibration of Modern Neural Networks (temperature and vector scaling).
"""

from collections.abc import Mapping

import numpy as np

from isocenter.core.card import ModelCard, OperatingPoint
from isocenter.core.errors import InputError, PackageError


def class_logits(outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The output named "logits" in double precision; raises PackageError where the model has none."""
    if "logits" not in outputs:
        raise PackageError(f"model: expected an output named logits, got {sorted(outputs)}")
    return np.asarray(outputs["logits"], dtype=np.float64)


def probabilities(card: ModelCard, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Calibrated probabilities: (N, classes) summing to 1; for one logit channel, its sigmoid in the same shape.

    outputs   what the predictor gave, by name; "logits" is (N, classes), (N, classes, …) for label maps
              (classes on axis 1) or (N, 1, …) for a mask
    """
    logits = calibrated_logits(card.calibration, class_logits(outputs))
    if logits.shape[1] == 1:
        return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)))
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def calibrated_logits(calibration: Mapping[str, object], logits: np.ndarray) -> np.ndarray:
    """Logits after the card's calibration, same shape; classes on axis 1."""
    method = calibration.get("method", "none")
    if method == "none":
        return logits
    if method == "temperature":
        return np.asarray(logits / float(str(calibration["temperature"])))
    if method == "vector":
        per_class = (1, -1) + (1,) * (logits.ndim - 2)
        scale = np.asarray(calibration["scale"], dtype=np.float64).reshape(per_class)
        bias = np.asarray(calibration["bias"], dtype=np.float64).reshape(per_class)
        return np.asarray(logits * scale + bias)
    raise PackageError(f"card calibration: expected none, temperature or vector, got {str(method)[:40]!r}")


def operating_point(card: ModelCard, name: str) -> OperatingPoint:
    """The card's operating point of that name. Raises InputError if it has none."""
    for point in card.operating_points:
        if point.name == name:
            return point
    known = [point.name for point in card.operating_points]
    raise InputError(f"operating point: expected one of {known}, got {name!r}")


def is_positive(card: ModelCard, point: OperatingPoint, probability: np.ndarray) -> np.ndarray:
    """Whether each row of (N, classes) probabilities reaches the point's threshold, shape (N,), bool."""
    return np.asarray(probability[:, card.classes.index(point.class_name)] >= point.threshold)
