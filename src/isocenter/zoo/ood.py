"""Whether an input looks like what the model has learnt from: a score, and the limit above which nobody should answer.

A card's `ood` table names the method; higher scores are stranger, and a score above the limit abstains:

    {method = "none"}                                              score 0, limit 1
    {method = "mahalanobis", mean, whitening, limit, normalise}    smallest squared distance of features to a class
    {method = "nearest", bank, k, limit}                           1 - cosine similarity to the k-th nearest case
    {method = "classes", classes = ["foreign"], limit}             summed probability of those classes
    {method = "max-probability", limit}                            1 - largest calibrated probability
    {method = "energy", limit}                                     -log sum exp(logits)
    {method = "any", parts = [ … ]}                                the worst part, as (score - limit) / scale; limit 0

mean        (classes, d); whitening (k, d): squared distance = |whitening · (features - mean)|², so that
            whiteningᵀ·whitening is the inverse of the shared covariance (a low-rank one has k < d rows)
normalise   true: features are scaled to length 1 first (as they must have been when mean and whitening were made)
bank        (cases, d), rows of length 1
scale       of a part under "any": how many units of its score count as one; default 1
features    come from the output named "features", (N, d)

Arrays may stand in the card as lists or lie in the package (`cards.array_member`).
Source: Lee et al. 2018 (Mahalanobis), Sun et al. 2022 (nearest neighbours), Liu et al. 2020 (energy),
Hendrycks and Gimpel 2017 (maximum probability).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from isocenter.core.card import ModelCard
from isocenter.core.errors import PackageError
from isocenter.zoo.calibrate import class_logits, probabilities

METHODS: dict[str, frozenset[str]] = {
    "none": frozenset(),
    "mahalanobis": frozenset({"mean", "whitening", "limit"}),
    "nearest": frozenset({"bank", "k", "limit"}),
    "classes": frozenset({"classes", "limit"}),
    "max-probability": frozenset({"limit"}),
    "energy": frozenset({"limit"}),
    "any": frozenset({"parts"}),
}
_OPTIONAL = frozenset({"method", "normalise", "scale"})


def ood_score(card: ModelCard, outputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, float]:
    """How strange each input is, shape (N,), and the limit: a score above it is out of distribution.

    outputs   what the predictor gave, by name

    Raises PackageError if the card's table is not one of the methods above.
    """
    return _score(card, dict(card.ood) or {"method": "none"}, outputs)


def check_ood(table: Mapping[str, Any], classes: tuple[str, ...]) -> None:
    """Raise PackageError unless the table names a method and has exactly its entries.

    classes   the card's; what "classes" names must be among them
    """
    method = table.get("method", "none")
    if method not in METHODS:
        raise PackageError(f"card ood: expected one of {sorted(METHODS)}, got {str(method)[:40]!r}")
    entries = set(table) - _OPTIONAL
    if entries != METHODS[method]:
        raise PackageError(
            f"card ood: expected the entries {sorted(METHODS[method])} of {method}, got {sorted(entries)}"
        )
    if not set(table.get("classes", ())) <= set(classes):
        raise PackageError(f"card ood: expected classes of the card, got {table['classes']}")
    for part in table.get("parts", []):
        check_ood(part, classes)


def _score(card: ModelCard, table: Mapping[str, Any], outputs: Mapping[str, np.ndarray]) -> tuple[np.ndarray, float]:
    method = table.get("method")
    if method == "any":
        return _worst(card, table["parts"], outputs), 0.0
    n = next(iter(outputs.values())).shape[0]
    if method == "none":
        return np.zeros(n), 1.0
    if method == "mahalanobis":
        score = _mahalanobis(_features(outputs, normalise=bool(table.get("normalise"))), table)
    elif method == "nearest":
        score = _nearest(_features(outputs, normalise=True), table)
    elif method == "classes":
        columns = [card.classes.index(name) for name in table["classes"]]
        score = probabilities(card, outputs)[:, columns].sum(axis=1)
    elif method == "max-probability":
        score = 1 - probabilities(card, outputs).max(axis=1)
    elif method == "energy":
        score = -np.logaddexp.reduce(class_logits(outputs), axis=1)
    else:
        raise PackageError(f"card ood: expected one of {sorted(METHODS)}, got {str(method)[:40]!r}")
    return np.asarray(score, dtype=np.float64), float(table["limit"])


def _worst(card: ModelCard, parts: list[Mapping[str, Any]], outputs: Mapping[str, np.ndarray]) -> np.ndarray:
    rows = []
    for part in parts:
        score, limit = _score(card, part, outputs)
        rows.append((score - limit) / float(part.get("scale", 1.0)))
    return np.asarray(np.max(rows, axis=0))


def _features(outputs: Mapping[str, np.ndarray], *, normalise: bool) -> np.ndarray:
    features = np.asarray(outputs["features"], dtype=np.float64)
    features = features.reshape(features.shape[0], -1)
    if normalise:
        features = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    return features


def _mahalanobis(features: np.ndarray, table: Mapping[str, Any]) -> np.ndarray:
    whitening = np.asarray(table["whitening"], dtype=np.float64)
    here, centres = features @ whitening.T, np.asarray(table["mean"], dtype=np.float64) @ whitening.T
    return np.asarray(((here[:, None] - centres[None]) ** 2).sum(axis=2).min(axis=1))


def _nearest(features: np.ndarray, table: Mapping[str, Any]) -> np.ndarray:
    bank = np.asarray(table["bank"], dtype=np.float64)
    k = min(int(table["k"]), len(bank))
    similarity = features @ bank.T
    return np.asarray(1 - np.partition(similarity, -k, axis=1)[:, -k])
