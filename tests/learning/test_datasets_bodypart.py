import csv

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.io.raster import write_png
from isocenter.learning.datasets_bodypart import CLASSES, FOREIGN, PROPER, list_examples
from isocenter.learning.foreign import KINDS

TABLES = {
    "busi_breast_us": ("labels.csv", "file", "near_dup_group"),
    "hc18_fetal_head_us": ("labels.csv", "image", "case"),
    "nih_cxr_pneumonia_vs_nofinding": ("labels.csv", "file", "patient"),
    "head_ct_hemorrhage": ("labels.csv", "file", "near_dup_group"),
    "brain_tumor_mri_4class": ("labels.csv", "file", "near_dup_cluster"),
    "chasedb1_retina_vessels": ("labels.csv", "image", "child"),
    "bccd_blood_cells_detection": ("boxes.csv", "file", "label"),
}


@pytest.fixture
def folder(tmp_path):
    """A folder of all sets with two pictures each."""
    rng = np.random.default_rng(0)
    for label in PROPER:
        place = tmp_path / "bodypart_modality_64px" / label
        place.mkdir(parents=True)
        for name in ("a", "b"):
            write_png(rng.integers(0, 255, (64, 64), dtype=np.uint8), place / f"{name}.jpeg")
    for name, (table, column, group) in TABLES.items():
        (tmp_path / name).mkdir()
        shape = (32, 32, 3) if name == "chasedb1_retina_vessels" else (32, 32)
        for index in range(2):
            write_png(rng.integers(0, 255, shape, dtype=np.uint8), tmp_path / name / f"{index}.png")
        with (tmp_path / name / table).open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [column, group])
            writer.writeheader()
            writer.writerows({column: f"{index}.png", group: str(index)} for index in range(2))
    return tmp_path


def test_every_class_is_there_and_every_key_is_unique(folder):
    dataset = list_examples(folder, {"generated": 1, "scrambled": 2})
    assert {example.label for example in dataset.examples} == set(CLASSES) == set(dataset.classes)
    assert len({example.key for example in dataset.examples}) == len(dataset.examples)


def test_a_scrambled_picture_stays_in_the_group_of_the_picture_that_it_was(folder):
    dataset = list_examples(folder, {"generated": 0, "scrambled": 3})
    scrambled = [example for example in dataset.examples if example.key.startswith("scrambled/")]
    groups = {example.group for example in dataset.examples if example.label in PROPER}
    assert len(scrambled) == 3
    assert all(example.label == FOREIGN and example.group in groups for example in scrambled)


def test_a_source_can_be_left_out(folder):
    left_out = ["chasedb1_retina_vessels", "noise"]
    keys = [
        example.key for example in list_examples(folder, {"generated": 1, "scrambled": 1, "without": left_out}).examples
    ]
    assert not any(key.startswith(tuple(left_out)) for key in keys)
    assert sum(key.split("/")[0] in KINDS for key in keys) == len(KINDS) - 1


def test_unknown_sources_and_options_are_refused(folder):
    with pytest.raises(InputError, match="leave out"):
        list_examples(folder, {"without": ["cats"]})
    with pytest.raises(InputError, match="unknown options"):
        list_examples(folder, {"cats": 1})
    with pytest.raises(InputError, match="whole number"):
        list_examples(folder, {"generated": -1})
