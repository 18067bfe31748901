"""Five textures of equal mean and contrast are told apart on mosaics with curved borders, pixel by pixel."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from isocenter.core.errors import InputError, LimitError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.phantoms_texture import texture_mosaic
from isocenter.imaging.segment.texture import segment_texture


def agreement(truth: np.ndarray, labels: np.ndarray) -> float:
    """Share of pixels that agree when classes are matched as well as they can be."""
    table = np.zeros((truth.max() + 1, labels.max() + 1))
    np.add.at(table, (truth.ravel(), labels.ravel()), 1)
    return float(table[linear_sum_assignment(-table)].sum() / truth.size)


@pytest.mark.parametrize("seed", [0, 3])
def test_a_mosaic_of_five_textures_is_found_to_95_percent(seed: int):
    volume, truth = texture_mosaic(256, n_textures=5, rng=np.random.default_rng(seed))
    labels = segment_texture(volume, classes=5)
    assert labels.dtype == np.int32 and labels.shape == volume.grid.shape
    assert agreement(truth, labels) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 16))
def test_more_mosaics_are_found_to_95_percent(seed: int):
    volume, truth = texture_mosaic(256, n_textures=5, rng=np.random.default_rng(seed))
    assert agreement(truth, segment_texture(volume, classes=5)) >= 0.95


def test_labels_run_from_fine_to_coarse_and_brightness_does_not_matter():
    volume, truth = texture_mosaic(128, n_textures=2, rng=np.random.default_rng(0), names=("cloud", "grain"))
    labels = segment_texture(volume, classes=2)
    assert (labels[truth == 2] == 1).mean() > 0.95
    assert (labels[truth == 1] == 2).mean() > 0.9
    other = segment_texture(volume.with_array(volume.array * 3.0 - 500), classes=2)
    assert (other == labels).mean() > 0.999


def test_the_same_seed_gives_the_same_labels():
    volume, _ = texture_mosaic(96, n_textures=3, rng=np.random.default_rng(1))
    np.testing.assert_array_equal(segment_texture(volume, classes=3), segment_texture(volume, classes=3))


def test_a_stack_is_learned_from_some_slices_and_its_neighbours_hold_together():
    flat, truth = texture_mosaic(96, n_textures=2, rng=np.random.default_rng(2), names=("straw", "hair"))
    stack = np.repeat(flat.array, 8, axis=0)
    labels = segment_texture(Volume(stack, Grid.of_spacing(stack.shape, (2, 1, 1))), classes=2)
    assert agreement(np.repeat(truth, 8, axis=0), labels) > 0.95
    assert (labels == labels[:1]).mean() > 0.99


def test_only_what_the_mask_holds_is_labelled():
    volume, truth = texture_mosaic(128, n_textures=3, rng=np.random.default_rng(4))
    mask = Mask(truth > 1, volume.grid)
    labels = segment_texture(volume, classes=2, mask=mask)
    np.testing.assert_array_equal(labels > 0, mask.array)
    assert agreement(truth[mask.array] - 2, labels[mask.array] - 1) > 0.9


def test_what_cannot_be_told_apart_is_named():
    with pytest.raises(InputError, match="constant"):
        segment_texture(Volume(np.ones((1, 40, 40)), Grid.of_pixels((1, 40, 40))))
    with pytest.raises(InputError, match="16 pixels"):
        segment_texture(Volume(np.zeros((1, 8, 40)), Grid.of_pixels((1, 8, 40))))
    with pytest.raises(LimitError, match="resample"):
        segment_texture(Volume(np.zeros((1, 2000, 2000), dtype=np.uint8), Grid.of_pixels((1, 2000, 2000))))
    with pytest.raises(InputError, match="NaN"):
        segment_texture(Volume(np.full((1, 40, 40), np.nan), Grid.of_pixels((1, 40, 40))))
    empty = Mask(np.zeros((1, 40, 40), dtype=bool), Grid.of_pixels((1, 40, 40)))
    with pytest.raises(InputError, match="got none"):
        segment_texture(Volume(np.eye(40)[None], Grid.of_pixels((1, 40, 40))), mask=empty)


def test_a_sliver_between_two_textures_goes_to_the_nearer_one():
    from isocenter.imaging.segment.texture import _without_slivers

    labels = np.zeros((1, 40, 60), dtype=np.int64)
    labels[:, :, 30:] = 1
    labels[:, :, 28:32] = 2
    labels[0, 5:7, 5:7] = 2
    cleaned = _without_slivers(labels, np.ones(labels.shape, dtype=bool), 4)
    assert set(np.unique(cleaned)) == {0, 1}
    np.testing.assert_array_equal(cleaned[0, 20], np.arange(60) >= 30)


@pytest.mark.parametrize("window", [0.0, -1.0, float("nan"), 1e9])
def test_a_window_without_a_width_is_refused(window):
    volume = Volume(np.random.default_rng(0).normal(size=(1, 32, 32)).astype(np.float32), Grid.of_pixels((1, 32, 32)))
    with pytest.raises(InputError, match="window"):
        segment_texture(volume, window=window)
