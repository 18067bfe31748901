"""A model against a folder of pictures with the truth: figures with intervals, per subgroup, as JSON and a page."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.evaluation.calibration import brier_score, calibration_error, reliability_curve
from isocenter.evaluation.classification import (
    auc_delong,
    confusion_matrix,
    macro_auc,
    operating_figures,
    roc_curve,
)
from isocenter.evaluation.intervals import Estimate, bootstrap, bootstrap_mean, wilson
from isocenter.imaging.prepare import prepare
from isocenter.learning.data import Dataset, list_dataset, load_volume
from isocenter.learning.evaluation_page import render_page
from isocenter.learning.head_cases import HeadCase, see_heads
from isocenter.learning.head_figures import is_answered
from isocenter.learning.runs import write_json
from isocenter.zoo.predict import Model, ood_score, probabilities

_MOST_SUBGROUPS: Final = 10


def evaluate_model(model: Model, data: Path, out: Path) -> dict[str, Any]:
    """What was measured, also written to `out/evaluation.json` and `out/evaluation.html`.

    data   a folder with `labels.csv` or with one folder per class (`datasets_table`)
    """
    dataset = list_dataset("table", data, {})
    result = _classify(model, dataset) if model.card.classes else _outline(model, dataset)
    result |= {"model": asdict(model.ref), "n": len(dataset.examples), "data": dataset.about.get("name", "")}
    subgroups = _subgroups(data, dataset)
    result["subgroups"] = {
        f"{column}={value}": _few(result["cases"], keys) for (column, value), keys in subgroups.items()
    }
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "evaluation.json", result)
    (out / "evaluation.html").write_text(render_page(result), encoding="utf-8")
    return result


def _classify(model: Model, dataset: Dataset) -> dict[str, Any]:
    """Figures of a classifier over the classes that are an answer."""
    listed = model.card.parameters.get("proper", model.card.classes)
    names = tuple(str(name) for name in listed) if isinstance(listed, list | tuple) else model.card.classes
    unknown = set(dataset.classes) - set(names)
    if unknown:
        raise InputError(f"evaluate: expected the classes {sorted(names)}, the data have also {sorted(unknown)[:5]}")
    probability, strange = _answers(model, dataset, names)
    truth = np.array([names.index(example.label) for example in dataset.examples])
    present = [index for index in range(len(names)) if 1 < (truth == index).sum() < len(truth) - 1]
    figures = _class_figures(truth, probability, names, [example.group for example in dataset.examples])
    figures["strange"] = wilson(int(strange.sum()), len(strange))
    points = {
        point.name: asdict(operating_figures(truth == column, probability[:, column], point.threshold))
        for point in model.card.operating_points
        for column in present
        if names[column] == point.class_name
    }
    right = probability.argmax(axis=1) == truth
    return {
        "figures": {name: asdict(estimate) for name, estimate in figures.items()},
        "classes": list(names),
        "confusion": confusion_matrix(truth, probability.argmax(axis=1), len(names)).tolist(),
        "operating_points": points,
        "reliability": reliability_curve(truth, probability).tolist(),
        "roc": {names[i]: np.stack(roc_curve(truth == i, probability[:, i])[:2]).T.tolist() for i in present},
        "cases": {e.key: {"right": float(r)} for e, r in zip(dataset.examples, right, strict=True)},
    }


def _answers(model: Model, dataset: Dataset, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, names) that sum to one, and which pictures the model finds strange (n,)."""
    columns = [model.card.classes.index(name) for name in names]
    rows, strange = [], []
    for example in dataset.examples:
        outputs = model.predictor.run(prepare(load_volume(example), model.card.prepare).array[np.newaxis])
        rows.append(probabilities(model.card, outputs)[0, columns])
        score, limit = ood_score(model.card, outputs)
        strange.append(bool(score[0] > limit))
    probability = np.array(rows)
    return probability / np.maximum(probability.sum(axis=1, keepdims=True), 1e-12), np.array(strange)


def _class_figures(
    truth: np.ndarray, probability: np.ndarray, names: Sequence[str], groups: Sequence[str]
) -> dict[str, Estimate]:
    """Accuracy, areas and calibration with their intervals; areas of the classes that the data have."""
    rng = np.random.default_rng(0)
    figures = {"accuracy": bootstrap_mean(probability.argmax(axis=1) == truth, rng=rng, groups=groups)}
    present = [index for index in range(len(names)) if 1 < (truth == index).sum() < len(truth) - 1]
    for index in present:
        figures[f"auc-{names[index]}"] = auc_delong(truth == index, probability[:, index])
    if len(present) == len(names):
        figures["macro-auc"] = macro_auc(truth, probability, rng=rng, groups=groups)

    def again(function: Callable[[np.ndarray, np.ndarray], float]) -> Estimate:
        return bootstrap(
            lambda index: function(truth[index], probability[index]), len(truth), rng=rng, groups=groups, n_rounds=300
        )

    return {**figures, "calibration-error": again(calibration_error), "brier": again(brier_score)}


def _outline(model: Model, dataset: Dataset) -> dict[str, Any]:
    """Figures of the head outline: overlap and circumference of the answered cases, share of abstentions."""
    card = model.card
    margin = float(str(card.parameters.get("margin_px", 0.0)))
    cases = see_heads(model.predictor.run, dataset.examples, card.prepare, margin_px=margin)
    answered = [case for case in cases if is_answered(card, case)]
    if not answered:
        raise InputError("evaluate: expected pictures that the model answers, it abstained on all of them")
    groups = [case.group for case in answered]
    rng = np.random.default_rng(0)
    values = {name: np.array([row[name] for row in map(_head_row, answered)]) for name in _head_row(answered[0])}
    figures = {name: bootstrap_mean(column, rng=rng, groups=groups) for name, column in values.items()}
    figures["abstained"] = wilson(len(cases) - len(answered), len(cases))
    return {
        "figures": {name: asdict(estimate) for name, estimate in figures.items()},
        "cases": {case.key: _head_row(case) for case in answered},
    }


def _head_row(case: HeadCase) -> dict[str, float]:
    """What is averaged of a head."""
    error = case.error_mm
    return {"dice": case.overlap, "circumference-absolute-error-mm": abs(error), "circumference-bias-mm": error}


def _subgroups(data: Path, dataset: Dataset) -> dict[tuple[str, str], list[str]]:
    """Keys by the value of every column of the table that has few values and is no path, class or number."""
    table = data / "labels.csv"
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[tuple[str, str], list[str]] = {}
    for column in set(rows[0]) - {"file", "image", "mask", "label", "group", "near_dup_group", "patient", "case"}:
        values = {row[column] for row in rows}
        if 1 < len(values) <= _MOST_SUBGROUPS:
            for row, example in zip(rows, dataset.examples, strict=True):
                found.setdefault((column, row[column]), []).append(example.key)
    return dict(sorted(found.items()))


def _few(cases: Mapping[str, Mapping[str, float]], keys: Sequence[str]) -> dict[str, Any]:
    """Means of a subgroup, with intervals."""
    rows = [cases[key] for key in keys if key in cases]
    if not rows:
        return {}
    rng = np.random.default_rng(0)
    return {name: asdict(bootstrap_mean(np.array([row[name] for row in rows]), rng=rng)) for name in rows[0]}
