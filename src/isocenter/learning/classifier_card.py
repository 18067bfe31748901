"""From a run of a classification recipe to a package's parts: one graph, and a card that says what was measured.

Every figure comes from pictures that the answering member had not seen, calibrated without their fold; the package
holds all members, whose average is rather better than one of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.core.card import ModelCard, OperatingPoint, Performance
from isocenter.core.errors import InputError
from isocenter.evaluation.calibration import brier_score, calibration_error
from isocenter.evaluation.classification import (
    auc_delong,
    macro_auc,
    operating_figures,
    threshold_for_sensitivity,
)
from isocenter.evaluation.intervals import Estimate, bootstrap, wilson
from isocenter.learning.compress import quantise_weights
from isocenter.learning.config import TrainConfig, read_config
from isocenter.learning.data import list_dataset, load_arrays
from isocenter.learning.export import export_onnx
from isocenter.learning.held_out import HeldOut, fit_calibration, is_mirrored, load_members, measure_held_out
from isocenter.learning.networks.classifier import Committee
from isocenter.learning.runs import read_split
from isocenter.learning.strangeness import combine, fit_foreign_classes, fit_mahalanobis

OUTPUTS = {
    "logits": "class logits, before calibration",
    "features": "pooled features of every member, side by side",
    "cam": "class activation maps, whose mean is the logits",
}
_SPLIT = "cross-validation"
_SENSITIVITIES = {"high-sensitivity": 0.95, "balanced": 0.90}


def package_classifier(run: Path, data: Path) -> tuple[ModelCard, dict[str, bytes]]:
    """The card and the files of the package that a finished run makes.

    data   the data set's folder, for the held-out pictures
    """
    config = read_config(run / "config.toml")
    if config.kind != "classification":
        raise InputError(f"package: expected a run of a classification recipe, got {config.kind}")
    dataset = list_dataset(config.dataset, data, config.dataset_options)
    split = read_split(run)
    members = load_members(config, run)
    held = measure_held_out(config, members, dataset, split)
    examples = load_arrays(dataset.select(held.keys[:: max(1, len(held.keys) // 12)]), config.prepare, dataset.classes)
    graph = export_onnx(Committee(members, mirror=is_mirrored(config)), examples.images, outputs=tuple(OUTPUTS))
    card, files = make_card(config, held, dataset.classes)
    about = {**dataset.about, "n": len(dataset.examples), "groups": len(set(held.groups)), "split": split.digest}
    card_data = {**about, "seed": config.seed, "folds": config.split.folds, "members": len(members)}
    return replace(card, data=card_data), {"model.onnx": quantise_weights(graph), **files}


def make_card(config: TrainConfig, held: HeldOut, classes: tuple[str, ...]) -> tuple[ModelCard, dict[str, bytes]]:
    """The card from the recipe's words and the held-out outputs, with the arrays that it refers to."""
    said = dict(config.card)
    method = str(said.get("calibration", "temperature"))
    probability = held.calibrated(method)
    proper = _proper(said, classes)
    ood, files = _strangeness(held, probability, classes, proper, _table(said, "ood"))
    resize = next(step.options for step in config.prepare if step.op == "resize")
    card = ModelCard(
        name=str(said["name"]),
        version=str(said["version"]),
        task=config.task,
        kind=config.kind,
        modality=str(said["modality"]),
        body_part=str(said["body_part"]),
        intended_use=str(said["intended_use"]),
        limits=tuple(str(each) for each in _list(said, "limits")),
        classes=classes,
        input_shape=(1, int(str(resize["rows"])), int(str(resize["columns"]))),
        prepare=config.prepare,
        outputs=OUTPUTS,
        licence=str(said["licence"]),
        data={},
        calibration={"method": "vector", **fit_calibration(method, held.logits, held.targets)},
        operating_points=_points(held, probability, classes, str(said.get("positive", ""))),
        ood=ood,
        performance=tuple(_performance(held, probability, classes, proper, said, ood)),
        precision=str(said.get("precision", "f32")),
        tolerance=float(str(said.get("tolerance", 0.02))),
        parameters={**_table(said, "parameters"), "proper": list(proper)},
    )
    return card, files


def _strangeness(
    held: HeldOut,
    probability: np.ndarray,
    classes: tuple[str, ...],
    proper: tuple[str, ...],
    wish: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The card's out-of-distribution table and its arrays, as the recipe asks for them."""
    parts: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    foreign = [str(name) for name in wish.get("foreign", [])]
    if foreign:
        parts.append(
            fit_foreign_classes(held, probability, classes, foreign=foreign, proper=proper, accept=wish["accept"])
        )
    if "components" in wish:
        numbers = [index for index, name in enumerate(classes) if name not in foreign]
        table, files = fit_mahalanobis(
            held, classes=numbers, components=wish["components"], accept=wish["accept"], margin=wish.get("margin", 1.0)
        )
        parts.append(table)
    return (combine(parts) if parts else {"method": "none"}), files


def _performance(
    held: HeldOut,
    probability: np.ndarray,
    classes: tuple[str, ...],
    proper: tuple[str, ...],
    said: Mapping[str, Any],
    ood: Mapping[str, Any],
) -> list[Performance]:
    """Areas, accuracy, calibration; where some classes are not an answer, accuracy and refusals instead."""
    rng = np.random.default_rng(0)
    if set(proper) != set(classes):
        return _gate_performance(held, probability, classes, proper, ood)
    positive = str(said.get("positive", ""))
    figures = {"macro-auc": macro_auc(held.targets, probability, rng=rng, groups=held.groups)}
    for index, name in enumerate(classes):
        figures[f"auc-{name}"] = auc_delong(held.targets == index, probability[:, index])
    if positive:
        other = [index for index, name in enumerate(classes) if name not in (positive, "normal")]
        lesions = np.isin(held.targets, [classes.index(positive), *other])
        malignant = held.targets[lesions] == classes.index(positive)
        figures[f"auc-{positive}-among-lesions"] = auc_delong(malignant, probability[lesions, classes.index(positive)])
    right = probability.argmax(axis=1) == held.targets
    figures["accuracy"] = wilson(int(right.sum()), len(right))
    for name, function in (("calibration-error", calibration_error), ("brier", brier_score)):
        figures[name] = _by_group(function, held, probability, rng)
    return [_figure(name, estimate) for name, estimate in figures.items()]


def _gate_performance(
    held: HeldOut, probability: np.ndarray, classes: tuple[str, ...], proper: tuple[str, ...], ood: Mapping[str, Any]
) -> list[Performance]:
    """Share of proper pictures named rightly and not refused, per class and in all; share of the others refused."""
    strange = np.zeros(len(held.keys), dtype=bool)
    if ood.get("method") == "classes":
        columns = [classes.index(name) for name in ood["classes"]]
        strange = probability[:, columns].sum(axis=1) > float(ood["limit"])
    best = probability.argmax(axis=1)
    numbers = [classes.index(name) for name in proper]
    answered = np.isin(best, numbers) & ~strange
    is_proper = np.isin(held.targets, numbers)
    right = np.where(is_proper, answered, ~answered) & ((best == held.targets) | ~is_proper)
    figures = {"accuracy": wilson(int(right[is_proper].sum()), int(is_proper.sum()))}
    figures["foreign-refused"] = wilson(int(right[~is_proper].sum()), int((~is_proper).sum()))
    for index, name in enumerate(classes):
        here = held.targets == index
        named = right[here] if name in proper else best[here] == index
        figures[f"recall-{name}"] = wilson(int(named.sum()), int(here.sum()))
    return [_figure(name, estimate) for name, estimate in figures.items()]


def _points(
    held: HeldOut, probability: np.ndarray, classes: tuple[str, ...], positive: str
) -> tuple[OperatingPoint, ...]:
    """Thresholds for a class at two sensitivities; what they reach is measured with thresholds of the other folds."""
    if not positive:
        return ()
    column = classes.index(positive)
    truth, score = held.targets == column, probability[:, column]
    points = []
    for name, wanted in _SENSITIVITIES.items():
        margin = np.zeros(len(score))
        for fold in np.unique(held.fold):
            here = held.fold == fold
            margin[here] = score[here] - threshold_for_sensitivity(truth[~here], score[~here], wanted)
        reached = operating_figures(truth, margin, 0.0)
        metrics = {"sensitivity": reached.sensitivity, "specificity": reached.specificity}
        threshold = threshold_for_sensitivity(truth, score, wanted)
        triples = {key: (each.value, each.low, each.high) for key, each in metrics.items()}
        points.append(OperatingPoint(f"{positive}-{name}", positive, threshold, triples))
    return tuple(points)


def _by_group(
    function: Callable[[np.ndarray, np.ndarray], float], held: HeldOut, probability: np.ndarray,
    rng: np.random.Generator,
) -> Estimate:  # fmt: skip
    """A figure of (truth, probability) with its interval by groups."""

    def figure(index: np.ndarray) -> float:
        return function(held.targets[index], probability[index])

    return bootstrap(figure, len(held.keys), rng=rng, groups=held.groups, n_rounds=500)


def _figure(name: str, estimate: Estimate) -> Performance:
    """A measured figure of the card."""
    return Performance(name, estimate.value, estimate.low, estimate.high, estimate.n, _SPLIT)


def _proper(said: Mapping[str, Any], classes: tuple[str, ...]) -> tuple[str, ...]:
    """The classes that are an answer."""
    return tuple(str(name) for name in _table(said, "parameters").get("proper", classes))


def _table(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A table of the recipe's card."""
    value = said.get(name, {})
    if not isinstance(value, dict):
        raise InputError(f"config card.{name}: expected a table, got {value!r}")
    return value


def _list(said: Mapping[str, Any], name: str) -> list[object]:
    """A list of the recipe's card."""
    value = said.get(name, [])
    if not isinstance(value, list):
        raise InputError(f"config card.{name}: expected a list, got {value!r}")
    return value
