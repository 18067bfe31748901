"""A card's out-of-distribution table from what the members of a run said of pictures that they never saw."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from isocenter.learning.held_out import HeldOut
from isocenter.zoo.cards import array_member

Table = dict[str, Any]


def fit_mahalanobis(
    held: HeldOut, *, classes: Sequence[int], components: int, accept: float, margin: float = 1.0
) -> tuple[Table, dict[str, bytes]]:
    """The "mahalanobis" table of a committee whose features lie side by side, and its arrays as package members.

    Each member's features are projected on the `components` directions in which they vary most and whitened there by
    the covariance within the classes. A new picture is unseen by every member, so its distance is the sum over all;
    a held-out picture has one member that has not seen it, whose distance counts as often as there are members.

    classes   numbers of the proper classes, which give means and covariance
    accept    share of the held-out proper pictures that lie inside; `margin` widens the limit
    """
    blocks = [_whiten(features, targets, classes, components) for features, targets in held.learned]
    n_members = len(blocks)
    distances = np.zeros(len(held.keys))
    for fold, (means, whitening) in enumerate(blocks):
        here = held.fold == fold
        projected = held.features[here] @ whitening.T
        distances[here] = n_members * _nearest(projected, means @ whitening.T)
    proper = np.isin(held.targets, np.asarray(classes))
    limit = margin * float(np.quantile(distances[proper], accept))
    mean = np.concatenate([means for means, _ in blocks], axis=1)
    rows, columns = blocks[0][1].shape
    whitening = np.zeros((n_members * rows, n_members * columns))
    for index, (_, block) in enumerate(blocks):
        whitening[index * rows : (index + 1) * rows, index * columns : (index + 1) * columns] = block
    mean_entry, mean_bytes = array_member("ood-mean.f32", mean)
    whitening_entry, whitening_bytes = array_member("ood-whitening.f32", whitening)
    table = {"method": "mahalanobis", "mean": mean_entry, "whitening": whitening_entry, "limit": limit}
    return table, {"ood-mean.f32": mean_bytes, "ood-whitening.f32": whitening_bytes}


def fit_foreign_classes(
    held: HeldOut, probability: np.ndarray, names: Sequence[str], *, foreign: Sequence[str], proper: Sequence[str],
    accept: float,
) -> Table:  # fmt: skip
    """The "classes" table: the limit on the foreign classes' summed probability that lets `accept` of the proper pass.

    names   of all classes, in the order of the probabilities; those neither foreign nor proper do not count
    """
    score = probability[:, [list(names).index(name) for name in foreign]].sum(axis=1)
    is_proper = np.isin(held.targets, [list(names).index(name) for name in proper])
    limit = float(np.clip(np.quantile(score[is_proper], accept), 0.02, 0.98))
    return {"method": "classes", "classes": list(foreign), "limit": limit}


def combine(parts: Sequence[Mapping[str, Any]]) -> Table:
    """One table that abstains where any of its parts does; each part's score counts in units of its limit."""
    if len(parts) == 1:
        return dict(parts[0])
    return {"method": "any", "parts": [{**part, "scale": float(part["limit"])} for part in parts]}


def _whiten(
    features: np.ndarray, targets: np.ndarray, classes: Sequence[int], components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Class means (classes, d) and the whitening (components, d) of one member."""
    features = features.astype(np.float64)
    means = np.stack([features[targets == number].mean(axis=0) for number in classes])
    kept = np.isin(targets, np.asarray(classes))
    place = {number: index for index, number in enumerate(classes)}
    within = features[kept] - means[[place[int(number)] for number in targets[kept]]]
    centred = features[kept] - features[kept].mean(axis=0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:components]
    covariance = np.atleast_2d(np.cov((within @ directions.T).T))
    shrunk = 0.95 * covariance + 0.05 * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return means, np.linalg.cholesky(np.linalg.inv(shrunk)).T @ directions


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared distance to the nearest centre."""
    return np.asarray(((points[:, np.newaxis] - centres[np.newaxis]) ** 2).sum(axis=2).min(axis=1))
