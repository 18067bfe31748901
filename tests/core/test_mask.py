import numpy as np
import pytest

from isocenter.core.errors import GeometryError, InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask


def test_volume_is_count_times_voxel():
    array = np.zeros((2, 10, 10), bool)
    array[0, :5, :5] = True
    assert Mask(array, Grid.of_spacing((2, 10, 10), (4, 2, 1))).volume_ml == pytest.approx(25 * 8 / 1000)


def test_a_mask_without_millimetres_has_no_volume():
    with pytest.raises(UnknownSpacingError):
        _ = Mask(np.ones((1, 2, 2), bool), Grid.of_pixels((1, 2, 2))).volume_ml


def test_only_bool_on_the_grid_is_a_mask():
    with pytest.raises(InputError, match="bool"):
        Mask(np.ones((1, 2, 2)), Grid.of_pixels((1, 2, 2)))
    with pytest.raises(GeometryError):
        Mask(np.ones((1, 2, 3), bool), Grid.of_pixels((1, 2, 2)))
