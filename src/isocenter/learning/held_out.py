"""What the members of a run say of the pictures that they never saw, and the committee that they form."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isocenter.evaluation.calibration import fit_temperature, fit_vector, softmax
from isocenter.learning.config import TrainConfig
from isocenter.learning.data import Dataset, load_arrays
from isocenter.learning.fit import load_network, predict_outputs
from isocenter.learning.networks.classifier import Classifier, Committee
from isocenter.learning.splits import Split


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Outputs of every picture by the member that did not learn from it, in the order of the keys.

    fold      the member, (n,)
    groups    of the split, for intervals by group
    learned   per member: features (n, d) and targets of the pictures that it did learn from, where the recipe's
              `card.ood` asks for them
    """

    keys: tuple[str, ...]
    groups: tuple[str, ...]
    fold: np.ndarray
    targets: np.ndarray
    logits: np.ndarray = field(repr=False)
    features: np.ndarray = field(repr=False)
    learned: tuple[tuple[np.ndarray, np.ndarray], ...] = field(repr=False)

    def calibrated(self, method: str) -> np.ndarray:
        """Probabilities (n, classes), each fold's calibrated by the other folds alone."""
        result = np.zeros(self.logits.shape)
        for fold in np.unique(self.fold):
            here = self.fold == fold
            table = fit_calibration(method, self.logits[~here], self.targets[~here])
            scaled = self.logits[here] * np.asarray(table["scale"]) + np.asarray(table["bias"])
            result[here] = softmax(scaled)
        return result


def fit_calibration(method: str, logits: np.ndarray, targets: np.ndarray) -> dict[str, list[float]]:
    """Scale and bias per class; with "temperature" one scale for all and no bias."""
    if method == "vector":
        table = fit_vector(logits, targets)
        return {"scale": table["scale"], "bias": table["bias"]}
    n_classes = logits.shape[1]
    scale = 1.0 / fit_temperature(logits, targets)["temperature"]
    return {"scale": [scale] * n_classes, "bias": [0.0] * n_classes}


def load_members(config: TrainConfig, run: Path) -> list[Classifier]:
    """The networks of the folds."""
    networks = [load_network(config, run / f"fold-{index}" / "weights.pt") for index in range(config.split.folds)]
    return [network for network in networks if isinstance(network, Classifier)]


def measure_held_out(config: TrainConfig, members: Sequence[Classifier], dataset: Dataset, split: Split) -> HeldOut:
    """Every member on its own held-out fold, seen as the committee will see it."""
    arrays = load_arrays(dataset.examples, config.prepare, dataset.classes)
    place = {key: index for index, key in enumerate(arrays.keys)}
    group = {example.key: example.group for example in dataset.examples}
    keys: list[str] = []
    parts: list[dict[str, np.ndarray]] = []
    learned = []
    for member, (train, validation) in zip(members, split.folds, strict=True):
        single = Committee([member], mirror=is_mirrored(config))
        index = np.array([place[key] for key in validation])
        parts.append(predict_outputs(single, arrays.images[index]))
        keys += validation
        index = np.array([place[key] for key in train if _needs_learned(config)], dtype=np.int64)
        if not len(index):
            continue
        learned.append((predict_outputs(single, arrays.images[index])["features"], arrays.targets[index]))
    return HeldOut(
        tuple(keys),
        tuple(group[key] for key in keys),
        np.concatenate([np.full(len(part["logits"]), fold) for fold, part in enumerate(parts)]),
        arrays.targets[[place[key] for key in keys]],
        np.concatenate([part["logits"] for part in parts]).astype(np.float64),
        np.concatenate([part["features"] for part in parts]).astype(np.float64),
        tuple(learned),
    )


def is_mirrored(config: TrainConfig) -> bool:
    """Whether the committee looks at the mirror image too."""
    return bool(config.card.get("mirror", True))


def _needs_learned(config: TrainConfig) -> bool:
    """Whether the card's out-of-distribution score is made of the features of learned pictures."""
    wish = config.card.get("ood")
    return isinstance(wish, dict) and "components" in wish
