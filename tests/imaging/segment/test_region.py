"""Regions grow where intensities allow, through wide gaps only, and not too far."""

import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.core.errors import InputError
from isocenter.imaging.segment.region import confidence_limits, grow_region

SPACING = (1.0, 1.0, 1.0)


def two_rooms_and_a_door(door_rows: int) -> np.ndarray:
    """Two rooms of value 100, 11 voxels wide each, joined by a door."""
    array = np.zeros((11, 15, 31), dtype=np.float32)
    array[1:10, 2:13, 2:13] = array[1:10, 2:13, 18:29] = 100
    middle = 7
    array[4:7, middle - door_rows // 2 : middle + (door_rows + 1) // 2, 13:18] = 100
    return array


def test_growth_equals_simpleitks_connected_threshold():
    array = np.random.default_rng(0).normal(size=(15, 20, 25)).astype(np.float32)
    seed = tuple(int(v) for v in np.argwhere(array > 0)[0])
    expected = sitk.ConnectedThreshold(sitk.GetImageFromArray(array), [seed[::-1]], -0.3, 9.0)
    grown = grow_region(array, [seed], limits=(-0.3, 9.0), spacing_mm=SPACING)
    np.testing.assert_array_equal(grown.mask, sitk.GetArrayFromImage(expected).astype(bool))
    assert not grown.reached_limit


def test_without_a_guard_it_leaks_with_one_it_does_not():
    array = two_rooms_and_a_door(1)
    leaked = grow_region(array, [(5, 7, 7)], limits=(50, 150), spacing_mm=SPACING)
    assert leaked.mask[5, 7, 24]
    held = grow_region(array, [(5, 7, 7)], limits=(50, 150), spacing_mm=SPACING, neck_mm=4)
    assert not held.mask[:, :, 18:].any()
    room = np.zeros_like(array, dtype=bool)
    room[1:10, 2:13, 2:13] = True
    overlap = 2 * (held.mask & room).sum() / (held.mask.sum() + room.sum())
    assert overlap > 0.98


def test_the_guard_is_in_millimetres():
    array = two_rooms_and_a_door(3)
    assert grow_region(array, [(5, 7, 7)], limits=(50, 150), spacing_mm=SPACING, neck_mm=1).mask[5, 7, 24]
    assert not grow_region(array, [(5, 7, 7)], limits=(50, 150), spacing_mm=(0.5, 0.5, 0.5), neck_mm=2).mask[5, 7, 24]


def test_a_seed_beside_the_border_starts_from_the_core():
    array = two_rooms_and_a_door(1)
    held = grow_region(array, [(1, 2, 2)], limits=(50, 150), spacing_mm=SPACING, neck_mm=4)
    assert held.mask[5, 7, 7]
    assert held.mask[1, 2, 2]


def test_the_reach_ends_it_and_says_so():
    array = np.full((21, 21, 21), 5.0)
    grown = grow_region(array, [(10, 10, 10)], limits=(0, 9), spacing_mm=(2.0, 1.0, 1.0), reach_mm=6)
    assert grown.reached_limit
    reach = np.argwhere(grown.mask) - 10
    assert np.abs(reach).max(axis=0).tolist() == [3, 6, 6]
    free = grow_region(array, [(10, 10, 10)], limits=(0, 9), spacing_mm=SPACING, reach_mm=100)
    assert not free.reached_limit
    assert free.n_voxels == array.size


def test_a_seed_outside_the_limits_grows_nothing():
    assert grow_region(np.zeros((3, 3, 3)), [(1, 1, 1)], limits=(5, 9), spacing_mm=SPACING).n_voxels == 0
    with pytest.raises(InputError, match="seed"):
        grow_region(np.zeros((3, 3, 3)), [(3, 1, 1)], limits=(0, 9), spacing_mm=SPACING)
    with pytest.raises(InputError, match="seed"):
        grow_region(np.zeros((3, 3, 3)), [], limits=(0, 9), spacing_mm=SPACING)


def test_limits_come_from_around_the_seed():
    array = np.random.default_rng(1).normal(100, 5, (9, 9, 9))
    low, high = confidence_limits(array, [(4, 4, 4)], radius_voxels=3, n_deviations=2)
    assert abs((low + high) / 2 - 100) < 1.5
    assert 15 < high - low < 25
