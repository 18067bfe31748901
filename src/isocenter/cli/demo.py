"""`isocenter demo`: the built-in sample studies, read end to end and held against the known truth."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from isocenter.cli.read import Home, Language


def demo(
    out: Annotated[Path, typer.Option(help="Where the samples and their reports go.", file_okay=False)] = Path(
        "demo-out"
    ),
    lang: Annotated[Language, typer.Option(help="Language of the reports.")] = Language.en,
    home: Home = None,
) -> None:
    """Make the sample studies, read them all, and compare with the known truth."""
    from isocenter.app.demo import run_demo
    from isocenter.app.settings import load_settings

    began = time.perf_counter()
    result = run_demo(out, load_settings(home), lang.value, tell=print)
    print(f"\n{result.summary}  ({time.perf_counter() - began:.0f} s)")
    print(f"Reports: {out}/reports/*/report.html  ·  research software, not for diagnosis")
    sys.exit(0 if result.agrees else 5)
