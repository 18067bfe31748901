"""Windows against the formulas of the standard, normalising against its laws."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Volume, Window
from isocenter.imaging.intensity import (
    PRESETS,
    apply_lut,
    apply_window,
    clip_percentiles,
    display_uint8,
    display_window,
    robust_window,
    scale_to_unit,
    standardise,
    to_gray,
)


def volume_of(array: np.ndarray, **options) -> Volume:
    return Volume(array, Grid.of_pixels(array.shape[:3]), **options)


def linear_by_the_standard(x: float, c: float, w: float, low: float, high: float) -> float:
    """PS3.3 C.11.2.1.2.1, pseudo-code of the standard, one value at a time."""
    if x <= c - 0.5 - (w - 1) / 2:
        return low
    if x > c - 0.5 + (w - 1) / 2:
        return high
    return ((x - (c - 0.5)) / (w - 1) + 0.5) * (high - low) + low


@pytest.mark.parametrize(("center", "width"), [(2048, 4096), (2048, 1), (0, 100), (0, 1), (40, 400), (-600, 1500.5)])
def test_linear_equals_the_standards_pseudo_code(center: float, width: float):
    values = np.unique(np.concatenate((np.linspace(-3000, 5000, 997), [center, center - 0.5, center + width / 2])))
    expected = [linear_by_the_standard(x, center, width, 0, 255) for x in values]
    np.testing.assert_allclose(apply_window(values, Window(center, width), high=255), expected, atol=1e-3)


def test_linear_exact_reaches_the_ends_at_half_a_width():
    window = Window(127, 254, "LINEAR_EXACT")
    assert apply_window(np.array([-1.0, 0, 127, 254, 300]), window, high=255).tolist() == [0, 0, 127.5, 255, 255]


def test_sigmoid_has_its_middle_at_the_centre_and_a_slope_of_one_over_the_width():
    window = Window(40, 400, "SIGMOID")
    at = apply_window(np.array([40.0, 41.0, 240.0, 1e6, -1e6]), window)
    assert at[0] == 0.5
    assert abs((at[1] - at[0]) - 1 / 400) < 1e-6
    assert abs(at[2] - 1 / (1 + np.exp(-2))) < 1e-6
    assert at[3] == 1
    assert 0 <= at[4] < 1e-6


FORBIDDEN = [
    Window(0, 0),
    Window(0, 0.5),
    Window(0, 0, "SIGMOID"),
    Window(0, -1, "LINEAR_EXACT"),
    Window(0, 9, "SPLINE"),
]


@pytest.mark.parametrize("window", FORBIDDEN)
def test_a_window_that_the_standard_forbids_is_refused(window: Window):
    with pytest.raises(InputError, match="window"):
        apply_window(np.zeros(3), window)


def test_a_voi_lut_holds_its_end_entries_beyond_its_range():
    table = np.array([5, 6, 9], dtype=np.uint16)
    assert apply_lut(np.array([-9, -2, -1, 0, 9]), table, first_value=-2).tolist() == [5, 5, 6, 9, 9]
    with pytest.raises(InputError, match="LUT"):
        apply_lut(np.zeros(2), np.zeros((2, 2)), first_value=0)


def test_inputs_are_never_written_to():
    array = np.arange(24, dtype=np.float32).reshape(1, 4, 6)
    array.setflags(write=False)
    for made in (
        apply_window(array, Window(3, 4)),
        scale_to_unit(array),
        standardise(array),
        clip_percentiles(array, 5, 95),
    ):
        assert not np.shares_memory(made, array)


def test_normalising_reaches_its_targets_and_leaves_constants_at_zero():
    array = np.random.default_rng(0).normal(100, 7, (3, 9, 9))
    assert (scale_to_unit(array).min(), scale_to_unit(array).max()) == (0, 1)
    assert abs(standardise(array).mean()) < 1e-5
    assert abs(standardise(array).std() - 1) < 1e-5
    mask = array > 100
    assert abs(standardise(array, mask=mask)[mask].mean()) < 1e-4
    assert not scale_to_unit(np.full((2, 2), 7)).any()
    assert not standardise(np.full((2, 2), 7)).any()
    with pytest.raises(InputError, match="mask"):
        standardise(array, mask=np.zeros_like(mask))


def test_percentiles_clip_both_tails():
    clipped = clip_percentiles(np.arange(101), 10, 90)
    assert (clipped.min(), clipped.max()) == (10, 90)
    with pytest.raises(InputError, match="percentiles"):
        clip_percentiles(np.arange(3), 90, 10)


def test_luma_of_equal_channels_is_that_channel_and_weights_follow_bt601():
    levels = np.arange(256, dtype=np.uint8)
    gray = to_gray(volume_of(np.repeat(levels[None, None, :, None], 3, axis=3)))
    assert np.array_equal(gray.array[0, 0], levels)
    primaries = np.diag([255, 255, 255]).astype(np.uint8)[None, None]
    assert to_gray(volume_of(primaries)).array[0, 0].tolist() == [76, 150, 29]
    floats = to_gray(volume_of(np.array([[[[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]]])))
    np.testing.assert_allclose(floats.array[0, 0], [0.299, 0.587, 0.114])
    same = volume_of(levels[None, None])
    assert to_gray(same) is same


def test_the_picture_uses_the_headers_window_then_percentiles():
    array = np.linspace(-1000, 1000, 400).reshape(1, 20, 20)
    shown = display_uint8(volume_of(array, facts=Facts(windows=(Window(40, 0.1), Window(40, 400)))))
    assert np.array_equal(shown, display_uint8(volume_of(array), window=PRESETS["soft-tissue"]))
    assert shown.dtype == np.uint8
    assert (shown.min(), shown.max()) == (0, 255)
    free = display_uint8(volume_of(array))
    assert (free.min(), free.max()) == (0, 255)


def test_a_few_bright_voxels_do_not_darken_the_picture():
    array = np.random.default_rng(1).normal(100, 10, (1, 200, 200))
    array[0, 0, 0] = 1e6
    assert robust_window(array).width < 80
    assert np.median(display_uint8(volume_of(array))) > 90


def test_eight_bits_without_a_window_are_shown_as_they_are():
    array = np.random.default_rng(2).integers(0, 99, (2, 5, 6)).astype(np.uint8)
    shown = display_uint8(volume_of(array), 1)
    assert np.array_equal(shown, array[1])
    assert not np.shares_memory(shown, array)
    assert display_window(volume_of(array)) is None


def test_colour_of_any_depth_becomes_eight_bits():
    deep = np.full((1, 2, 2, 3), 65535, dtype=np.uint16)
    assert display_uint8(volume_of(deep)).max() == 255
    assert display_uint8(volume_of(np.full((1, 2, 2, 3), 0.5))).max() == 128


def test_a_slice_that_is_not_there_and_a_picture_of_nan_are_handled():
    with pytest.raises(InputError, match="slice"):
        display_uint8(volume_of(np.zeros((2, 3, 3))), 2)
    with pytest.raises(InputError, match="finite"):
        robust_window(np.full((2, 2), np.nan))
    assert display_uint8(volume_of(np.full((1, 4, 4), 7.0))).dtype == np.uint8
