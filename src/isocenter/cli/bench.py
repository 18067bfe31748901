"""`isocenter bench`: the project against its peers, measured again on this machine."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def bench(
    name: Annotated[str | None, typer.Argument(help="One file of benchmarks/, without .py; all if left out.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the benchmarks lie: a clone's benchmarks/.")] = Path("benchmarks"),
) -> None:
    """Re-measure against the peers in the same run and write benchmarks/RESULTS.md."""
    from isocenter.app.bench import run_benchmarks

    failed = run_benchmarks(folder, name, tell=print)
    sys.exit(4 if failed else 0)
