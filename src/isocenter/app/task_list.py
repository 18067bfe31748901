"""The reading tasks as rows: what they take, what they print, which model they ask and how it was measured."""

from pathlib import Path
from typing import Any

from isocenter.core.card import ModelCard, Performance
from isocenter.reading.read import TASKS, load_task
from isocenter.zoo.cards import built_in_card
from isocenter.zoo.predict import Models


def describe_tasks(home: Path) -> list[dict[str, Any]]:
    """One row per task, in the order in which `--task auto` tries them."""
    models = Models(home)
    rows = []
    for name in TASKS:
        task = load_task(name)
        described = [_model(models.card(model), models.ref(model).digest) for model in task.models]
        if not task.models:
            described = [_model(built_in_card(name), "")]
        rows.append(
            {
                "name": name,
                "input": f"{task.dimension}, {'/'.join(sorted(task.modalities))}",
                "automatic": task.automatic,
                "columns": list(task.columns),
                "models": described,
            }
        )
    return rows


def _model(card: ModelCard, digest: str) -> dict[str, Any]:
    return {
        "name": card.name,
        "version": card.version,
        "digest": digest or "no weights",
        "classes": list(card.classes),
        "licence": card.licence,
        "intended_use": card.intended_use,
        "performance": [_figure(figure) for figure in card.performance],
        "limits": list(card.limits),
    }


def _figure(figure: Performance) -> str:
    interval = f"95 % CI {figure.low:.3f}-{figure.high:.3f}"
    return f"{figure.metric} {figure.value:.3f} ({interval}, n = {figure.n}, {figure.split})"
