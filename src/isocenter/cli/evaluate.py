"""`isocenter evaluate`: a model against pictures with the truth."""

import json
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.read import Home


def evaluate(
    model: Annotated[str, typer.Argument(help="Name of a model, or a package file.")],
    data: Annotated[Path, typer.Option(help="Folder with labels.csv, or one folder per class.", file_okay=False)],
    out: Annotated[Path, typer.Option(help="Folder for evaluation.json and evaluation.html.", file_okay=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    home: Home = None,
) -> None:
    """Measure a model on a data set: figures with 95 % intervals, per subgroup, confusion, calibration, curves."""
    from isocenter.app.settings import load_settings
    from isocenter.learning.evaluate import evaluate_model
    from isocenter.zoo.keys import trusted_keys
    from isocenter.zoo.package import SUFFIX, read_package
    from isocenter.zoo.predict import Models, load_model

    folder = load_settings(home).home
    if model.endswith(SUFFIX):
        ready = load_model(read_package(Path(model), trusted=trusted_keys(folder)))
    else:
        ready = Models(folder).get(model)
    result = evaluate_model(ready, data, out)
    if as_json:
        print(json.dumps(result["figures"]))
        return
    for name, figure in result["figures"].items():
        print(f"{name}: {figure['value']:.4g} ({figure['low']:.4g} to {figure['high']:.4g}), n = {figure['n']}")
