"""The median network and the one-walk filter against scipy, on shapes that have nothing but borders too."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.smooth_kernels import median_27, separable_filter

SHAPES = [(1, 1, 1), (1, 2, 5), (2, 1, 3), (5, 17, 33), (4, 3, 287), (3, 4, 600)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_the_median_is_scipys_bit_by_bit(shape, dtype):
    array = np.random.default_rng(0).normal(100, 40, shape).clip(0, 255).astype(dtype)
    found = np.empty_like(array)
    median_27(array, found)
    assert np.array_equal(found, ndimage.median_filter(array, 3, mode="nearest"))


def test_the_median_finds_the_middle_of_any_order_of_27():
    rng = np.random.default_rng(1)
    for _ in range(300):
        block = rng.permutation(27).reshape(3, 3, 3).astype(np.int16)
        found = np.empty_like(block)
        median_27(block, found)
        assert found[1, 1, 1] == 13


@pytest.mark.parametrize("shape", SHAPES)
def test_the_filter_is_three_correlations(shape):
    rng = np.random.default_rng(2)
    array = rng.normal(size=shape).astype(np.float32)
    halves = [rng.normal(size=size).astype(np.float32) for size in (2, 5, 4)]
    found = np.empty_like(array)
    separable_filter(array, *halves, found)
    expected = array.astype(np.float64)
    for axis, half in enumerate(halves):
        expected = ndimage.correlate1d(expected, np.concatenate((half[:0:-1], half)), axis=axis, mode="nearest")
    np.testing.assert_allclose(found, expected, atol=2e-5 * max(1.0, np.abs(expected).max()))
