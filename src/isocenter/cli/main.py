"""`isocenter …`: the commands, and what becomes of their errors."""

import sys
from typing import Annotated

import typer

import isocenter
from isocenter.cli import bench, convert, demo, evaluate, explain, models, package, predict, read, rule, tasks, train
from isocenter.cli.exits import CHECK_FAILED, USAGE
from isocenter.core.errors import IsocenterError, PackageError, ReportError

app = typer.Typer(
    name="isocenter",
    help="An open reading room for medical images: a study comes in, a draft report comes out. Research software.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("read")(read.read)
app.command("convert")(convert.convert)
app.command("tasks")(tasks.tasks)
app.command("predict")(predict.predict)
app.command("explain")(explain.explain)
app.command("rule")(rule.rule)
app.command("rules")(rule.rules)
app.add_typer(models.app, name="models")
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("package")(package.package)
app.command("demo")(demo.demo)
app.command("bench")(bench.bench)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=lambda v: _version(v)),
    ] = False,
) -> None:
    """Nothing to do before a command."""


def _version(wanted: bool) -> None:
    if wanted:
        print(f"isocenter {isocenter.__version__}")
        raise typer.Exit


def main() -> None:
    """The console script: every error of ours is one line on standard error and an exit code of CONTRACT."""
    try:
        app()
    except IsocenterError as error:
        print(f"isocenter: {error}", file=sys.stderr)
        sys.exit(CHECK_FAILED if isinstance(error, PackageError | ReportError) else USAGE)
    except KeyboardInterrupt:
        print("isocenter: stopped; finished studies are kept", file=sys.stderr)
        sys.exit(130)
