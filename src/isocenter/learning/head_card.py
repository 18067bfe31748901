"""From a run of the fetal-head recipe to a package's parts: one graph, and a card that says what was measured.

Limits and spread come from the pictures that the first member has not learned from ("validation"), as all members
that have not learned from them see them together; the figures of the packaged graph come from the test part, which no
member and no limit has seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.core.card import ModelCard
from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.evaluation.intervals import wilson
from isocenter.io.raster import read_raster
from isocenter.learning.compress import quantise_weights
from isocenter.learning.config import TrainConfig, read_config
from isocenter.learning.data import Example, list_dataset, load_arrays, volume_of_picture
from isocenter.learning.export import export_onnx
from isocenter.learning.familiarity import fit_familiarity
from isocenter.learning.finer import card_steps, load_committee
from isocenter.learning.foreign import make_foreign
from isocenter.learning.head_cases import HeadCase, Outputs, mask_margin_px, see_heads, see_strangers
from isocenter.learning.head_figures import has_good_fit, head_figure, head_figures, is_answered
from isocenter.learning.runs import member_parts, read_split
from isocenter.zoo.cards import with_arrays
from isocenter.zoo.runtimes import OpenVinoPredictor

OUTPUTS = {"logits": "log-odds of head per pixel", "features": "pooled features of the first member"}
_GENERATED = ("face", "limb", "leaves", "shapes")
_GENERATED_SIZE = 300


def package_head(run: Path, data: Path) -> tuple[ModelCard, dict[str, bytes]]:
    """The card and the files of the package that a finished run makes.

    data   the data set's folder; the foreign sets that the recipe names lie beside it
    """
    config = read_config(run / "config.toml")
    dataset = list_dataset(config.dataset, data, config.dataset_options)
    split = read_split(run)
    parts = member_parts(config, split)
    learned, unseen = split.folds[0]
    some = load_arrays(dataset.select(learned[:6]), card_steps(config), dataset.classes).images
    committee = load_committee(config, run, tuple(parts))
    graph = quantise_weights(export_onnx(committee, some, outputs=tuple(OUTPUTS)))
    blind = tuple(name for name, (keys, _) in parts.items() if not set(keys) & set(unseen))
    blind_graph = quantise_weights(export_onnx(load_committee(config, run, blind), some, outputs=tuple(OUTPUTS)))
    strangers = load_strangers(config, data)
    outputs = OpenVinoPredictor(blind_graph, precision=_precision(config)).run
    card, files = _limits(config, outputs, (dataset.select(learned), dataset.select(unseen)), strangers)
    card = measure(replace(card, stride=committee.stride), files, graph, dataset.select(split.test), strangers)
    counts = {
        "n": len(dataset.examples),
        "groups": len({each.group for each in dataset.examples}),
        "split": split.digest,
        "n_test": len(split.test),
        "members": [f"{name}: {len(keys)} pictures" for name, (keys, _) in parts.items()],
        "seed": config.seed,
    }
    return replace(card, data={**dataset.about, **counts}), {"model.onnx": graph, **files}


def measure(
    card: ModelCard,
    files: Mapping[str, bytes],
    graph: bytes,
    examples: Sequence[Example],
    strangers: Mapping[str, Sequence[Volume]],
) -> ModelCard:
    """The card with the figures of a graph on the test part, and on foreign pictures that set no limit.

    The graph runs as it will run for users: in OpenVINO, in the card's precision.
    """
    ready = with_arrays(card, files)
    outputs = OpenVinoPredictor(graph, precision=card.precision).run
    margin = float(str(card.parameters["margin_px"]))
    cases = see_heads(outputs, examples, card.prepare, margin_px=margin)
    figures = [*card.performance, *head_figures(ready, cases, "test")]
    refused = {
        name: [not is_answered(ready, case) for case in see_strangers(outputs, _second_half(volumes), card.prepare)]
        for name, volumes in strangers.items()
    }
    for name, answers in refused.items():
        figures.append(head_figure(f"refused-{name}", wilson(sum(answers), len(answers)), "foreign"))
    every = [each for answers in refused.values() for each in answers]
    figures.append(head_figure("foreign-refused", wilson(sum(every), len(every)), "foreign"))
    return replace(card, performance=tuple(figures))


def load_strangers(config: TrainConfig, data: Path) -> dict[str, list[Volume]]:
    """Foreign pictures by group: of the data sets that the recipe names, and generated ones."""
    wish = _table(config.card, "ood")
    count = int(wish.get("pictures", 60))
    rng = np.random.default_rng(config.seed)
    groups = {}
    for folder in wish.get("foreign", []):
        paths = sorted(
            path for path in (data.parent / str(folder)).rglob("*")
            if path.suffix.lower() in (".png", ".jpg", ".jpeg") and "mask" not in str(path.relative_to(data.parent))
        )  # fmt: skip
        if not paths:
            raise InputError(f"data: expected pictures in {folder} beside the data set, found none")
        chosen = rng.choice(len(paths), min(count, len(paths)), replace=False)
        groups[str(folder).replace("_", "-").replace("/", "-").lower()] = [
            read_raster(paths[index]) for index in chosen
        ]
    for kind in wish.get("generated", _GENERATED):
        pictures = [np.rint(255 * make_foreign(kind, rng, _GENERATED_SIZE)).astype(np.uint8) for _ in range(count // 2)]
        groups[f"generated-{kind}"] = [volume_of_picture(picture) for picture in pictures]
    return groups


def _limits(
    config: TrainConfig,
    outputs: Outputs,
    examples: tuple[Sequence[Example], Sequence[Example]],
    strangers: Mapping[str, Sequence[Volume]],
) -> tuple[ModelCard, dict[str, bytes]]:
    """The card with everything that a network's learned and unseen pictures say, and its arrays."""
    steps = card_steps(config)
    margin = mask_margin_px(examples[0], steps)
    own, held = (see_heads(outputs, part, steps, margin_px=margin) for part in examples)
    wish = _table(config.card, "ood")
    fit_limits = _table(_table(config.card, "parameters"), "fit_limits")
    seen = {name: see_strangers(outputs, volumes[::2], steps) for name, volumes in strangers.items()}
    # Only what could pass for a head needs a direction of its own; every direction costs a few own pictures.
    alike = {
        name: cases for name, cases in seen.items() if np.mean([has_good_fit(c, fit_limits) for c in cases]) > 0.05
    }
    foreign = {name: _features(cases) for name, cases in alike.items()}
    ood, files = fit_familiarity(
        _features(own),
        _features(held),
        foreign,
        components=int(wish.get("components", 32)),
        slack=float(wish.get("slack", 0.8)),
    )
    relative = np.array([case.error_mm / case.circumference_mm for case in held])
    said = config.card
    parameters = _table(said, "parameters")
    resize = next(step.options for step in steps if step.op == "resize")
    card = ModelCard(
        name=str(said["name"]), version=str(said["version"]), task=config.task, kind=config.kind,
        modality=str(said["modality"]), body_part=str(said["body_part"]), intended_use=str(said["intended_use"]),
        limits=tuple(str(each) for each in said["limits"]),  # type: ignore[attr-defined]
        classes=(), input_shape=(1, int(str(resize["rows"])), int(str(resize["columns"]))), prepare=steps,
        outputs=OUTPUTS, licence=str(said["licence"]), data={}, calibration={"method": "none"}, ood=ood,
        precision=_precision(config), tolerance=float(str(said.get("tolerance", 0.02))),
        parameters={**parameters, "margin_px": round(margin, 4), "relative_sd": round(float(np.nanstd(relative)), 5)},
    )  # fmt: skip
    return replace(card, performance=tuple(head_figures(with_arrays(card, files), held, "validation"))), files


def _features(cases: Sequence[HeadCase]) -> np.ndarray:
    """Features of the cases, (n, d)."""
    return np.stack([case.features for case in cases]).astype(np.float64)


def _second_half(volumes: Sequence[Volume]) -> Sequence[Volume]:
    """The foreign pictures that have set no limit."""
    return volumes[1::2]


def _precision(config: TrainConfig) -> str:
    """In which precision the graph runs for users."""
    return str(config.card.get("precision", "f32"))


def _table(said: Mapping[str, object], name: str) -> dict[str, Any]:
    """A table of the recipe's card."""
    value = said.get(name, {})
    if not isinstance(value, dict):
        raise InputError(f"config card.{name}: expected a table, got {value!r}")
    return value
