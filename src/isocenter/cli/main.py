"""`isocenter …`: the commands, and what becomes of their errors."""

import signal
import sys
from typing import Annotated, Final, NoReturn

import typer

import isocenter
from isocenter.cli import (
    bench,
    convert,
    demo,
    enhance,
    evaluate,
    explain,
    features,
    fuse,
    measure,
    models,
    package,
    predict,
    quality,
    read,
    reconstruct,
    register,
    rule,
    segment,
    tasks,
    train,
    words,
)
from isocenter.cli.exits import CHECK_FAILED, NOTHING_READ, USAGE
from isocenter.core.errors import CheckError, IsocenterError, PackageError, ReportError, UnreadableError

app = typer.Typer(
    name="isocenter",
    help="An open reading room for medical images: a study comes in, a draft report comes out. Research software.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# BadParameter is the public name; its base covers every wrong flag, command and argument.
_USAGE_ERROR: Final[type[Exception]] = typer.BadParameter.__mro__[1]

# The line that `isocenter --help` prints beside each; its own `--help` says more.
app.command("read", short_help="Read studies: one folder with a report each.")(read.read)
app.command("convert", short_help="Write every series as one volume.")(convert.convert)
app.command("tasks", short_help="List what can be read, and how well.")(tasks.tasks)
app.command("predict", short_help="Run one task over many inputs: a table.")(predict.predict)
app.command("explain", short_help="Heat maps, and whether to believe them.")(explain.explain)
app.command(
    "enhance", short_help="Make one image better to look at or to compute with.", context_settings=words.CONTEXT
)(enhance.enhance)
app.command("segment", short_help="Find a region without a model.", context_settings=words.CONTEXT)(segment.segment)
app.command("measure", short_help="Measure masks and marked places: a table.")(measure.measure)
app.command("features", short_help="Radiomic features of a region: a table.")(features.features)
app.command("quality", short_help="Quality figures of images: a table.")(quality.quality)
app.command("register", short_help="Move one image onto another.")(register.register)
app.command("fuse", short_help="Show two images as one.")(fuse.fuse)
app.command("reconstruct", short_help="Images from sinograms and k-space.", context_settings=words.CONTEXT)(
    reconstruct.reconstruct
)
app.command("rule", short_help="Apply one guideline to given inputs.")(rule.rule)
app.command("rules", short_help="List guidelines and risk models.")(rule.rules)
app.add_typer(models.app, name="models", short_help="List, show, verify, add, remove, trust.")
app.command("train", short_help="Train a model from a configuration.")(train.train)
app.command("evaluate", short_help="Measure a model against the truth.")(evaluate.evaluate)
app.command("package", short_help="Sign a finished run as one file.")(package.package)
app.command("demo", short_help="Read the built-in samples.")(demo.demo)
app.command("bench", short_help="Measure against peers again.")(bench.bench)


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
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = app(standalone_mode=False)
    except IsocenterError as error:
        _end(str(error), _code_of(error))
    except _USAGE_ERROR as error:
        say = getattr(error, "format_message", error.__str__)
        shown = str(say())
        print(shown if "\n" in shown else f"isocenter: {shown} See --help.", file=sys.stderr)
        sys.exit(USAGE)
    except OSError as error:
        _end(f"{error.filename or 'a file'}: expected to be readable or writable, got: {error.strerror}", USAGE)
    except (KeyboardInterrupt, typer.Abort):
        _end("stopped; finished studies are kept", 130)
    sys.exit(code if isinstance(code, int) else 0)


def _code_of(error: IsocenterError) -> int:
    """The exit code that CONTRACT gives to an error."""
    if isinstance(error, PackageError | ReportError | CheckError):
        return CHECK_FAILED
    return NOTHING_READ if isinstance(error, UnreadableError) else USAGE


def _stop(number: int, frame: object) -> None:
    """SIGTERM ends like an error, so that temporary folders are removed on the way out."""
    sys.exit(128 + number)


def _end(line: str, code: int) -> NoReturn:
    print(f"isocenter: {line}", file=sys.stderr)
    sys.exit(code)
