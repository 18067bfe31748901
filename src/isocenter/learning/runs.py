"""A training run's folder: config, where it came from, who is in which part, metrics, curves, weights.

config.toml · run.json (seed, git revision, versions, data) · split.json · <member>/metrics.jsonl, checkpoint.pt,
weights.pt, validation.npz · curves.svg · measured.json with measured-*.f32 (what the card will say)
"""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.core.errors import InputError
from isocenter.learning.config import TrainConfig, read_config
from isocenter.learning.splits import Split

REFIT = "refit"
FINE = "-fine"


def open_run(config_file: Path, out: Path, *, resume: bool) -> TrainConfig:
    """The run's configuration, with the folder made ready.

    Raises InputError where the folder holds a run and `resume` is not set, or holds a run of another configuration.
    """
    config = read_config(config_file)
    kept = out / "config.toml"
    if kept.exists() and kept.resolve() != config_file.resolve():
        if not resume:
            raise InputError(f"run: expected an empty folder, {out} holds a run; add --resume or name another folder")
        if read_config(kept) != config:
            raise InputError(f"run: expected the configuration that {out} was started with, got another one")
    elif not kept.exists():
        out.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(config_file, kept)
    return config


def member_parts(config: TrainConfig, split: Split) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Keys (train, validation) of every network of the run; the refit has no validation part.

    Where the recipe has a finer round, every member of the first comes once more, from the same pictures.
    """
    n_learned = config.split.learn or len(split.folds)
    parts = {f"fold-{index}": fold for index, fold in enumerate(split.folds[:n_learned])}
    if config.split.refit:
        everything = tuple(sorted({key for fold in split.folds for part in fold for key in part}))
        parts[REFIT] = (everything, ())
    return parts | ({f"{name}{FINE}": keys for name, keys in parts.items()} if config.finer else {})


def write_origin(out: Path, config: TrainConfig, split: Split, about: Mapping[str, object]) -> None:
    """Where the run came from, and its split, as JSON."""
    import torch

    origin = {
        "task": config.task, "seed": config.seed, "git": git_revision(), "torch": torch.__version__,
        "numpy": np.__version__, "data": dict(about), "split": split.digest, "precision": config.fit.precision,
    }  # fmt: skip
    write_json(out / "run.json", origin)
    write_json(out / "split.json", asdict(split))


def read_split(run: Path) -> Split:
    """The split that the run was made with."""
    table = read_json(run / "split.json")
    folds = tuple((tuple(train), tuple(validation)) for train, validation in table["folds"])
    return Split(tuple(table["test"]), folds, table["digest"])


def git_revision() -> str:
    """The code's git revision, with "+" where files differ from it; "" where there is no git."""
    here = Path(__file__).parent
    git = shutil.which("git")
    if git is None:
        return ""
    answers = [
        subprocess.run([git, "-C", str(here), *words], capture_output=True, text=True, check=False)  # noqa: S603
        for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--", str(here)))
    ]
    return answers[0].stdout.strip() + ("+" if answers[1].stdout.strip() else "") if not answers[0].returncode else ""


def write_json(path: Path, value: object) -> None:
    """JSON, written whole or not at all."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    partial.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a run's file. Raises InputError where there is none."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"run: expected {path.name} in {path.parent}, got none or a broken one") from error


def write_curves(out: Path, members: Sequence[str]) -> None:
    """Loss and validation scores over the epochs, one line per member, as an SVG picture."""
    series: dict[str, list[list[tuple[float, float]]]] = {}
    for member in members:
        lines = (out / member / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        for name in sorted({key for row in rows for key in row} - {"epoch", "elapsed_s", "learning_rate"}):
            points = [(row["epoch"], row[name]) for row in rows if isinstance(row.get(name), int | float)]
            series.setdefault(name, []).append(points)
    panels = [_panel(name, lines, 20 + 170 * index) for index, (name, lines) in enumerate(series.items())]
    height = 20 + 170 * len(panels)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="520" height="{height}" font-family="sans-serif">'
    (out / "curves.svg").write_text("\n".join([svg, *panels, "</svg>"]) + "\n", encoding="utf-8")


def _panel(name: str, lines: Sequence[Sequence[tuple[float, float]]], top: int) -> str:
    """One metric's lines with its smallest and largest value."""
    points = [point for line in lines for point in line]
    if not points:
        return ""
    last = max(epoch for epoch, _ in points)
    low, high = min(value for _, value in points), max(value for _, value in points)
    drawn = []
    for index, line in enumerate(lines):
        places = [
            f"{60 + 440 * epoch / last:.1f},{top + 130 - 120 * (value - low) / max(high - low, 1e-12):.1f}"
            for epoch, value in line
        ]
        colour = f"hsl({index * 67 % 360},70%,40%)"
        drawn.append(f'<polyline fill="none" stroke="{colour}" points="{" ".join(places)}"/>')
    labels = [
        (4, top + 14, f"{high:.4g}"),
        (4, top + 132, f"{low:.4g}"),
        (60, top, name),
        (440, top + 146, f"{last} epochs"),
    ]
    texts = [f'<text x="{x}" y="{y}" font-size="11">{text}</text>' for x, y, text in labels]
    return "\n".join([*drawn, *texts])
