"""What a model knows and what it does not, as a card's out-of-distribution table, for models without classes.

Two kinds of parts: the distance to the model's own pictures in the directions in which those vary, and for every
group of foreign pictures the one direction that tells it best from the own ones.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from isocenter.zoo.cards import array_member

_SHRINK = 0.1


def fit_familiarity(
    learned: np.ndarray, unseen: np.ndarray, foreign: Mapping[str, np.ndarray], *, components: int, slack: float = 0.8
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """An "any" table for `zoo.ood` and its arrays as package members.

    learned   features (n, d) of own pictures that the model has learned from
    unseen    features (m, d) of own pictures that it has not; they set the limits
    foreign   group name -> features of foreign pictures
    slack     how far beyond the strangest of the unseen a limit lies: in standard deviations, for the distance to
              the own pictures as a share of it

    Source: discriminant of Fisher, Annals of Eugenics 1936;7:179-188, covariances shrunk towards the identity.
    """
    centre = learned.mean(axis=0)
    scatter = np.cov((learned - centre).T)
    whitening = _main_directions(scatter, components)
    distance = (((unseen - centre) @ whitening.T) ** 2).sum(axis=1)
    limit = float((1 + slack) * distance.max())
    tables, files = [], {}
    for name, mean, rows, bound in [
        ("own", centre, whitening, limit),
        *(_against(name, features, (learned, unseen), scatter, slack) for name, features in sorted(foreign.items())),
    ]:
        mean_entry, files[f"ood-mean-{name}.f32"] = array_member(f"ood-mean-{name}.f32", mean[np.newaxis])
        rows_entry, files[f"ood-rows-{name}.f32"] = array_member(f"ood-rows-{name}.f32", rows)
        table = {"method": "mahalanobis", "mean": mean_entry, "whitening": rows_entry, "limit": bound, "scale": bound}
        tables.append(table)
    return {"method": "any", "parts": tables}, files


def _main_directions(scatter: np.ndarray, components: int) -> np.ndarray:
    """The directions of largest variance, scaled to unit variance, (components, d)."""
    variance, vectors = np.linalg.eigh(scatter)
    kept = slice(-components, None)
    return np.asarray((vectors[:, kept] / np.sqrt(variance[kept] + 1e-3 * variance.mean())).T)


def _against(
    name: str, features: np.ndarray, own: tuple[np.ndarray, np.ndarray], scatter: np.ndarray, slack: float
) -> tuple[str, np.ndarray, np.ndarray, float]:
    """One direction from own to foreign, as a distance from a point far on the own side (so that it only grows)."""
    learned, unseen = own
    centre = learned.mean(axis=0)
    away = features.mean(axis=0) - centre
    pooled = (scatter + np.cov((features - features.mean(axis=0)).T)) / 2
    pooled = (1 - _SHRINK) * pooled + _SHRINK * np.trace(pooled) / len(pooled) * np.eye(len(pooled))
    direction = np.linalg.solve(pooled, away)
    direction /= np.std((learned - centre) @ direction)
    behind = 20.0  # standard deviations; no own picture lies so far on the own side
    origin = centre - behind * direction / (direction @ direction)
    bound = float(((unseen - centre) @ direction).max()) + slack + behind
    return name, origin, direction[np.newaxis], bound**2
