"""Clinical facts that the caller gives: one JSON object for all inputs, or a CSV with a row per file."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from isocenter.core.errors import InputError


@dataclass(frozen=True, slots=True)
class ContextTable:
    """Facts for all inputs, and facts by file."""

    shared: Mapping[str, object] = field(default_factory=dict)
    rows: tuple[Mapping[str, str], ...] = ()

    def facts_for(self, label: Path) -> dict[str, object]:
        """The facts of one input: matched by path, else by base name.

        Raises InputError if several rows carry the base name and none the path.
        """
        return {**self.shared, **self._row(label)}

    def _row(self, label: Path) -> dict[str, object]:
        by_path = [row for row in self.rows if Path(row["file"]) == label]
        by_name = [row for row in self.rows if Path(row["file"]).name == label.name]
        found = by_path or by_name
        if len(found) > 1:
            raise InputError(
                f"context: expected one row for {label.name}, got {len(found)}; give the path instead of the base name"
            )
        return {name: value for row in found for name, value in row.items() if name != "file" and value != ""}


def load_context(path: Path | None) -> ContextTable:
    """The context of a `--context` file; empty if there is none.

    Raises InputError if the file is neither a JSON object nor a CSV with a `file` column.
    """
    if path is None:
        return ContextTable()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"context {path.name}: expected a readable UTF-8 file, got {type(error).__name__}") from error
    return _from_csv(path.name, text) if path.suffix.lower() == ".csv" else _from_json(path.name, text)


def _from_json(name: str, text: str) -> ContextTable:
    try:
        facts = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"context {name}: expected JSON, got an error in line {error.lineno}; correct it") from error
    if not isinstance(facts, dict):
        raise InputError(f"context {name}: expected one JSON object, got {type(facts).__name__}")
    return ContextTable(facts)


def _from_csv(name: str, text: str) -> ContextTable:
    reader = csv.DictReader(text.splitlines())
    if "file" not in (reader.fieldnames or ()):
        raise InputError(f"context {name}: expected a CSV with a `file` column, got {reader.fieldnames}")
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise InputError(f"context {name}: expected the header's columns in line {reader.line_num}, got others")
        rows.append(dict(row))
    return ContextTable(rows=tuple(rows))
