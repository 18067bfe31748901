import numpy as np
import pytest

from isocenter.core.card import PrepareStep
from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.prepare import OPERATIONS, prepare, restore


def image(array: np.ndarray) -> Volume:
    stack = np.asarray(array)[np.newaxis]
    return Volume(stack, Grid.of_pixels(stack.shape[:3]))


def ramp(rows: int, columns: int) -> np.ndarray:
    j, i = np.mgrid[:rows, :columns]
    return (3.0 * j + 5.0 * i).astype(np.float32)


def test_no_steps_give_the_image_as_one_float_channel():
    prepared = prepare(image(ramp(4, 6)), ())
    assert prepared.array.dtype == np.float32
    assert np.array_equal(prepared.array, ramp(4, 6)[np.newaxis])
    assert np.array_equal(prepared.to_source, np.eye(4))


def test_the_volume_is_not_changed():
    volume = image(ramp(8, 8))
    before = volume.array.copy()
    prepare(volume, (PrepareStep("zscore"), PrepareStep("clip_percentile", {"low": 10, "high": 90})))
    assert np.array_equal(volume.array, before)


@pytest.mark.parametrize("fit", ["stretch", "pad", "cover"])
@pytest.mark.parametrize("size", [(30, 40), (64, 50), (17, 90)])
def test_to_source_says_where_each_prepared_pixel_came_from(fit, size):
    """On a linear ramp the prepared value must be the ramp at the mapped source place."""
    step = PrepareStep(
        "resize", {"rows": size[0], "columns": size[1], "fit": fit, "interpolation": "linear", "fill": -1}
    )
    prepared = prepare(image(ramp(40, 60)), (step,))
    assert prepared.array.shape == (1, *size)
    j, i = np.mgrid[: size[0], : size[1]]
    index = np.stack([np.zeros_like(j), j, i, np.ones_like(j)], axis=-1) @ prepared.to_source.T
    inside = (index[..., 1] >= 0) & (index[..., 1] <= 39) & (index[..., 2] >= 0) & (index[..., 2] <= 59)
    expected = 3.0 * index[..., 1] + 5.0 * index[..., 2]
    assert inside.sum() > 100
    assert np.abs(prepared.array[0] - expected)[inside].max() < 0.05


def test_pad_keeps_the_aspect_and_fills_the_rest():
    prepared = prepare(
        image(np.ones((20, 40))), (PrepareStep("resize", {"rows": 40, "columns": 40, "fit": "pad", "fill": 7}),)
    )
    assert np.all(prepared.array[0, 10:30] == 1)
    assert np.all(prepared.array[0, :10] == 7)


@pytest.mark.parametrize("fit", ["stretch", "pad"])
def test_restore_puts_a_disc_back_where_it_was(fit):
    j, i = np.mgrid[:270, :400]
    disc = (((j - 130) / 80) ** 2 + ((i - 190) / 110) ** 2 <= 1).astype(np.float32)
    volume = image(disc)
    prepared = prepare(volume, (PrepareStep("resize", {"rows": 160, "columns": 240, "fit": fit}),))
    back = restore(prepared.array[0] > 0.5, prepared, volume.grid)
    assert back.dtype == np.bool_ and back.shape == (1, 270, 400)
    overlap = 2 * (back[0] & (disc > 0)).sum() / (back.sum() + disc.sum())
    assert overlap > 0.99


def test_restore_is_zero_where_the_network_saw_nothing():
    volume = image(np.ones((100, 100)))
    prepared = prepare(volume, (PrepareStep("crop", {"rows": 50, "columns": 50}),))
    back = restore(np.ones((50, 50), dtype=np.float32), prepared, volume.grid)
    assert back.sum() == 2500
    assert np.all(back[0, 25:75, 25:75] == 1)


def test_restore_refuses_a_map_of_another_size():
    volume = image(np.ones((10, 10)))
    with pytest.raises(GeometryError, match="expected 1 maps"):
        restore(np.ones((9, 10)), prepare(volume, ()), volume.grid)


def test_colour_becomes_luma_and_gray_stays():
    red = np.zeros((1, 3, 3, 3), dtype=np.uint8)
    red[..., 0] = 100
    prepared = prepare(Volume(red, Grid.of_pixels((1, 3, 3)), "sRGB"), (PrepareStep("gray"),))
    assert np.allclose(prepared.array, 29.9)
    assert np.array_equal(prepare(image(ramp(3, 3)), (PrepareStep("gray"),)).array[0], ramp(3, 3))


def test_zscore_has_mean_zero_and_deviation_one_and_bears_a_flat_image():
    result = prepare(image(ramp(9, 9)), (PrepareStep("zscore"),)).array
    assert abs(result.mean()) < 1e-5 and abs(result.std() - 1) < 1e-5
    assert np.all(prepare(image(np.full((4, 4), 9.0)), (PrepareStep("zscore"),)).array == 0)


def test_zscore_over_nonzero_ignores_the_black_frame():
    array = np.zeros((10, 10))
    array[2:8, 2:8] = np.arange(36).reshape(6, 6) + 10
    result = prepare(image(array), (PrepareStep("zscore", {"over": "nonzero"}),)).array[0, 2:8, 2:8]
    assert abs(result.mean()) < 1e-5 and abs(result.std() - 1) < 1e-5


def test_window_scale_and_normalise_follow_their_formulas():
    array = np.array([[-1000.0, 40.0], [240.0, 1000.0]])
    windowed = prepare(image(array), (PrepareStep("window", {"center": 40, "width": 400}),)).array[0]
    assert np.allclose(windowed, [[0, 0.5], [1, 1]])
    scaled = prepare(image(array), (PrepareStep("scale"),)).array[0]
    assert scaled.min() == 0 and scaled.max() == 1
    eight_bit = prepare(image(np.array([[0, 255]])), (PrepareStep("scale", {"low": 0, "high": 255}),)).array
    assert np.array_equal(eight_bit[0, 0], [0, 1])
    steps = (PrepareStep("channels", {"count": 3}), PrepareStep("normalise", {"mean": [40, 0, 40], "std": [2, 1, 1]}))
    normalised = prepare(image(array), steps).array
    assert normalised.shape == (3, 2, 2)
    assert np.allclose(normalised[:, 0, 1], [0, 40, 0])


def test_percentiles_tame_one_wild_pixel():
    array = np.linspace(0, 1, 10000).reshape(100, 100)
    array[50, 50] = 1e6
    assert prepare(image(array), (PrepareStep("clip_percentile", {"low": 1, "high": 99}),)).array.max() < 1.0


def test_a_stack_keeps_its_slices():
    stack = np.random.default_rng(0).random((5, 12, 14)).astype(np.float32)
    volume = Volume(stack, Grid.of_spacing((5, 12, 14), (1, 1, 1)))
    prepared = prepare(volume, (PrepareStep("resize", {"rows": 24, "columns": 28}),))
    assert prepared.array.shape == (1, 5, 24, 28)
    assert restore(prepared.array[0], prepared, volume.grid).shape == (5, 12, 14)


@pytest.mark.parametrize(
    "step",
    [
        PrepareStep("sharpen"),
        PrepareStep("resize", {"rows": 10}),
        PrepareStep("resize", {"rows": 10, "columns": 10, "size": 3}),
        PrepareStep("resize", {"rows": 0, "columns": 10}),
        PrepareStep("resize", {"rows": 10.5, "columns": 10}),
        PrepareStep("resize", {"rows": 10, "columns": 10, "fit": "squash"}),
        PrepareStep("window", {"center": 0, "width": 0}),
        PrepareStep("window", {"center": "low", "width": 1}),
        PrepareStep("clip_percentile", {"low": 90, "high": 10}),
        PrepareStep("normalise", {"mean": [0, 0], "std": [1, 1]}),
        PrepareStep("normalise", {"mean": [0], "std": [0]}),
        PrepareStep("scale", {"low": 5, "high": 5}),
    ],
)
def test_a_wrong_step_is_refused_by_name(step):
    with pytest.raises(InputError, match=r"prepare.*expected.*got"):
        prepare(image(ramp(8, 8)), (step,))


def test_nan_is_refused():
    with pytest.raises(InputError, match="finite"):
        prepare(image(np.full((4, 4), np.nan)), ())


def test_every_operation_is_deterministic_and_documented():
    for function, required, optional in OPERATIONS.values():
        assert function.__doc__
        assert not required & optional
