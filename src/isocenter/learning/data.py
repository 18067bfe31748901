"""Examples of a data set, made into a network's inputs by the card's own pre-processing.

An adapter (`datasets_<name>.py`) lists what lies in a folder; this module loads it. Nothing is downloaded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.core.card import PrepareStep
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.prepare import Prepared, prepare
from isocenter.io.raster import read_raster
from isocenter.learning.splits import Member

# Steps that move pixels; a mask goes through these alone.
SPATIAL_STEPS: Final = frozenset({"resize", "crop"})

# name: "module:function" that takes (folder, options) and returns a Dataset
DATASETS: Final = {
    "table": "isocenter.learning.datasets_table:list_examples",
    "hc18": "isocenter.learning.datasets_hc18:list_examples",
    "busi": "isocenter.learning.datasets_busi:list_examples",
    "bodypart": "isocenter.learning.datasets_bodypart:list_examples",
}


@dataclass(frozen=True, slots=True)
class Example:
    """One picture with what is known of it.

    key     its name in the data set, stable for ever
    group   patient, or pictures that are nearly the same; never on two sides of a split
    label   class name, "" where there is none
    mask    picture of the structure, non-zero inside
    facts   numbers such as pixel_size_mm
    volume  where the picture is no file of its own: a slice of a stack, a generated picture
    """

    key: str
    path: Path
    group: str
    label: str = ""
    mask: Path | None = None
    facts: Mapping[str, float] = field(default_factory=dict)
    volume: Volume | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The examples of a data set.

    classes   in the order of the logits; empty for segmentation
    about     what the card says of the data: name, licence, source
    """

    examples: tuple[Example, ...]
    classes: tuple[str, ...] = ()
    about: Mapping[str, object] = field(default_factory=dict)

    def members(self) -> tuple[Member, ...]:
        """The examples as the splitter sees them."""
        return tuple(Member(each.key, each.group, each.label) for each in self.examples)

    def select(self, keys: Sequence[str]) -> tuple[Example, ...]:
        """Examples by key, in the order of the keys."""
        by_key = {each.key: each for each in self.examples}
        return tuple(by_key[key] for key in keys)


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """Examples in memory, as the network takes them.

    images   (n, channels, rows, columns), float32
    targets  class numbers (n,), int64, or masks (n, 1, rows, columns), float32 in [0, 1]
    """

    keys: tuple[str, ...]
    images: np.ndarray = field(repr=False)
    targets: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        """How many examples."""
        return len(self.keys)


def list_dataset(name: str, folder: Path, options: Mapping[str, object]) -> Dataset:
    """What the adapter finds in the folder."""
    if name not in DATASETS:
        raise InputError(f"dataset: expected one of {sorted(DATASETS)}, got {name!r}")
    if not folder.is_dir():
        raise InputError(f"data: expected a folder, got {folder}")
    module, _, function = DATASETS[name].partition(":")
    dataset = getattr(import_module(module), function)(folder, options)
    if not isinstance(dataset, Dataset) or not dataset.examples:
        raise InputError(f"dataset {name}: expected examples in {folder}, found none")
    return dataset


def load_arrays(examples: Sequence[Example], steps: Sequence[PrepareStep], classes: Sequence[str]) -> Arrays:
    """All examples prepared; targets are masks where `classes` is empty, else class numbers."""
    images = np.stack([prepare(load_volume(each), steps).array for each in examples])
    if classes:
        targets = np.array([list(classes).index(each.label) for each in examples], dtype=np.int64)
    else:
        targets = np.stack([load_mask(each, steps).array for each in examples])
    return Arrays(tuple(each.key for each in examples), images, targets)


def load_volume(example: Example) -> Volume:
    """The example's picture."""
    return read_raster(example.path) if example.volume is None else example.volume


def volume_of_picture(picture: np.ndarray) -> Volume:
    """A gray picture (rows, columns) as a volume of unknown place."""
    return Volume(picture[np.newaxis], Grid.of_pixels((1, picture.shape[0], picture.shape[1])))


def load_mask(example: Example, steps: Sequence[PrepareStep]) -> Prepared:
    """The example's mask on the network's pixels, float32 in [0, 1], with the way back."""
    if example.mask is None:
        raise InputError(f"example {example.key}: expected a mask, got none")
    volume = read_raster(example.mask)
    inside = (volume.array if volume.array.ndim == 3 else volume.array.max(axis=-1)) > 0
    spatial = [PrepareStep(s.op, {**s.options, "fill": 0}) for s in steps if s.op in SPATIAL_STEPS]
    return prepare(Volume(inside.astype(np.float32), volume.grid), spatial)
