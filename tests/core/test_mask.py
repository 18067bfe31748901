import numpy as np
import pytest

from isocenter.core.errors import GeometryError, InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.mask import LabelMap, Mask, Regions


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


def _planes(*boxes):
    """{slice: plane} of boxes (slice, rows, columns)."""
    found = {}
    for k, rows, columns in boxes:
        plane = np.zeros((6, 7), np.bool_)
        plane[rows, columns] = True
        found[k] = plane
    return found


LEFT = _planes((1, slice(1, 4), slice(1, 4)))
ACROSS = _planes((1, slice(2, 3), slice(0, 7)), (2, slice(0, 2), slice(0, 2)))
APART = _planes((3, slice(0, 6), slice(0, 7)))


def test_regions_that_overlap_keep_every_voxel():
    grid = Grid.of_spacing((4, 6, 7), (1, 1, 1))
    found = Regions.stacked([(1, LEFT), (2, ACROSS), (3, APART)], grid, names={1: "left"})
    assert (found.labels, len(found.layers)) == ((1, 2, 3), 2)
    assert [found.mask_of(n).n_voxels for n in (1, 2, 3)] == [9, 7 + 4, 42]
    assert found.any_mask.n_voxels == 9 + 7 - 3 + 4 + 42
    with pytest.raises(InputError, match="3 lie in several of 1, 2, 3"):
        found.to_labels()


def test_chosen_regions_keep_their_numbers_and_become_labels_where_none_is_shared():
    grid = Grid.of_spacing((4, 6, 7), (1, 1, 1))
    found = Regions.stacked([(1, LEFT), (2, ACROSS), (3, APART)], grid, names={1: "left", 2: "across"})
    labels = found.only([2, 3]).to_labels()
    assert labels.labels == (2, 3) and found.only([2]).names == {2: "across"}
    assert np.array_equal(labels.mask_of(2).array, found.mask_of(2).array)
    assert found.only([9]).labels == () and Regions.stacked([], grid).labels == ()


def test_numbers_above_a_byte_are_found_too():
    array = np.zeros((2, 3, 4), np.int32)
    array[0, 0, 0], array[1, 2, 3] = 70_000, 3
    assert LabelMap(array, Grid.of_spacing((2, 3, 4), (1, 1, 1))).labels == (3, 70_000)
