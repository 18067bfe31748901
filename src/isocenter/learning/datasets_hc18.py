"""Fetal heads in ultrasound with head masks (HC18): `labels.csv`, `images/`, `masks/`.

Source: van den Heuvel, de Bruijn, de Korte, van Ginneken, PLoS ONE 2018;13(8):e0200412; data on Zenodo, CC BY 4.0.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from isocenter.core.errors import InputError
from isocenter.io.raster import read_raster
from isocenter.learning.data import Dataset, Example
from isocenter.learning.splits import find_near_duplicates, join_groups


def list_examples(folder: Path, options: Mapping[str, object]) -> Dataset:
    """The examples with pixel size and circumference; label = third of the circumference, for alike parts.

    A group is a case number, joined with the cases whose pictures are nearly the same. The source has fewer
    pregnancies than case numbers and does not say which belong together, so a group is not exactly a patient.
    """
    if options:
        raise InputError(f"dataset hc18: expected no options, got {sorted(options)}")
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    circumference = np.array([float(row["head_circumference_mm"]) for row in rows])
    labels = np.digitize(circumference, np.quantile(circumference, (1 / 3, 2 / 3)))
    by_case = {row["image"]: row["case"] for row in rows}
    pictures = {row["image"]: _gray(folder / row["image"]) for row in rows}
    groups = join_groups(by_case, find_near_duplicates(pictures))
    examples = tuple(
        Example(
            row["image"],
            folder / row["image"],
            groups[row["image"]],
            f"third-{label + 1}",
            folder / row["mask"],
            {
                "pixel_size_mm": float(row["pixel_size_mm"]),
                "head_circumference_mm": float(row["head_circumference_mm"]),
            },
        )
        for row, label in zip(rows, labels, strict=True)
    )
    about = {
        "name": "HC18 (half-size copy)",
        "licence": "CC BY 4.0",
        "source": "van den Heuvel et al., PLoS ONE 2018;13(8):e0200412",
    }
    return Dataset(examples, (), about)


def _gray(path: Path) -> np.ndarray:
    """The picture, (rows, columns)."""
    array = read_raster(path).array[0]
    return array if array.ndim == 2 else np.asarray(array.mean(axis=-1))
