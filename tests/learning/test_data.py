import cv2
import numpy as np
import pytest

from isocenter.core.card import PrepareStep
from isocenter.core.errors import InputError
from isocenter.learning.data import DATASETS, Example, list_dataset, load_arrays, load_mask

STEPS = (PrepareStep("resize", {"rows": 32, "columns": 32, "fit": "pad", "fill": 9}), PrepareStep("zscore"))


def picture(path, array):
    cv2.imwrite(str(path), array.astype(np.uint8))
    return path


def head(tmp_path, name="a"):
    j, i = np.mgrid[:40, :64]
    mask = ((j - 20) ** 2 + (i - 32) ** 2) < 144
    image = picture(tmp_path / f"{name}.png", 40 + 100 * mask)
    return Example(name, image, name, "round", picture(tmp_path / f"{name}-mask.png", 255 * mask))


def test_masks_go_through_the_same_places_and_no_other_step(tmp_path):
    example = head(tmp_path)
    arrays = load_arrays([example], STEPS, ())
    assert arrays.images.shape == arrays.targets.shape == (1, 1, 32, 32)
    assert arrays.targets.min() == 0 and arrays.targets.max() == 1
    inside = arrays.targets[0, 0] > 0.5
    assert inside.sum() == pytest.approx(np.pi * 6**2, rel=0.1)
    assert arrays.images[0, 0][6:26][inside[6:26]].min() > arrays.images[0, 0][7:25][~inside[7:25]].max()


def test_classes_become_their_numbers(tmp_path):
    arrays = load_arrays([head(tmp_path)], STEPS, ("flat", "round"))
    assert arrays.targets.tolist() == [1] and len(arrays) == 1


def test_a_missing_mask_or_folder_or_adapter_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a mask"):
        load_mask(Example("a", tmp_path / "a.png", "a"), STEPS)
    with pytest.raises(InputError, match="dataset"):
        list_dataset("everything", tmp_path, {})
    with pytest.raises(InputError, match="expected a folder"):
        list_dataset("table", tmp_path / "none", {})
    with pytest.raises(InputError, match="found none"):
        list_dataset("table", tmp_path, {})


def test_every_adapter_in_the_list_exists():
    from importlib import import_module

    for entry in DATASETS.values():
        module, _, function = entry.partition(":")
        assert callable(getattr(import_module(module), function))
