"""Volumes windowed, smoothed and sharpened: grid, unit, type, millimetres."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Volume, Window
from isocenter.imaging import enhance
from isocenter.imaging.intensity import apply_window

EVERY = [enhance.window, enhance.gamma, enhance.equalize, enhance.mean, enhance.gaussian, enhance.median,
         enhance.unsharp, enhance.laplacian, enhance.grey]  # fmt: skip


def ct(dtype=np.int16) -> Volume:
    array = np.random.default_rng(0).normal(0, 300, (6, 20, 24)).astype(dtype)
    return Volume(array, Grid.of_spacing(array.shape, (3.0, 0.8, 0.8)), "HU", "CT")


def colour() -> Volume:
    array = np.random.default_rng(1).integers(0, 256, (1, 12, 14, 3)).astype(np.uint8)
    return Volume(array, Grid.of_pixels((1, 12, 14)), "sRGB")


@pytest.mark.parametrize("change", EVERY)
def test_place_and_unit_stay_and_the_input_is_not_written(change):
    volume = ct()
    before = volume.array.copy()
    changed = change(volume)
    assert changed.grid is volume.grid
    assert changed.unit == "HU"
    assert np.array_equal(volume.array, before)


@pytest.mark.parametrize("change", EVERY)
def test_colour_and_constants_and_single_voxels_are_taken(change):
    assert change(colour()).array.shape[:3] == (1, 12, 14)
    flat = Volume(np.full((1, 5, 5), 3.0, np.float32), Grid.of_pixels((1, 5, 5)))
    np.testing.assert_allclose(change(flat).array, 3.0)
    one = Volume(np.full((1, 1, 1), 3, np.int16), Grid.of_pixels((1, 1, 1)))
    assert change(one).array.item() == 3


@pytest.mark.parametrize("change", EVERY[:-1])
def test_values_that_are_no_numbers_are_refused(change):
    array = np.ones((1, 8, 8))
    array[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        change(Volume(array, Grid.of_pixels((1, 8, 8))))


def test_a_window_cuts_in_the_unit_and_scales_when_asked():
    volume = ct()
    cut = enhance.window(volume, preset="soft-tissue").array
    np.testing.assert_allclose((cut.min(), cut.max()), (39.5 - 199.5, 39.5 + 199.5))
    inside = (volume.array > -160) & (volume.array < 239)
    assert np.array_equal(cut[inside], volume.array[inside])
    shown = enhance.window(volume, center=40, width=400, output=(0, 255))
    np.testing.assert_allclose(shown.array, apply_window(volume.array, Window(40, 400), high=255))


def test_a_window_on_fractions_runs_from_end_to_end_and_one_without_width_is_refused():
    grid = Grid.of_pixels((3, 4, 5))
    volume = Volume(np.linspace(0, 1, 60).reshape(3, 4, 5).astype(np.float32), grid)
    cut = enhance.window(volume, center=0.5, width=0.5).array
    np.testing.assert_allclose(cut, np.clip(volume.array, 0.25, 0.75))
    shown = enhance.window(volume, center=0.5, width=0.2, output=(0, 255)).array
    np.testing.assert_allclose(shown, np.clip((volume.array - 0.4) / 0.2, 0, 1) * 255, atol=1e-3)
    whole = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), grid)
    for image, width in ((volume, 0.0), (volume, -1.0), (whole, 0.5)):
        with pytest.raises(InputError, match="width"):
            enhance.window(image, center=0.5, width=width)


def test_whole_floats_and_hounsfield_units_keep_dicoms_linear_window():
    whole = Volume(np.arange(-500, 500, dtype=np.float32).reshape(1, 25, 40), Grid.of_pixels((1, 25, 40)))
    for image in (whole, replace(whole, array=whole.array + np.float32(0.25), unit="HU")):
        cut = enhance.window(image, center=40, width=400).array
        assert (cut.min(), cut.max()) == (-160, 239)


def test_a_window_is_the_headers_unless_stated():
    volume = ct()
    stated = Volume(volume.array, volume.grid, "HU", "CT", Facts(windows=(Window(0, 101),)))
    assert enhance.window(stated).array.max() == 49.5
    with pytest.raises(InputError, match="both"):
        enhance.window(volume, center=40)


def test_widths_are_millimetres_where_they_are_known():
    volume = ct(np.float32)
    expected = ndimage.gaussian_filter(volume.array, 2 / np.array((3.0, 0.8, 0.8)), mode="nearest")
    np.testing.assert_allclose(enhance.gaussian(volume, sigma_mm=2).array, expected, atol=1e-3)
    by_pixel = ndimage.gaussian_filter(volume.array, 2, mode="nearest")
    np.testing.assert_allclose(enhance.gaussian(volume, sigma_px=2).array, by_pixel, atol=1e-3)
    with pytest.raises(UnknownSpacingError):
        enhance.gaussian(colour(), sigma_mm=2)
    with pytest.raises(InputError, match="both"):
        enhance.unsharp(volume, sigma_mm=2, sigma_px=2)


def test_a_picture_is_not_blurred_by_slices_that_it_does_not_have():
    flat = Volume(np.random.default_rng(2).normal(size=(1, 30, 30)), Grid.of_pixels((1, 30, 30)))
    expected = ndimage.gaussian_filter(flat.array[0], 1.0, mode="nearest")
    np.testing.assert_allclose(enhance.gaussian(flat, sigma_px=1).array[0], expected, atol=1e-5)


def test_types_stay_where_no_new_value_arises_and_ranges_everywhere():
    assert enhance.median(ct()).array.dtype == np.int16
    assert enhance.mean(ct()).array.dtype == np.float32
    sharp = enhance.laplacian(colour(), amount=5).array
    assert (sharp.min(), sharp.max()) == (0, 255)


def test_grey_weighs_colours_as_the_standards_say():
    red = Volume(np.array([[[[200, 0, 0]]]], np.uint8), Grid.of_pixels((1, 1, 1)), "sRGB")
    assert enhance.grey(red).array.item() == round(0.299 * 200)
    assert enhance.grey(red, standard="rec709").array.item() == round(0.2126 * 200)
    assert enhance.grey(ct()).array is not None
