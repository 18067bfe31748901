"""`isocenter models …`: the zoo of this machine, what is in it, whether it verifies, whose signature counts."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isocenter.cli.exits import CHECK_FAILED
from isocenter.cli.read import Home

if TYPE_CHECKING:
    from isocenter.zoo.index import ModelEntry
    from isocenter.zoo.package import Package

app = typer.Typer(
    help="The models: list, show, verify, add, remove; and whose signature is trusted.", no_args_is_help=True
)

AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Name = Annotated[str, typer.Argument(help="Name of a model, as `models list` prints it.")]


@app.command("list")
def list_models(as_json: AsJson = False, home: Home = None) -> None:
    """List every model, built-in and added, with its digest; exit 5 if one does not verify."""
    from isocenter.zoo import index

    entries = index.list_models(_home(home))
    _print([_row(entry) for entry in entries], as_json=as_json)
    _end(entries)


@app.command()
def show(name: Name, as_json: AsJson = False, home: Home = None) -> None:
    """Print the card of the model that speaks under NAME: the newest one that verifies."""
    from isocenter.zoo.cards import card_to_toml
    from isocenter.zoo.index import load_newest

    package, problems = load_newest(name, _home(home))
    if as_json:
        print(json.dumps({**_described(package), "card": _plain(package)}, ensure_ascii=False, indent=2))
    else:
        print(f"# {package.digest}, signed by {package.signer}\n{card_to_toml(package.card)}", end="")
    for problem in problems:
        print(f"isocenter: {problem}", file=sys.stderr)


@app.command()
def verify(
    files: Annotated[list[Path] | None, typer.Argument(help="Package files; without any, every model.")] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Check signature and every byte of packages; exit 5 if one is altered or signed by nobody trusted."""
    from isocenter.zoo import index
    from isocenter.zoo.keys import trusted_keys

    folder = _home(home)
    if files:
        trusted = trusted_keys(folder)
        entries = tuple(index.verify_file(index.ModelFile("", "", file, "file"), trusted) for file in files)
    else:
        entries = index.list_models(folder)
    _print([_row(entry) for entry in entries], as_json=as_json)
    _end(entries)


@app.command()
def add(file: Annotated[Path, typer.Argument(help="A package.")], as_json: AsJson = False, home: Home = None) -> None:
    """Take a package into the home folder, once it verifies and is no older than what is there."""
    from isocenter.zoo.index import add_model

    package = add_model(_home(home), file)
    _print([_described(package)], as_json=as_json)


@app.command()
def remove(
    name: Name,
    version: Annotated[str | None, typer.Option(help="This version only; default every added one.")] = None,
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Take an added model out of the home folder; built-in ones stay."""
    from isocenter.zoo.index import remove_model

    gone = remove_model(_home(home), name, version=version)
    _print([{"removed": path.name} for path in gone], as_json=as_json)


@app.command()
def trust(
    file: Annotated[Path, typer.Argument(help="An Ed25519 public key, PEM.")],
    as_json: AsJson = False,
    home: Home = None,
) -> None:
    """Accept packages that the owner of this public key signs."""
    from isocenter.zoo.keys import trust_key

    _print([{"trusted": trust_key(_home(home), file)}], as_json=as_json)


def _home(home: Path | None) -> Path:
    from isocenter.app.settings import load_settings

    return load_settings(home).home


def _row(entry: "ModelEntry") -> dict[str, Any]:
    file = {"file": entry.file.path.name, "origin": entry.file.origin}
    if entry.package is None:
        return {**file, "verified": False, "problem": entry.problem}
    return {**_described(entry.package), **file, "verified": True}


def _described(package: "Package") -> dict[str, Any]:
    card = package.card
    return {
        "name": card.name,
        "version": card.version,
        "task": card.task,
        "precision": card.precision,
        "digest": package.digest,
        "signer": package.signer,
    }


def _plain(package: "Package") -> dict[str, Any]:
    """The card as JSON would have it."""
    import tomllib

    from isocenter.zoo.cards import card_to_toml

    return tomllib.loads(card_to_toml(package.card))


def _print(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        print("  ".join(str(value) for key, value in row.items() if key not in ("verified", "problem")))


def _end(entries: "tuple[ModelEntry, ...]") -> None:
    """One line on standard error for each package that is refused, and exit code 5 if there is one."""
    refused = [entry for entry in entries if entry.package is None]
    for entry in refused:
        print(f"isocenter: {entry.problem}", file=sys.stderr)
    if refused:
        sys.exit(CHECK_FAILED)
