"""`isocenter predict`: a batch without reports."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.exits import batch_code, tell_failures
from isocenter.cli.progress import progress
from isocenter.cli.read import Context, Home, Paths


def predict(
    task: Annotated[str, typer.Argument(help="A task from `isocenter tasks`.")],
    paths: Paths,
    out: Annotated[Path, typer.Option(help="The table: one row per input.", dir_okay=False)],
    context: Context = None,
    masks: Annotated[Path | None, typer.Option(help="Folder for masks.", file_okay=False)] = None,
    boxes: Annotated[Path | None, typer.Option(help="Table of boxes.", dir_okay=False)] = None,
    workers: Annotated[int, typer.Option(help="Inputs read at the same time.", min=1, max=64)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
    home: Home = None,
) -> None:
    """Run one task over many inputs; writes probabilities and measurements, one row per input."""
    from isocenter.app.context import load_context
    from isocenter.app.predict_files import PredictOptions, predict_paths
    from isocenter.app.settings import load_settings
    from isocenter.zoo.predict import Models

    settings = load_settings(home)
    options = PredictOptions(Models(settings.home), task, load_context(context), masks, boxes, workers)
    with progress("predicting") as step:
        rows, failures = predict_paths(paths, out, options, on_study=step)
    tell_failures(failures)
    if as_json:
        print(json.dumps({"rows": len(rows), "failed": len(failures), "file": str(out) if rows else None}))
    elif rows:
        print(f"{len(rows)} row(s) in {out}")
    sys.exit(batch_code(len(rows), failures))
