"""The flood's queue and the basins' depths on reliefs small enough to follow by hand."""

import numpy as np

from isocenter.imaging.segment.watershed_kernel import basin_depths, flood_levels


def test_the_lowest_level_is_flooded_first():
    # A ridge of 9 between two markers; the left one reaches the low ground behind a pass of 3.
    levels = np.array([0, 0, 1, 3, 2, 9, 1, 0, 0], np.int32)
    labels = np.array([-1, 1, 0, 0, 0, 0, 0, 2, -1], np.int32)
    flood_levels(levels, labels, np.array((-1, 1), np.int64))
    assert labels.tolist() == [-1, 1, 1, 1, 1, 2, 2, 2, -1]


def test_levels_far_apart_are_found():
    levels = np.array([0, 5000, 70000, 3, 0], np.int32)
    labels = np.array([-1, 7, 0, 0, -1], np.int32)
    flood_levels(levels, labels, np.array((-1, 1), np.int64))
    assert labels.tolist() == [-1, 7, 7, 7, -1]


def test_a_basin_is_as_deep_as_its_lowest_pass():
    values = np.array([0, 5.0, 1.0, 4.0, 2.0, 6.0, 3.0, 7.0, 0], np.float32)
    inside = np.arange(1, 8)
    order = inside[np.argsort(values[inside], kind="stable")].astype(np.int32)
    depths = basin_depths(values, order, np.array((-1, 1), np.int64))
    assert depths[2] == np.inf
    assert depths[4] == 2.0
    assert depths[6] == 3.0
    assert depths[3] <= 0
