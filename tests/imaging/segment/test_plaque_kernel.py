import numpy as np

from isocenter.imaging.segment.plaque_kernel import cover_ellipsoid


def _cover(matrix, centre, spacing, extent, shape, fine=(6, 4)):
    sizes = np.array([spacing, extent], float)
    return cover_ellipsoid(np.asarray(matrix, float), -np.asarray(centre, float), shape, sizes, fine)


def test_the_covered_shares_add_up_to_the_volume():
    matrix = np.diag(1 / np.array([2.6, 3.1, 2.2]) ** 2)
    matrix[0, 1] = matrix[1, 0] = 0.03
    spacing = (1.5, 0.8, 0.8)
    share = _cover(matrix, (9.1, 8.3, 7.9), spacing, spacing, (13, 21, 21))
    expected = 4 / 3 * np.pi / np.sqrt(np.linalg.det(matrix))
    assert np.isclose(share.sum() * np.prod(spacing), expected, rtol=0.01)
    assert share.min() == 0
    assert share.max() == 1


def test_each_share_is_that_of_a_fine_count():
    centre, radius, spacing = np.array([4.2, 5.1, 4.8]), 2.7, (2.0, 1.0, 1.0)
    share = _cover(np.eye(3) / radius**2, centre, spacing, spacing, (5, 11, 11))
    n = 12
    axes = [(np.arange(m * n) + 0.5) / n * s - s / 2 for m, s in zip((5, 11, 11), spacing, strict=True)]
    away = sum(g**2 for g in np.meshgrid(*(a - c for a, c in zip(axes, centre, strict=True)), indexing="ij"))
    counted = (away <= radius**2).reshape(5, n, 11, n, 11, n).mean(axis=(1, 3, 5))
    assert np.abs(share - counted).max() < 0.02


def test_thicker_slices_see_the_plaque_from_farther():
    narrow, wide = (_cover(np.eye(3), (6, 4, 4), (1, 1, 1), (t, 1, 1), (13, 9, 9)) for t in (1.0, 3.0))
    assert np.isclose(narrow.sum(), wide.sum(), rtol=0.03)
    assert (wide.sum(axis=(1, 2)) > 0.01).sum() > (narrow.sum(axis=(1, 2)) > 0.01).sum()
