"""Seeds, units and gray values as every method takes them."""

import numpy as np
import pytest

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.inputs import (
    ball_around,
    finest_mm,
    gray_array,
    positive,
    relative_steps,
    require_contrast,
    seed_places,
    sigma_in_steps,
)


def volume(shape=(4, 5, 6), spacing=(3.0, 1.5, 1.0)) -> Volume:
    return Volume(np.zeros(shape, np.float32), Grid.of_spacing(shape, spacing))


def test_a_seed_is_column_row_slice():
    assert seed_places(volume(), [(5, 4, 3), (0, 1, 2)]) == [(3, 4, 5), (2, 1, 0)]
    assert seed_places(volume((1, 5, 6)), [(5, 4)]) == [(0, 4, 5)]


@pytest.mark.parametrize("seed", [(6, 0, 0), (0, 5, 0), (0, 0, 4), (-1, 0, 0), (1, 1), (1, 1, 1, 1)])
def test_a_seed_outside_or_of_other_length_is_refused(seed):
    with pytest.raises(InputError, match="--seed"):
        seed_places(volume(), [seed])


def test_steps_are_ratios_and_axes_of_one_voxel_do_not_count():
    assert relative_steps(volume()).tolist() == [3.0, 1.5, 1.0]
    assert relative_steps(volume((1, 5, 6), (0.1, 2.0, 1.0))).tolist() == [1.0, 2.0, 1.0]
    pixels = Volume(np.zeros((1, 5, 6)), Grid.of_pixels((1, 5, 6)))
    assert relative_steps(pixels).tolist() == [1.0, 1.0, 1.0]


def test_millimetres_need_a_stated_spacing():
    assert sigma_in_steps(volume(spacing=(3.0, 2.0, 2.0)), 4.0, 1.0) == 2.0
    pixels = Volume(np.zeros((1, 5, 6)), Grid.of_pixels((1, 5, 6)))
    assert sigma_in_steps(pixels, None, 1.5) == 1.5
    with pytest.raises(UnknownSpacingError):
        sigma_in_steps(pixels, 1.0, 1.5)
    assert finest_mm(volume((1, 5, 6), (0.1, 2.0, 1.5))) == 1.5


def test_colour_becomes_luma_and_nan_is_refused():
    grid = Grid.of_pixels((1, 2, 2))
    colour = np.zeros((1, 2, 2, 3), np.uint8)
    colour[..., 1] = 255
    assert gray_array(Volume(colour, grid, "sRGB")).tolist() == [[[150, 150], [150, 150]]]
    holed = np.zeros((1, 2, 2), np.float32)
    holed[0, 0, 0] = np.inf
    with pytest.raises(InputError, match="1 of 4"):
        gray_array(Volume(holed, grid))
    with pytest.raises(InputError, match="intensities"):
        gray_array(Volume(np.zeros((1, 2, 2), np.complex64), grid))


def test_a_constant_image_and_numbers_out_of_range_are_refused():
    with pytest.raises(InputError, match="constant"):
        require_contrast(np.ones(5), "otsu")
    for value in (0.0, -1.0, np.nan, np.inf):
        with pytest.raises(InputError, match="--beta"):
            positive(value, "beta")
    assert positive(0.0, "neck-mm", zero=True) == 0


def test_a_ball_has_its_radius_in_the_steps_unit():
    ball = ball_around((9, 9, 9), (4, 4, 4), 3.0, (3.0, 1.0, 1.0))
    assert np.flatnonzero(ball[:, 4, 4]).tolist() == [3, 4, 5]
    assert np.flatnonzero(ball[4, 4]).tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_values_whose_squares_overflow_are_refused():
    huge = volume().with_array(np.full((4, 5, 6), -1e30, np.float32))
    with pytest.raises(InputError, match="1e\\+15"):
        gray_array(huge)
