"""`isocenter package`: a finished run as one signed file."""

import json
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.read import Home
from isocenter.cli.train import require_training


def package(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.", file_okay=False)],
    out: Annotated[Path, typer.Option(help="The package to write (.isocenter).", dir_okay=False)],
    int8: Annotated[bool, typer.Option("--int8", help="Eight-bit weights and activations.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    home: Home = None,
) -> None:
    """Sign a run's model with this machine's key (made on first use) and write it as one file."""
    require_training()
    from isocenter.app.settings import load_settings
    from isocenter.learning.package_run import package_run
    from isocenter.zoo.keys import home_signing_key, key_id

    key = home_signing_key(load_settings(home).home)
    digest = package_run(run, out, private_key=key, int8=int8)
    signer = key_id(key.public_key())
    print(json.dumps({"file": str(out), "digest": digest, "signer": signer}) if as_json else f"{out} {digest}")
