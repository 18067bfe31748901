"""Breast ultrasound, three classes (BUSI): `labels.csv` with near-duplicate groups, one folder per class.

Source: Al-Dhabyani, Gomaa, Khaled, Fahmy, Data in Brief 28:104863 (2020), Baheya Hospital, Cairo.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

from isocenter.core.errors import InputError
from isocenter.learning.data import Dataset, Example

CLASSES = ("benign", "malignant", "normal")


def list_examples(folder: Path, options: Mapping[str, object]) -> Dataset:
    """The examples by class; pictures that are nearly the same share a group.

    A group with more than one class is left out: the source holds byte-equal pictures under two labels
    (benign 433 and malignant 145), and nobody can say which is right.
    """
    if options:
        raise InputError(f"dataset busi: expected no options, got {sorted(options)}")
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels: dict[str, set[str]] = {}
    for row in rows:
        labels.setdefault(row["near_dup_group"], set()).add(row["label"])
    examples = tuple(
        Example(row["file"], folder / row["file"], row["near_dup_group"], row["label"])
        for row in rows
        if len(labels[row["near_dup_group"]]) == 1
    )
    about = {
        "name": "BUSI (256 x 256 copy)",
        "licence": "CC0 (data copy), CC BY 4.0 (article); as recalled by the data's note",
        "source": "Al-Dhabyani et al., Data in Brief 28:104863 (2020)",
    }
    return Dataset(examples, CLASSES, about)
