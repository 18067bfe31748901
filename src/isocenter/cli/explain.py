"""`isocenter explain`: heat maps with the scores that say whether to believe them."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.exits import batch_code, tell_failures
from isocenter.cli.read import Home


class Method(StrEnum):
    """Ways to explain an answer."""

    cam = "cam"
    occlusion = "occlusion"


def explain(
    task: Annotated[str, typer.Argument(help="A classifying task: breast-us.")],
    paths: Annotated[list[Path], typer.Argument(help="Pictures.")],
    out: Annotated[Path, typer.Option(help="Folder for the maps.", file_okay=False)],
    method: Annotated[Method, typer.Option(help="How the map is made.")] = Method.cam,
    home: Home = None,
) -> None:
    """Write a heat map per picture, its box, and deletion and insertion scores beside the map's in wrong places."""
    from isocenter.app.explain_files import explain_paths
    from isocenter.app.settings import load_settings
    from isocenter.zoo.predict import Models

    rows, failures = explain_paths(paths, out, task=task, method=method.value, models=Models(load_settings(home).home))
    print(json.dumps(rows, ensure_ascii=False, indent=2))
    tell_failures(failures)
    sys.exit(batch_code(len(rows), failures))
