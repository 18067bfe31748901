"""Smoothing against scipy, and the Gaussian's own laws."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.errors import InputError
from isocenter.imaging.smooth import smooth_gaussian, smooth_mean, smooth_median, smooth_median_2d


def noise(shape: tuple[int, int, int] = (9, 70, 33)) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (2.5, 0.7, 0.9)])
@pytest.mark.parametrize("sigma_mm", [0.0, 0.5, 1.4])
def test_the_gaussian_equals_scipys(sigma_mm: float, spacing_mm: tuple[float, float, float]):
    expected = ndimage.gaussian_filter(noise(), sigma_mm / np.array(spacing_mm), mode="nearest")
    np.testing.assert_allclose(smooth_gaussian(noise(), sigma_mm=sigma_mm, spacing_mm=spacing_mm), expected, atol=2e-6)


def test_the_gaussian_is_round_in_millimetres():
    array = np.zeros((41, 81, 81), dtype=np.float32)
    array[20, 40, 40] = 1
    smooth = smooth_gaussian(array, sigma_mm=4, spacing_mm=(2, 1, 1)).astype(np.float64)
    assert abs(smooth.sum() - 1) < 1e-4
    for axis, step in enumerate((2, 1, 1)):
        profile = smooth.sum(axis=tuple(other for other in range(3) if other != axis))
        place = (np.arange(profile.size) - profile.size // 2) * step
        assert abs(np.sqrt((profile * place**2).sum()) - 4) < 0.05


def test_two_gaussians_make_one():
    array, options = noise((49, 49, 49)), {"spacing_mm": (1.0, 1.0, 1.0)}
    twice = smooth_gaussian(smooth_gaussian(array, sigma_mm=1.5, **options), sigma_mm=2.0, **options)
    once = smooth_gaussian(array, sigma_mm=2.5, **options)
    assert np.abs(twice - once)[16:-16, 16:-16, 16:-16].max() < 1e-3


def test_medians_and_mean_equal_scipys():
    array = noise()
    np.testing.assert_array_equal(smooth_median(array), ndimage.median_filter(array, 3, mode="nearest"))
    expected = ndimage.median_filter(array, (1, 5, 5), mode="nearest")
    np.testing.assert_array_equal(smooth_median_2d(array, size=5), expected)
    np.testing.assert_allclose(smooth_mean(array, size=5), ndimage.uniform_filter(array, 5, mode="nearest"), atol=1e-6)


def test_the_median_removes_a_single_bad_voxel_and_keeps_an_edge():
    array = np.zeros((5, 9, 9), dtype=np.float32)
    array[:, :, 5:] = 100
    spiked = array.copy()
    spiked[2, 4, 2] = 1000
    np.testing.assert_array_equal(smooth_median(spiked), array)


def test_a_single_slice_and_whole_numbers_are_smoothed_too():
    array = np.arange(35, dtype=np.int16).reshape(1, 5, 7)
    for smooth in (smooth_gaussian(array, sigma_mm=1, spacing_mm=(1, 1, 1)), smooth_mean(array)):
        assert smooth.dtype == np.float32
        assert smooth.shape == array.shape
    assert np.array_equal(smooth_median(array), ndimage.median_filter(array, 3, mode="nearest"))
    assert smooth_median(array).dtype == np.int16


def test_a_wider_median_equals_scipys():
    assert np.array_equal(smooth_median(noise(), size=5), ndimage.median_filter(noise(), 5, mode="nearest"))


def test_what_cannot_be_smoothed_is_refused():
    with pytest.raises(InputError, match="sigma"):
        smooth_gaussian(noise(), sigma_mm=-1, spacing_mm=(1, 1, 1))
    with pytest.raises(InputError, match="slices"):
        smooth_gaussian(np.zeros((3, 3)), sigma_mm=1, spacing_mm=(1, 1, 1))
    with pytest.raises(InputError, match="odd"):
        smooth_mean(noise(), size=4)
    with pytest.raises(InputError, match="size"):
        smooth_median_2d(noise(), size=7)


@pytest.mark.parametrize("smooth", [smooth_mean, smooth_median])
@pytest.mark.parametrize("size", [-1, 0, 4, 10**13 + 1])
def test_a_size_that_is_even_or_beyond_all_images_is_refused(smooth, size):
    with pytest.raises(InputError, match="odd size"):
        smooth(noise((1, 8, 8)), size=size)


@pytest.mark.parametrize("sigma_mm", [-1.0, float("nan"), float("inf"), 1e9])
def test_a_gaussian_without_end_is_refused(sigma_mm):
    with pytest.raises(InputError, match="smoothing"):
        smooth_gaussian(noise((1, 8, 8)), sigma_mm=sigma_mm, spacing_mm=(1, 1, 1))
