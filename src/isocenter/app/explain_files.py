"""Heat maps for pictures, each with the scores that say whether to believe it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.app.read_files import labels_of, study_label
from isocenter.core.errors import InputError, IsocenterError
from isocenter.core.study import InputFailure
from isocenter.core.volume import Volume
from isocenter.explain.cam import class_map, region_box
from isocenter.explain.perturb import occlusion_map
from isocenter.explain.sanity import faithfulness
from isocenter.imaging.intensity import display_uint8
from isocenter.imaging.overlay import draw_box, draw_heat_map
from isocenter.imaging.prepare import restore
from isocenter.io.atomic import atomic_write
from isocenter.io.inputs import open_inputs
from isocenter.io.load import iter_studies
from isocenter.io.raster import write_png
from isocenter.reading.classify import Classified, classify
from isocenter.reading.read import load_task
from isocenter.zoo.predict import Model, Models, probabilities

EXPLAINED = ("breast-us",)
# Share of the prepared picture's side that occlusion hides at once; half of it is the stride.
PATCH_SHARE = 0.125


def explain_paths(
    paths: Sequence[Path], out: Path, *, task: str, method: str, models: Models
) -> tuple[list[dict[str, Any]], list[InputFailure]]:
    """Write `<stem>.png` and `<stem>.json` per picture; the rows and what failed.

    Raises InputError for a task that is no classifier with an explanation.
    """
    load_task(task)
    if task not in EXPLAINED:
        raise InputError(f"explain: expected one of {', '.join(EXPLAINED)}, got {task!r}")
    model = models.get(task)
    rows, failures = [], []
    with open_inputs(paths) as inputs:
        for study in iter_studies(inputs):
            for number, image in enumerate(study.volumes, 1):
                label = labels_of([image])[0] if image.source.paths else study_label(study)
                name = label.stem if len(study.volumes) == 1 else f"{label.stem}-{number}"
                try:
                    if not isinstance(image, Volume) or not image.is_2d:
                        raise InputError("expected one picture, got a stack or a cine; give a single frame")
                    rows.append(_explain(image, model, out / name, method))
                except IsocenterError as error:
                    failures.append(InputFailure(label, str(error)))
        failures += inputs.failures
    return rows, failures


def _explain(image: Volume, model: Model, stem: Path, method: str) -> dict[str, Any]:
    seen = classify(model, image)
    column = model.card.classes.index(seen.answer)
    predict = _predict(model)
    heat = _heat(seen, predict, column, method)
    scores = faithfulness(predict, seen.prepared.array, heat, column=column, rng=np.random.default_rng(0))
    shown = np.asarray(restore(heat.astype(np.float32), seen.prepared, image.grid)[0])
    box = region_box(np.maximum(shown, 0))
    picture = draw_box(draw_heat_map(display_uint8(image, 0), np.clip(shown, 0, 1)), box)
    stem.parent.mkdir(parents=True, exist_ok=True)
    write_png(picture, stem.with_name(f"{stem.name}.png"))
    row = {
        "picture": stem.name,
        "class": seen.answer,
        "probability": round(seen.proper[seen.answer], 4),
        "familiar": seen.is_familiar,
        "method": method,
        "box": [list(corner) for corner in box],
        "deletion_auc": round(scores.deletion_auc, 4),
        "insertion_auc": round(scores.insertion_auc, 4),
        "random_auc": round(scores.random_auc, 4),
    }
    atomic_write(stem.with_name(f"{stem.name}.json"), (json.dumps(row, indent=2) + "\n").encode())
    return row


def _predict(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: probabilities(model.card, model.predictor.run(array))


def _heat(seen: Classified, predict: Callable[[np.ndarray], np.ndarray], column: int, method: str) -> np.ndarray:
    """The map on the prepared pixels, its largest value 1."""
    shape = seen.prepared.array.shape[-2:]
    if method == "cam":
        return class_map(seen.outputs, column, shape=shape)
    patch = max(2, round(min(shape) * PATCH_SHARE))
    heat = occlusion_map(predict, seen.prepared.array, column=column, patch=patch, stride=max(1, patch // 2))
    return np.asarray(heat / max(float(np.abs(heat).max()), 1e-12))
