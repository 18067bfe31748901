import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.features.layers import grow_by_voxel, shrink_by_voxel


@pytest.mark.parametrize("shape", [(7, 9, 11), (1, 12, 12), (5, 1, 1), (30, 30)])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_growing_and_shrinking_are_scipys_by_faces(shape, share):
    array = np.random.default_rng(3).random(shape) < share
    np.testing.assert_array_equal(grow_by_voxel(array), ndimage.binary_dilation(array))
    np.testing.assert_array_equal(shrink_by_voxel(array), ndimage.binary_erosion(array))


def test_the_mask_that_came_in_stays_as_it_is():
    array = np.zeros((3, 3, 3), bool)
    array[1, 1, 1] = True
    grow_by_voxel(array)
    shrink_by_voxel(array)
    assert array.sum() == 1
