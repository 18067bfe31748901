"""Thresholds of volumes: defaults from the image, presets for CT, classes in order."""

import numpy as np
import pytest
from skimage.filters import threshold_multiotsu, threshold_otsu

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.methods import PRESETS, multi_otsu_volume, otsu_volume, threshold_volume


def two_peaks(dtype=np.uint8) -> Volume:
    rng = np.random.default_rng(0)
    values = np.concatenate((rng.normal(60, 12, 1500), rng.normal(150, 20, 1000))).clip(0, 255)
    return Volume(values.astype(dtype).reshape(1, 50, 50), Grid.of_pixels((1, 50, 50)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_otsu_is_scikit_images_mask(dtype):
    volume = two_peaks(dtype)
    np.testing.assert_array_equal(otsu_volume(volume), volume.array > threshold_otsu(volume.array))
    np.testing.assert_array_equal(threshold_volume(volume), otsu_volume(volume))


def test_multi_otsu_numbers_from_dark_to_bright():
    volume = two_peaks()
    labels = multi_otsu_volume(volume, classes=3)
    np.testing.assert_array_equal(labels - 1, np.digitize(volume.array, threshold_multiotsu(volume.array, 3) + 0.5))
    means = [volume.array[labels == n].mean() for n in (1, 2, 3)]
    assert means == sorted(means)


def test_limits_are_included():
    volume = Volume(np.arange(12.0).reshape(1, 3, 4), Grid.of_pixels((1, 3, 4)))
    assert np.flatnonzero(threshold_volume(volume, low=3, high=5)).tolist() == [3, 4, 5]
    assert np.flatnonzero(threshold_volume(volume, high=2)).tolist() == [0, 1, 2]


def test_hysteresis_keeps_pieces_that_reach_the_start():
    volume = Volume(np.array([[[0.0, 4, 9, 4, 0, 5, 5, 0]]]), Grid.of_pixels((1, 1, 8)))
    assert np.flatnonzero(threshold_volume(volume, low=4, start=8)).tolist() == [1, 2, 3]


def test_presets_are_for_hounsfield_units():
    hu = np.array([[[-1000.0, -700, -100, 60, 700]]])
    grid = Grid.of_spacing((1, 1, 5), (1.0, 1.0, 1.0))
    ct = Volume(hu, grid, "HU", "CT")
    for place, name in enumerate(("air", "lung", "fat", "muscle", "bone")):
        assert np.flatnonzero(threshold_volume(ct, preset=name)).tolist() == [place]
    assert np.flatnonzero(threshold_volume(ct, preset="body")).tolist() == [2, 3, 4]
    assert all(low < high for low, high in PRESETS.values())
    with pytest.raises(InputError, match="HU"):
        threshold_volume(Volume(hu, grid), preset="bone")
    with pytest.raises(InputError, match="beside"):
        threshold_volume(ct, preset="bone", low=3.0)


def test_a_constant_image_is_named():
    flat = Volume(np.ones((1, 4, 4)), Grid.of_pixels((1, 4, 4)))
    for function in (threshold_volume, otsu_volume, multi_otsu_volume):
        with pytest.raises(InputError, match="different"):
            function(flat)
    assert threshold_volume(flat, low=0.5).all()
