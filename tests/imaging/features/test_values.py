import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.imaging.features.values import boundary_spread, describe_values


def mask_of(array: np.ndarray) -> Mask:
    return Mask(array, Grid.of_spacing(array.shape, (1.0, 1.0, 1.0)))


def test_statistics_are_those_of_the_numbers_inside():
    array = np.arange(27, dtype=np.int16).reshape(3, 3, 3)
    found = describe_values(array, mask_of(array >= 17))
    assert (found.min, found.max, found.median, found.mean) == (17, 26, 21.5, 21.5)
    assert found.sd == pytest.approx(np.sqrt((10**2 - 1) / 12))
    assert (found.p10, found.p90) == (pytest.approx(17.9), pytest.approx(25.1))


def test_the_spread_of_a_uniform_field_is_nothing():
    array = np.full((9, 9, 9), 5.0)
    inside = np.zeros(array.shape, bool)
    inside[3:6, 3:6, 3:6] = True
    spread = boundary_spread(array, mask_of(inside))
    assert {getattr(spread, name) for name in spread.__slots__} == {0.0}


def test_the_spread_is_half_of_what_a_voxel_more_or_less_changes():
    array = np.zeros((1, 1, 9))
    inside = np.zeros(array.shape, bool)
    inside[0, 0, 2:7] = True
    array[0, 0, 2:7] = 8
    array[0, 0, 7] = 20
    spread = boundary_spread(array, mask_of(inside))
    assert spread.max == 6
    assert spread.min == 4


def test_ninety_five_of_a_hundred_means_of_noise_lie_within_their_spread():
    rng = np.random.default_rng(2)
    inside = np.zeros((9, 9, 9), bool)
    inside[2:7, 2:7, 2:7] = True
    mask = mask_of(inside)
    hits = []
    for _ in range(120):
        array = 100 + rng.normal(0, 20, inside.shape)
        hits.append(abs(describe_values(array, mask).mean - 100) <= boundary_spread(array, mask).mean)
    assert np.mean(hits) > 0.93


def test_empty_masks_and_broken_values_are_refused():
    array = np.ones((3, 3, 3))
    with pytest.raises(InputError, match="empty"):
        describe_values(array, mask_of(np.zeros((3, 3, 3), bool)))
    array[1, 1, 1] = np.inf
    with pytest.raises(InputError, match="finite"):
        describe_values(array, mask_of(np.ones((3, 3, 3), bool)))
    with pytest.raises(InputError, match="gray"):
        describe_values(np.ones((3, 3, 3, 3)), mask_of(np.ones((3, 3, 3), bool)))
