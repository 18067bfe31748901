"""Clinical facts that the caller gives: one JSON object for all inputs, or a CSV with a row per file."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from isocenter.core.errors import InputError


@dataclass(frozen=True, slots=True)
class AssignedContext:
    """Facts for all inputs, and facts by input file or folder."""

    shared: Mapping[str, object] = field(default_factory=dict)
    by_place: Mapping[Path, Mapping[str, object]] = field(default_factory=dict)

    def facts_for(self, labels: Iterable[Path]) -> dict[str, object]:
        """The facts of one study: those for all, then those of its files or of the nearest folder above them."""
        for label in labels:
            for place in (label, *label.parents):
                if place in self.by_place:
                    return {**self.shared, **self.by_place[place]}
        return dict(self.shared)


@dataclass(frozen=True, slots=True)
class ContextTable:
    """Facts for all inputs, and rows of facts for single ones; `assign` says which row belongs to which input."""

    shared: Mapping[str, object] = field(default_factory=dict)
    rows: tuple[Mapping[str, str], ...] = ()

    def assign(self, labels: Iterable[Path]) -> AssignedContext:
        """The facts of each input: a row belongs to the input whose path ends in the row's, else to its base name.

        labels   every input file as the caller knows it; a row may also name a folder above them

        Raises InputError where a row fits several inputs, or several rows one.
        """
        places: dict[Path, None] = {}
        for label in labels:
            places[label] = None
            places.update(dict.fromkeys(parent for parent in label.parents if parent.name))
        by_name: dict[str, list[Path]] = defaultdict(list)
        for place in places:
            by_name[place.name].append(place)
        facts: dict[Path, dict[str, object]] = {}
        for row in self.rows:
            found = _place_of(Path(row["file"]), by_name)
            if found is None:
                continue
            if found in facts:
                raise InputError(f"context: expected one row for {found.name}, got several; leave one")
            facts[found] = {name: value for name, value in row.items() if name != "file" and value != ""}
        return AssignedContext(self.shared, facts)


def _place_of(named: Path, by_name: Mapping[str, list[Path]]) -> Path | None:
    """The input that a row names: by the end of its path, else by base name; None where there is none."""
    alike = by_name.get(named.name, [])
    exact = [place for place in alike if place == named]
    ending = exact or [place for place in alike if place.parts[-len(named.parts) :] == named.parts]
    found = ending or alike
    if len(found) > 1:
        raise InputError(
            f"context: expected one input for the row of {named.name}, got {len(found)}; give more of the path"
        )
    return found[0] if found else None


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
        raise InputError(f"context {name}: expected a CSV with a `file` column, got none; name it in the first line")
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise InputError(f"context {name}: expected the header's columns in line {reader.line_num}, got others")
        rows.append(dict(row))
    return ContextTable(rows=tuple(rows))
