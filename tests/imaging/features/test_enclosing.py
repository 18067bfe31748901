import numpy as np

from isocenter.imaging.features.enclosing import hull_of, largest_distance, smallest_ellipsoid


def test_hull_of_a_full_grid_has_eight_corners():
    grid = np.indices((5, 6, 7)).reshape(3, -1).T * np.array((3.0, 1.0, 0.5))
    hull = hull_of(grid)
    assert len(hull.points) == 8
    assert np.isclose(hull.volume_mm3, 12 * 5 * 3)
    assert np.isclose(hull.area_mm2, 2 * (12 * 5 + 12 * 3 + 5 * 3))


def test_largest_distance_is_that_of_all_pairs():
    points = np.random.default_rng(0).normal(size=(700, 3))
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    assert np.isclose(largest_distance(points), apart.max())


def test_smallest_ellipsoid_of_a_box_touches_its_corners():
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * np.array((6.0, 4.0, 2.0))
    # For a box, by symmetry: half sides times the root of three.
    assert np.allclose(smallest_ellipsoid(corners), np.array((3, 2, 1)) * 3**0.5, rtol=1e-3)


def test_smallest_ellipsoid_holds_every_point_of_a_cloud_and_fits_an_ellipsoid():
    rng = np.random.default_rng(1)
    ball = rng.normal(size=(400, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    assert np.allclose(smallest_ellipsoid(ball * (5.0, 3.0, 2.0)), (5, 3, 2), rtol=5e-3)
