"""Places that somebody marked, from a CSV file."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isocenter.core.errors import InputError, UnreadableError
from isocenter.core.grid import Grid

_IN_MM = ("x", "y", "z")
_IN_VOXELS = ("i", "j", "k")


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """The points of one measurement.

    label     what tells several of a kind apart; "" if nothing does
    measure   "distance", "cobb_angle" …
    points    name -> LPS millimetres, shape (3,)
    """

    label: str
    measure: str
    points: Mapping[str, np.ndarray]


def read_landmarks(path: Path, grid: Grid) -> tuple[Landmarks, ...]:
    """The marked places of a CSV file, grouped into measurements, in the file's order.

    Columns `measure,point` and either `x,y,z` (LPS millimetres) or `i,j,k` (column, row, slice of the image, from 0);
    an optional column `label` tells several measurements of a kind apart.

    Raises UnreadableError where the file cannot be read, InputError for other columns, a point that is no number, or
    the same point twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"{path}: expected a CSV file of landmarks, it cannot be read") from error
    columns = set(rows[0]) if rows else set()
    axes = next((axes for axes in (_IN_MM, _IN_VOXELS) if columns >= {"measure", "point", *axes}), None)
    if axes is None:
        raise InputError(f"{path}: expected rows with the columns measure,point,x,y,z or measure,point,i,j,k")
    found: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    for number, row in enumerate(rows, 2):
        place = _place(row, axes, f"{path}: line {number}")
        points = found.setdefault((row.get("label") or "", row["measure"].strip()), {})
        name = row["point"].strip()
        if name in points:
            raise InputError(f"{path}: line {number}: expected each point once, got {name} again; add a label column")
        points[name] = place if axes == _IN_MM else grid.to_world_mm(place[::-1])
    return tuple(Landmarks(label, measure, points) for (label, measure), points in found.items())


def _place(row: Mapping[str, str], axes: tuple[str, ...], where: str) -> np.ndarray:
    try:
        place = [float(row[axis]) for axis in axes]
    except (TypeError, ValueError):
        place = [math.nan]
    if not all(math.isfinite(value) for value in place):
        raise InputError(f"{where}: expected three numbers {','.join(axes)}")
    return np.array(place)
