"""Volumes repaired: the options' meaning, the grid, the unit, and what is said about it."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging import restore


def ct(n_slices: int = 9) -> Volume:
    j, i = np.mgrid[:32, :36]
    body = np.where(np.hypot(j - 16, i - 18) < 13, 40, -1000)
    array = np.stack([body] * n_slices) + np.random.default_rng(0).normal(0, 20, (n_slices, 32, 36))
    return Volume(array.astype(np.int16), Grid.of_spacing(array.shape, (3.0, 0.8, 0.8)), "HU", "CT")


def mask_of(volume: Volume, *box) -> Mask:
    array = np.zeros(volume.grid.shape, bool)
    array[tuple(box)] = True
    return Mask(array, volume.grid)


@pytest.mark.parametrize("change", [restore.clahe, restore.gibbs, restore.ring, restore.inpaint, restore.erode,
                                    restore.dilate, restore.opening, restore.closing])  # fmt: skip
def test_place_and_unit_stay(change):
    volume = ct()
    before = volume.array.copy()
    changed = change(volume)
    assert changed.grid is volume.grid
    assert changed.unit == "HU"
    assert np.array_equal(volume.array, before)


def test_morphology_is_scipys_in_millimetres_on_gray_values():
    volume = ct()
    steps = np.array((3.0, 0.8, 0.8)).reshape(3, 1, 1, 1)
    ball = np.sum(np.square(np.mgrid[-1:2, -4:5, -4:5] * steps), axis=0) <= 3.1**2
    expected = ndimage.grey_dilation(volume.array, footprint=ball, mode="constant", cval=-32768)
    found = restore.dilate(volume, radius_mm=3.1).array
    assert found.dtype == np.int16
    assert np.array_equal(found, expected)
    eroded = ndimage.grey_erosion(volume.array, footprint=ball, mode="constant", cval=32767)
    assert np.array_equal(restore.erode(volume, radius_mm=3.1).array, eroded)


def test_a_mask_of_0_and_255_stays_one():
    picture = Volume(np.zeros((1, 20, 20), np.uint8), Grid.of_pixels((1, 20, 20)))
    picture.array[0, 8:12, 8:12] = 255
    grown = restore.dilate(picture, radius_px=2).array
    assert set(np.unique(grown)) == {0, 255}
    assert np.array_equal(restore.erode(picture.with_array(grown), radius_px=2).array, picture.array)
    with pytest.raises(UnknownSpacingError):
        restore.dilate(picture, radius_mm=2)
    with pytest.raises(InputError, match="both"):
        restore.erode(picture, radius_px=2, radius_mm=2)


def test_opening_and_closing_take_out_specks_and_gaps():
    volume = ct()
    array = np.where(volume.array > -500, 1, 0).astype(np.uint8)
    speck, gap = array.copy(), array.copy()
    speck[4, 1, 1], gap[4, 16, 18] = 1, 0
    assert np.array_equal(restore.opening(volume.with_array(speck), radius_mm=1).array[4, 1, 1], 0)
    assert np.array_equal(restore.closing(volume.with_array(gap), radius_mm=1).array[4, 16, 18], 1)


@pytest.mark.parametrize("method", ["biharmonic", "tv"])
def test_a_hole_is_filled_by_what_lies_around_it(method):
    volume = ct()
    spoiled = volume.array.copy()
    spoiled[4, 14:18, 16:20] = 3000
    found = restore.inpaint(volume.with_array(spoiled), mask_of(volume, 4, slice(14, 18), slice(16, 20)), method=method)
    assert np.abs(found.array[4, 14:18, 16:20] - 40).max() < 80


def test_without_a_mask_damaged_slices_are_replaced_and_named():
    volume = ct()
    spoiled = volume.array.copy()
    spoiled[5] = 0
    repaired = restore.inpaint(volume.with_array(spoiled))
    assert repaired.facts.notes == ("slice-interpolated: 5 (blank)",)
    assert np.abs(repaired.array[5] - volume.array[5]).mean() < 30
    asked = restore.inpaint(volume, slices=(2,))
    assert asked.facts.notes == ("slice-interpolated: 2 (as asked)",)
    with pytest.raises(InputError, match="--mask"):
        restore.inpaint(Volume(np.zeros((1, 9, 9)), Grid.of_pixels((1, 9, 9))))


def test_masks_have_to_fit_and_colour_is_taken_where_it_makes_sense():
    volume = ct()
    with pytest.raises(InputError, match="mask"):
        restore.clahe(volume, mask_of(ct(4), 0))
    array = np.random.default_rng(1).integers(0, 255, (1, 16, 16, 3)).astype(np.uint8)
    colour = Volume(array, Grid.of_pixels((1, 16, 16)))
    for change in (restore.clahe, restore.dilate, restore.gibbs, restore.ring):
        assert change(colour).array.shape == colour.array.shape
    with pytest.raises(InputError, match="colour"):
        restore.bias_field(colour)


def test_a_ball_larger_than_any_image_is_refused():
    with pytest.raises(InputError, match="at most 250 pixels"):
        restore.erode(ct(3), radius_mm=1e9)
