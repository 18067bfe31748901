"""What all enhancing shares."""

import numpy as np
import pytest

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.channels import each_channel, each_part, keep_range, millimetres_of, require_finite, spacing_of


def test_a_colour_image_is_changed_channel_by_channel():
    array = np.random.default_rng(0).integers(0, 255, (1, 4, 5, 3)).astype(np.uint8)
    seen = []
    doubled = each_channel(Volume(array, Grid.of_pixels((1, 4, 5))), lambda part: seen.append(part.shape) or part * 2.0)
    assert seen == [(1, 4, 5)] * 3
    assert np.array_equal(doubled.array, array * 2.0)


def test_a_part_may_change_its_shape():
    volume = Volume(np.ones((2, 3, 4, 3)), Grid.of_pixels((2, 3, 4)))
    assert each_part(volume, lambda part: np.repeat(part, 2, axis=0)).shape == (4, 3, 4, 3)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused_with_their_count(broken):
    array = np.zeros((1, 3, 3), np.float32)
    array[0, 1, 1] = broken
    with pytest.raises(InputError, match="1 are NaN or infinite"):
        require_finite(Volume(array, Grid.of_pixels((1, 3, 3))))


def test_only_integers_have_a_range_to_keep():
    values = np.array([-5.0, 12.5, 400.0])
    assert keep_range(values, np.dtype(np.uint8)).tolist() == [0, 12.5, 255]
    assert keep_range(values, np.dtype(np.float32)).tolist() == [-5, 12.5, 400]


def test_an_unknown_pixel_size_counts_as_one_pixel():
    assert spacing_of(Volume(np.zeros((1, 2, 2)), Grid.of_pixels((1, 2, 2)))) == (1, 1, 1)
    with pytest.raises(UnknownSpacingError, match="--sigma-px"):
        millimetres_of(Volume(np.zeros((1, 2, 2)), Grid.of_pixels((1, 2, 2))), instead="--sigma-px")
    assert spacing_of(Volume(np.zeros((2, 2, 2)), Grid.of_spacing((2, 2, 2), (5, 0.5, 0.7)))) == (5, 0.5, 0.7)
