"""Any folder of pictures with a table, or with one folder per class.

`labels.csv`: `file` or `image` (path in the folder), `label` (class) or `mask` (path), and if known `group`,
`near_dup_group`, `patient` or `case`; every other column of numbers becomes a fact, of words a subgroup.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from isocenter.core.errors import InputError
from isocenter.learning.data import Dataset, Example

_GROUPS: Final = ("group", "near_dup_group", "patient", "case")
_PICTURES: Final = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


def list_examples(folder: Path, options: Mapping[str, object]) -> Dataset:
    """The examples of the table, or where there is none of the folders; classes sorted by name."""
    if options:
        raise InputError(f"dataset table: expected no options, got {sorted(options)}")
    table = folder / "labels.csv"
    examples = tuple(_rows(folder, table) if table.is_file() else _folders(folder))
    return Dataset(examples, tuple(sorted({each.label for each in examples if each.label})), {"name": folder.name})


def _rows(folder: Path, table: Path) -> list[Example]:
    """The examples of a table."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    picture = next((name for name in ("file", "image") if rows and name in rows[0]), None)
    if picture is None or not ({"label", "mask"} & set(rows[0])):
        raise InputError("labels.csv: expected the columns file (or image) and label (or mask), got others")
    group = next((name for name in _GROUPS if name in rows[0]), picture)
    return [
        Example(
            row[picture],
            _inside(folder, row[picture]),
            row[group],
            row.get("label", ""),
            _inside(folder, row["mask"]) if row.get("mask") else None,
            {name: float(value) for name, value in row.items() if name != group and _is_number(value)},
        )
        for row in rows
    ]


def _folders(folder: Path) -> list[Example]:
    """The pictures of every class folder."""
    paths = sorted(path for path in folder.glob("*/*") if path.suffix.lower() in _PICTURES)
    return [Example(str(p.relative_to(folder)), p, str(p.relative_to(folder)), p.parent.name) for p in paths]


def _inside(folder: Path, name: str) -> Path:
    """A path of the table; nothing outside the folder."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError("labels.csv: expected paths inside the folder, got one that leads out of it")
    return path


def _is_number(text: str | None) -> bool:
    """Whether a cell holds a number."""
    try:
        float(text or "")
    except ValueError:
        return False
    return True
