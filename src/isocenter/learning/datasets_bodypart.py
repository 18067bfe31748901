"""Which body part and modality, with what to refuse: the folder that holds all data sets side by side.

Proper classes come from `bodypart_modality_64px`, with adult chest films and head CT slices of two other sets. Two more
classes are routes to reading tasks (breast and fetal ultrasound). "foreign" is everything else: pictures of other
organs, generated pictures (`foreign.py`), and proper pictures with their tiles scrambled.

Source: "MedNIST", gathered from TCIA, RSNA Bone Age and NIH CXR by B. Erickson, Mayo Clinic; CC BY-SA 4.0.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.io.raster import read_raster
from isocenter.learning.data import Dataset, Example, volume_of_picture
from isocenter.learning.foreign import KINDS, make_foreign, scramble
from isocenter.learning.splits import find_near_duplicates

PROPER: Final = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")
ROUTES: Final = ("BreastUS", "FetalUS")
FOREIGN: Final = "foreign"
CLASSES: Final = (*PROPER, *ROUTES, FOREIGN)
_SIZE: Final = 64

# folder: (class, column of the picture, column of the group, every n-th row)
_TABLES: Final = {
    "busi_breast_us": ("BreastUS", "file", "near_dup_group", 1),
    "hc18_fetal_head_us": ("FetalUS", "image", "case", 1),
    "nih_cxr_pneumonia_vs_nofinding": ("CXR", "file", "patient", 3),
    "head_ct_hemorrhage": ("HeadCT", "file", "near_dup_group", 1),
    "brain_tumor_mri_4class": (FOREIGN, "file", "near_dup_cluster", 3),
    "chasedb1_retina_vessels": (FOREIGN, "image", "child", 1),
    "bccd_blood_cells_detection": (FOREIGN, "file", "file", 1),
}


def list_examples(folder: Path, options: Mapping[str, object]) -> Dataset:
    """The examples by class.

    options   generated = pictures per generated kind; scrambled = scrambled proper pictures; seed;
              without = sources or generated kinds to leave out, to see how the rest generalises to them
    """
    unknown = set(options) - {"generated", "scrambled", "seed", "without"}
    if unknown:
        raise InputError(f"dataset bodypart: unknown options {sorted(unknown)}")
    left_out = options.get("without", [])
    if not isinstance(left_out, list) or not set(left_out) <= {*_TABLES, *KINDS, "scrambled"}:
        raise InputError(f"dataset bodypart: expected sources or kinds to leave out, got {left_out!r}")
    rng = np.random.default_rng(_number(options, "seed", 7))
    proper = list(_list_proper(folder / "bodypart_modality_64px"))
    examples = [*proper]
    for name in _TABLES:
        examples += _list_table(folder, name)
    examples += _generate(_number(options, "generated", 200), rng)
    examples += _scramble(proper, _number(options, "scrambled", 300), rng)
    kept = tuple(each for each in examples if each.key.split("/")[0] not in left_out)
    about = {
        "name": "MedNIST copy at 64 px, BUSI, HC18, NIH chest films, head CT slices; foreign: brain MR, retina, blood, "
        "generated pictures",
        "licence": "CC BY-SA 4.0 (MedNIST); CC0 / CC BY 4.0; CC BY 4.0; NIH open with attribution; CC0; MIT",
        "source": "MedNIST by B. Erickson, Mayo Clinic, from TCIA, RSNA and NIH; further sets as docs/reference/models",
    }
    return Dataset(kept, CLASSES, about)


def _list_proper(folder: Path) -> Iterator[Example]:
    """The six classes; there are no patient ids, so pictures that are nearly the same make a group."""
    for label in PROPER:
        paths = {f"{label}/{path.name}": path for path in sorted((folder / label).glob("*.jpeg"))}
        groups = find_near_duplicates({key: _gray(read_raster(path)) for key, path in paths.items()})
        for key, path in paths.items():
            yield Example(key, path, groups[key], label)


def _list_table(folder: Path, name: str) -> Iterator[Example]:
    """The pictures of one further set; the colour ones give luma and each colour channel."""
    label, column, group, step = _TABLES[name]
    table = next(path for path in (folder / name / "labels.csv", folder / name / "boxes.csv") if path.exists())
    with table.open(encoding="utf-8", newline="") as file:
        rows = {row[column]: row for row in csv.DictReader(file)}
    for file_name in sorted(rows)[::step]:
        path, key = folder / name / file_name, f"{name}/{file_name}"
        group_key = f"{name}/{rows[file_name][group]}"
        yield Example(key, path, group_key, label)
        if name == "chasedb1_retina_vessels":
            array = read_raster(path).array
            for channel in range(3):
                volume = volume_of_picture(array[0, :, :, channel].astype(np.float32))
                yield Example(f"{key}#{channel}", path, group_key, label, volume=volume)


def _generate(count: int, rng: np.random.Generator) -> Iterator[Example]:
    """`count` generated pictures of every kind."""
    for kind in KINDS:
        for index in range(count):
            key = f"{kind}/{index:04d}"
            yield Example(key, Path(key), key, FOREIGN, volume=volume_of_picture(make_foreign(kind, rng, _SIZE) * 255))


def _scramble(proper: list[Example], count: int, rng: np.random.Generator) -> Iterator[Example]:
    """Proper pictures without their anatomy, in the group of the picture that they were."""
    for index in rng.choice(len(proper), size=count, replace=False):
        source = proper[int(index)]
        picture = scramble(_gray(read_raster(source.path)), rng)
        yield Example(f"scrambled/{source.key}", source.path, source.group, FOREIGN, volume=volume_of_picture(picture))


def _gray(volume: Volume) -> np.ndarray:
    """The picture, float32 (rows, columns)."""
    array = volume.array[0].astype(np.float32)
    return array if array.ndim == 2 else np.asarray(array.mean(axis=-1))


def _number(options: Mapping[str, object], name: str, default: int) -> int:
    """A whole number among the options."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"dataset bodypart option {name}: expected a whole number, got {value!r}")
    return value
