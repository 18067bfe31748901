"""`isocenter train`: a training run from a configuration."""

from pathlib import Path
from typing import Annotated

import typer

from isocenter.core.errors import InputError, MissingExtraError


def train(
    config: Annotated[Path, typer.Argument(help="The run's configuration (TOML).")],
    data: Annotated[Path, typer.Option(help="Folder of the data set that the configuration names.", file_okay=False)],
    out: Annotated[Path, typer.Option(help="Folder for the run.", file_okay=False)],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was cut off.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    ray: Annotated[str, typer.Option(help="Address of a Ray cluster.")] = "",
) -> None:
    """Train a model; the run's folder holds configuration, seed, metrics per epoch, curves and weights."""
    if ray:
        raise InputError("--ray: expected no address, training on a cluster is not built yet; leave it out")
    require_training()
    from isocenter.learning.package_run import draft_package
    from isocenter.learning.train import choose_device
    from isocenter.learning.train import train as run_training

    run_training(config, data, out, resume=resume, device=choose_device(device))
    card = draft_package(out, data)
    print(f"run in {out}")
    for figure in () if card is None else card.performance:
        print(f"{figure.split} {figure.metric}: {figure.value:.4g} ({figure.low:.4g} to {figure.high:.4g})")


def require_training() -> None:
    """Raise MissingExtraError unless what training needs is installed."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "onnx") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"expected the extra train, {missing[0]} is missing; install isocenter[train]")
