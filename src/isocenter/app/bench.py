"""Runs the benchmark files of a clone, each in its own process, and writes one table with machine and date."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from isocenter.core.errors import InputError
from isocenter.io.atomic import atomic_write

Row = dict[str, object]
_COLUMNS = ("name", "ours", "peer", "ratio", "unit")


def run_benchmarks(folder: Path, name: str | None, *, tell: Callable[[str], None]) -> tuple[str, ...]:
    """Run one benchmark or all, merge the rows into `results.json` and `RESULTS.md`; the names of those that failed.

    A benchmark prints a JSON list of {name, ours, peer, ratio, unit}.

    Raises InputError if the folder holds no such benchmark.
    """
    files = sorted(path for path in folder.glob("*.py") if name in (None, path.stem))
    if not files:
        raise InputError(
            f"bench: expected a clone's benchmarks folder with {name or 'benchmarks'}, got none; use --folder"
        )
    store = folder / "results.json"
    results: dict[str, dict[str, object]] = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    failed = []
    for path in files:
        tell(f"{path.stem} …")
        done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)  # noqa: S603
        try:
            rows: list[Row] = json.loads(done.stdout[done.stdout.index("[") :])
        except ValueError:
            failed.append(path.stem)
            reason = done.stderr.strip().splitlines()[-1:] or [str(done.returncode)]
            tell(f"{path.stem} failed: {reason[0]}")
            continue
        results[path.stem] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine(), "rows": rows}
        for row in rows:
            tell("    " + _line(row))
    atomic_write(store, (json.dumps(results, indent=1, ensure_ascii=False) + "\n").encode())
    atomic_write(folder / "RESULTS.md", results_table(results).encode())
    return tuple(failed)


def machine() -> str:
    """The machine as a table names it: cores, processor family, Python."""
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


def results_table(results: dict[str, dict[str, object]]) -> str:
    """The committed table: one row per comparison, with date and machine."""
    lines = [
        "# Measured against peers",
        "",
        "Written by `isocenter bench`. A ratio above 1 means that ours is faster or smaller.",
    ]
    for name, result in sorted(results.items()):
        lines += ["", f"## {name}", "", f"{result['date']}, {result['machine']}", ""]
        lines += ["| what | ours | peer | ratio | unit |", "| --- | --- | --- | --- | --- |"]
        rows = result["rows"]
        for row in rows if isinstance(rows, list) else []:
            lines.append("| " + " | ".join(_cell(row[key]) for key in _COLUMNS) + " |")
    return "\n".join(lines) + "\n"


def _line(row: Row) -> str:
    ours, peer, ratio = (_cell(row[key]) for key in ("ours", "peer", "ratio"))
    return f"{row['name']}: ours {ours}, peer {peer} {row['unit']}, ratio {ratio}"


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
