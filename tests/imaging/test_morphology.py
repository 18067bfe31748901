"""Morphology against scipy's with the same ball, and its own laws."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.errors import InputError
from isocenter.imaging.morphology import close_mask, dilate, distance_mm, erode, fill_holes, fill_holes_2d, open_mask

BALLS = [
    (1.5, (1.0, 0.7, 0.7)),
    (2.0, (2.5, 0.7, 0.8)),
    (7.0, (1.2, 0.7, 0.8)),
    (0.5, (1.0, 1.0, 1.0)),
    (3.0, (1.0, 1.0, 1.0)),
]


def blobs(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(20, 44, 36))
    return ndimage.gaussian_filter(noise, 2) > 0.05


def ball(radius_mm: float, spacing: tuple[float, float, float]) -> np.ndarray:
    reach = [int(radius_mm / step + 1e-9) for step in spacing]
    grid = np.mgrid[tuple(slice(-n, n + 1) for n in reach)]
    return sum((axis * step) ** 2 for axis, step in zip(grid, spacing, strict=True)) <= radius_mm**2 + 1e-9


@pytest.mark.parametrize(("radius_mm", "spacing"), BALLS)
def test_dilation_and_erosion_equal_scipys(radius_mm: float, spacing: tuple[float, float, float]):
    mask, element = blobs(), ball(radius_mm, spacing)
    grown = dilate(mask, radius_mm=radius_mm, spacing_mm=spacing)
    assert np.array_equal(grown, ndimage.binary_dilation(mask, element))
    shrunk = erode(mask, radius_mm=radius_mm, spacing_mm=spacing)
    assert np.array_equal(shrunk, ndimage.binary_erosion(mask, element, border_value=1))


@pytest.mark.parametrize(("radius_mm", "spacing"), BALLS)
def test_opening_shrinks_closing_grows_and_both_settle(radius_mm: float, spacing: tuple[float, float, float]):
    mask = blobs(1)
    options = {"radius_mm": radius_mm, "spacing_mm": spacing}
    opened, closed = open_mask(mask, **options), close_mask(mask, **options)
    assert not (opened & ~mask).any()
    assert not (mask & ~closed).any()
    assert np.array_equal(open_mask(opened, **options), opened)
    assert np.array_equal(close_mask(closed, **options), closed)


def test_closing_equals_scipys_on_a_padded_array():
    mask, element = blobs(2), ball(2.0, (1.0, 1.0, 1.0))
    padded = np.pad(mask, 4)
    expected = ndimage.binary_closing(padded, element)[4:-4, 4:-4, 4:-4]
    assert np.array_equal(close_mask(mask, radius_mm=2.0, spacing_mm=(1, 1, 1)), expected)


def test_a_ball_on_thick_slices_does_not_reach_the_next_slice():
    mask = np.zeros((5, 9, 9), dtype=bool)
    mask[2, 4, 4] = True
    grown = dilate(mask, radius_mm=2.0, spacing_mm=(5, 1, 1))
    assert np.flatnonzero(grown.any(axis=(1, 2))).tolist() == [2]
    assert grown.sum() == 13


def test_closing_bridges_a_gap_and_opening_cuts_a_bridge():
    mask = np.zeros((7, 15, 31), dtype=bool)
    mask[1:6, 3:12, 2:14] = mask[1:6, 3:12, 16:29] = True
    assert close_mask(mask, radius_mm=2, spacing_mm=(1, 1, 1))[3, 7, 14:16].all()
    mask[:, :, 11:19] = False
    mask[3, 7, 11:19] = True
    opened = open_mask(mask, radius_mm=2, spacing_mm=(1, 1, 1))
    assert not opened[3, 7, 13:17].any()
    assert opened[3, 7, 8]


def test_holes_are_filled_as_scipy_fills_them():
    mask = blobs(3)
    assert np.array_equal(fill_holes(mask), ndimage.binary_fill_holes(mask))
    assert np.array_equal(fill_holes_2d(mask), np.stack([ndimage.binary_fill_holes(picture) for picture in mask]))


def test_a_tunnel_is_filled_in_each_slice_but_not_in_space():
    mask = np.ones((4, 7, 7), dtype=bool)
    mask[:, 3, 3] = False
    assert np.array_equal(fill_holes(mask), mask)
    assert fill_holes_2d(mask).all()


def test_distance_is_in_millimetres_along_every_axis():
    mask = np.ones((9, 9, 9), dtype=bool)
    mask[4, 4, 4] = False
    distance = distance_mm(mask, spacing_mm=(2.5, 0.7, 0.9))
    assert distance[4, 4, 4] == 0
    np.testing.assert_allclose([distance[6, 4, 4], distance[4, 1, 4], distance[4, 4, 8]], [5.0, 2.1, 3.6], rtol=1e-5)
    expected = ndimage.distance_transform_edt(mask, sampling=(2.5, 0.7, 0.9))
    np.testing.assert_allclose(distance, expected, rtol=1e-5)


def test_empty_and_full_masks_stay_what_they_are():
    for mask in (np.zeros((3, 4, 5), dtype=bool), np.ones((3, 4, 5), dtype=bool)):
        for change in (dilate, erode, open_mask, close_mask):
            assert np.array_equal(change(mask, radius_mm=1.5, spacing_mm=(1, 1, 1)), mask)


def test_what_is_no_mask_is_refused():
    with pytest.raises(InputError, match="bool"):
        dilate(np.zeros((2, 2, 2)), radius_mm=1, spacing_mm=(1, 1, 1))
    with pytest.raises(InputError, match="radius"):
        dilate(np.zeros((2, 2, 2), dtype=bool), radius_mm=-1, spacing_mm=(1, 1, 1))
    with pytest.raises(InputError, match="spacing"):
        dilate(np.zeros((2, 2, 2), dtype=bool), radius_mm=1, spacing_mm=(1, 0, 1))
