"""A whole training run: config in, a folder of members with everything measured out."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from isocenter.core.errors import InputError
from isocenter.evaluation.calibration import negative_log_likelihood, softmax
from isocenter.evaluation.classification import auc
from isocenter.evaluation.segmentation import dice
from isocenter.learning.config import TrainConfig
from isocenter.learning.data import Arrays, list_dataset, load_arrays
from isocenter.learning.finer import member_config
from isocenter.learning.fit import fit, predict_outputs
from isocenter.learning.runs import member_parts, open_run, write_curves, write_origin
from isocenter.learning.splits import make_split
from isocenter.learning.transfer import with_start


def train(config_file: Path, data: Path, out: Path, *, resume: bool = False, device: str = "cpu") -> TrainConfig:
    """The configuration of the run that now lies in `out`, all its members trained.

    data     folder of the data set that the configuration names
    device   "cpu" or "cuda"

    An interrupted run goes on with `resume` and ends as if it had never stopped.
    """
    config = open_run(config_file, out, resume=resume)
    dataset = list_dataset(config.dataset, data, config.dataset_options)
    split = make_split(dataset.members(), config.split, config.seed)
    write_origin(out, config, split, {**dataset.about, "n": len(dataset.examples)})
    parts = member_parts(config, split)
    started = with_start(replace(config, fit=replace(config.fit, device=device)), out)
    arrays, prepared = load_arrays(dataset.examples, config.prepare, dataset.classes), config.prepare
    for name, (learned, held_out) in parts.items():
        recipe = member_config(started, name, out)
        if recipe.prepare != prepared:
            arrays, prepared = load_arrays(dataset.examples, recipe.prepare, dataset.classes), recipe.prepare
        validation = select(arrays, held_out)
        network = fit(
            recipe, select(arrays, learned), validation, out=out / name,
            scores=_SCORES[config.kind], resume=True,
        )  # fmt: skip
        if config.kind == "classification" and len(validation):
            outputs = predict_outputs(network, validation.images, device=device)
            np.savez(out / name / "validation.npz", logits=outputs["logits"], targets=validation.targets)
    write_curves(out, tuple(parts))
    return config


def select(arrays: Arrays, keys: tuple[str, ...]) -> Arrays:
    """Some of the examples, in the order of the keys."""
    place = {key: index for index, key in enumerate(arrays.keys)}
    chosen = np.array([place[key] for key in keys], dtype=np.int64)
    return Arrays(keys, arrays.images[chosen], arrays.targets[chosen])


def choose_device(wish: str) -> str:
    """ "cpu" or "cuda": what was asked for, or for "auto" a GPU where there is one. Raises InputError."""
    import torch

    if wish not in ("auto", "cpu", "cuda"):
        raise InputError(f"device: expected auto, cpu or cuda, got {wish!r}")
    there = torch.cuda.is_available()
    if wish == "cuda" and not there:
        raise InputError("device: expected a CUDA GPU, this machine shows none; use --device cpu")
    return "cuda" if there and wish != "cpu" else "cpu"


def _score_classes(logits: np.ndarray, targets: np.ndarray) -> Mapping[str, float]:
    """Accuracy, one-against-rest area and likelihood."""
    logits = logits.astype(np.float64)
    probability = softmax(logits)
    areas = [auc(targets == index, probability[:, index]) for index in range(logits.shape[1])]
    return {
        "accuracy": float((probability.argmax(axis=1) == targets).mean()),
        "macro_auc": float(np.nanmean(areas)) if np.isfinite(areas).any() else 0.0,
        "validation_loss": negative_log_likelihood(logits, targets),
    }


def _score_masks(logits: np.ndarray, targets: np.ndarray) -> Mapping[str, float]:
    """Mean and smallest overlap."""
    overlaps = [dice(truth > 0.5, answer > 0) for truth, answer in zip(targets, logits, strict=True)]
    return {"dice": float(np.mean(overlaps)), "dice_min": float(np.min(overlaps))}


_SCORES = {"classification": _score_classes, "segmentation": _score_masks}
