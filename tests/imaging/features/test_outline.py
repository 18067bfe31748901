"""Outlines lie where linear interpolation passes the level."""

import numpy as np

from isocenter.imaging.features.outline import edge_points


def test_a_mask_ends_halfway_between_voxels():
    mask = np.zeros((5, 5), dtype=bool)
    mask[2, 2] = True
    assert sorted(map(tuple, edge_points(mask).tolist())) == [(1.5, 2.0), (2.0, 1.5), (2.0, 2.5), (2.5, 2.0)]


def test_a_ramp_is_passed_where_the_formula_says():
    ramp = np.tile(np.arange(8.0), (4, 1))
    points = edge_points(ramp, level=2.3)
    inner = points[(points[:, 1] > 0) & (points[:, 1] < 7) & (points[:, 0] == 1)]
    np.testing.assert_allclose(inner[:, 1], [2.3])


def test_what_the_border_cuts_ends_half_a_voxel_beyond():
    assert sorted(edge_points(np.ones(3, dtype=bool)).ravel().tolist()) == [-0.5, 2.5]


def test_three_axes_work_and_nothing_gives_nothing():
    mask = np.zeros((3, 3, 3), dtype=bool)
    assert edge_points(mask).shape == (0, 3)
    mask[1, 1, 1] = True
    assert len(edge_points(mask)) == 6


def test_a_blurred_disc_is_found_to_a_hundredth_of_a_pixel():
    j, i = np.mgrid[:41, :41]
    radius = np.hypot(j - 20, i - 20)
    disc = np.clip(10.5 - radius, 0, 1)
    found = np.linalg.norm(edge_points(disc, level=0.5) - 20, axis=1)
    assert abs(found.mean() - 10) < 0.02
    assert found.std() < 0.1
