"""Thinning and sign changes on arrays small enough to read."""

import numpy as np

from isocenter.imaging.segment.edges_kernel import thin_ridges, zero_crossings


def test_a_ridge_keeps_its_crest_only():
    steepness = np.tile(np.array([0, 1, 3, 5, 3, 1, 0], np.float32), (1, 4, 1))
    direction = np.zeros((3, *steepness.shape), np.float32)
    direction[2] = 1
    assert thin_ridges(steepness, direction)[0, 1].tolist() == [0, 0, 0, 5, 0, 0, 0]


def test_of_two_equal_neighbours_one_stays():
    steepness = np.array([[[0, 2, 5, 5, 2, 0]]], np.float32)
    direction = np.zeros((3, 1, 1, 6), np.float32)
    direction[2] = 1
    assert np.count_nonzero(thin_ridges(steepness, direction)) == 1


def test_between_voxels_the_steepness_is_interpolated():
    steepness = np.zeros((3, 3, 3), np.float32)
    steepness[1, 1, 1] = 1.0
    steepness[2, 2, 2] = 1.5
    direction = np.zeros((3, 3, 3, 3), np.float32)
    direction[:, 1, 1, 1] = 1 / np.sqrt(3)
    # A third of the way in each axis the diagonal neighbour weighs 0.19 and the voxel itself 0.08: less than 1.
    assert thin_ridges(steepness, direction)[1, 1, 1] == 1.0
    steepness[2, 2, 2] = 6.0
    assert thin_ridges(steepness, direction)[1, 1, 1] == 0.0


def test_the_sign_changes_on_the_side_nearer_to_zero():
    values = np.array([[[-3, -1, 2, 5, -4]]], np.float32)
    assert zero_crossings(values)[0, 0].tolist() == [False, True, False, False, True]
    assert not zero_crossings(np.ones((2, 3, 4), np.float32)).any()
