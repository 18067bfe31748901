"""Curvature flow: straight borders rest, corners and specks go."""

import numpy as np

from isocenter.imaging.segment.contour_kernel import smooth_once


def twice(mask: np.ndarray) -> np.ndarray:
    return smooth_once(smooth_once(mask, inside_first=False), inside_first=True)


def test_a_straight_border_rests():
    half = np.zeros((13, 13, 13), bool)
    half[:, :, :6] = True
    # Beyond the array nothing is inside, so its own corners are worn off.
    inner = (slice(3, -3),) * 3
    np.testing.assert_array_equal(twice(half)[inner], half[inner])


def test_specks_and_pinholes_go():
    mask = np.zeros((9, 9, 9), bool)
    mask[2:7, 2:7, 2:7] = True
    mask[4, 4, 4] = False
    mask[0, 0, 0] = True
    smooth = twice(mask)
    assert smooth[4, 4, 4]
    assert not smooth[0, 0, 0]


def test_a_corner_is_rounded():
    square = np.zeros((1, 12, 12), bool)
    square[0, 3:9, 3:9] = True
    smooth = smooth_once(square, inside_first=True)
    assert not smooth[0, 3, 3]
    assert smooth[0, 3, 5]


def test_both_sides_are_treated_alike():
    rng = np.random.default_rng(0)
    mask = np.zeros((1, 20, 20), bool)
    mask[0, 4:-4, 4:-4] = rng.random((12, 12)) > 0.4
    far = np.pad(mask, ((0, 0), (3, 3), (3, 3)))
    inner = (slice(None), slice(3, -3), slice(3, -3))
    turned = ~np.pad(~mask, ((0, 0), (3, 3), (3, 3)), constant_values=True)
    np.testing.assert_array_equal(
        smooth_once(far, inside_first=True)[inner], smooth_once(turned, inside_first=True)[inner]
    )
    np.testing.assert_array_equal(
        ~smooth_once(~far, inside_first=False)[:, 5:-5, 5:-5], smooth_once(far, inside_first=True)[:, 5:-5, 5:-5]
    )
