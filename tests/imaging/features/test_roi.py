import numpy as np
import pytest

from isocenter.core.errors import GeometryError, InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.features.filters_settings import FilterSettings
from isocenter.imaging.features.radiomics_config import RadiomicsConfig, Resampling, builtin_configs
from isocenter.imaging.features.roi import prepare_roi

SHAPE = (8, 20, 22)


def case(spacing_mm=(3.0, 1.0, 1.0), values=None):
    rng = np.random.default_rng(0)
    array = rng.integers(-900, 500, SHAPE).astype(np.float32) if values is None else values
    grid = Grid.of_spacing(array.shape[:3], spacing_mm)
    mask = np.zeros(array.shape[:3], bool)
    mask[2:5, 5:14, 6:17] = True
    mask[3, 8, 9] = False
    return Volume(array, grid, "HU", "CT"), Mask(mask, grid)


def test_range_and_sigma_change_the_intensity_mask_only():
    volume, mask = case()
    roi = prepare_roi(volume, mask, RadiomicsConfig(range=(-500.0, 400.0), sigma=1.0))
    inside = volume.array[mask.array].astype(float)
    low, high = inside.mean() - inside.std(), inside.mean() + inside.std()
    kept = inside[(inside >= max(-500, low)) & (inside <= min(400, high))]
    assert np.array_equal(np.sort(roi.values), np.sort(kept))
    assert roi.shape_mask.sum() == mask.array.sum()


def test_both_ends_of_the_range_belong_to_it():
    values = np.zeros(SHAPE, np.float32)
    values[3, 6, 7:10] = (-500, 400, 401)
    roi = prepare_roi(*case(values=values), RadiomicsConfig(range=(-500.0, 400.0)))
    assert {-500.0, 0.0, 400.0} == set(roi.values)


def test_rounding_noise_is_taken_off_and_fractions_stay():
    volume, mask = case()
    noisy = volume.with_array(volume.array.astype(np.float64) + 1e-5)
    assert np.array_equal(prepare_roi(noisy, mask, RadiomicsConfig()).values, volume.array[mask.array])
    halves = volume.with_array(volume.array + np.float32(0.4))
    assert np.allclose(prepare_roi(halves, mask, RadiomicsConfig()).values % 1, 0.4, atol=1e-3)
    rounded = prepare_roi(halves, mask, RadiomicsConfig(round_input=True)).values
    assert np.array_equal(rounded, volume.array[mask.array])


def test_halves_of_the_mask_are_in():
    # 3 mm to 2 mm along slices puts many new centres where the mask is exactly one half.
    volume, mask = case()
    roi = prepare_roi(volume, mask, RadiomicsConfig(resample=Resampling((2.0, 1.0, 1.0))))
    from scipy import ndimage

    places = 0.5 * (8 - 1 - 2 / 3 * 11) + 2 / 3 * np.arange(12)
    k, j, i = np.meshgrid(places, np.arange(20), np.arange(22), indexing="ij")
    share = ndimage.map_coordinates(mask.array.astype(float), (k, j, i), order=1, mode="nearest")
    assert (np.abs(share - 0.5) < 1e-9).any()
    assert roi.shape_mask.sum() == (share >= 0.5 - 1e-9).sum()
    assert roi.spacing_mm == (2.0, 1.0, 1.0)


def test_values_that_are_not_finite_outside_the_region_do_not_reach_it():
    volume, mask = case()
    holed = volume.array.copy()
    holed[0] = np.nan
    holed[3, 0, 0] = np.inf
    roi = prepare_roi(volume.with_array(holed), mask, builtin_configs()["ibsi-e"])
    assert np.isfinite(roi.image).all()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda v, m: (v, Mask(np.zeros(SHAPE, bool), m.grid)), InputError, "empty mask"),
        (lambda v, m: (v, Mask(m.array[1:], Grid.of_spacing((7, 20, 22), (3, 1, 1)))), GeometryError, "one grid"),
        (lambda v, m: (v.with_array(np.where(m.array, np.nan, v.array)), m), InputError, "NaN or infinite"),
        (lambda v, m: (v.with_array(np.repeat(v.array[..., None], 3, axis=3)), m), InputError, "colours"),
        (lambda v, m: (v.with_array(np.full(SHAPE, 5000.0)), m), InputError, "change range or sigma"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(change, error, words):
    with pytest.raises(error, match=words) as caught:
        prepare_roi(*change(*case()), builtin_configs()["ibsi-a"])
    assert "\n" not in str(caught.value)


def test_resampling_needs_millimetres_and_right_angles():
    volume, mask = case()
    unknown = Grid.of_pixels(SHAPE)
    with pytest.raises(UnknownSpacingError):
        prepare_roi(Volume(volume.array, unknown), Mask(mask.array, unknown), builtin_configs()["ibsi-c"])
    assert prepare_roi(Volume(volume.array, unknown), Mask(mask.array, unknown), RadiomicsConfig()).spacing_mm is None
    affine = volume.grid.affine.copy()
    affine[1, 0] = 1.0
    sheared = Grid(SHAPE, affine)
    with pytest.raises(GeometryError, match="right angles"):
        prepare_roi(Volume(volume.array, sheared), Mask(mask.array, sheared), RadiomicsConfig())


def test_a_region_that_vanishes_when_resampled_is_said_to_be_too_small():
    volume, mask = case()
    dot = np.zeros(SHAPE, bool)
    dot[3, 3, 3] = True
    with pytest.raises(InputError, match="too small"):
        prepare_roi(volume, Mask(dot, mask.grid), RadiomicsConfig(resample=Resampling((3.0, 7.0, 7.0))))


def log(**more):
    return RadiomicsConfig(filter=FilterSettings("log", **more), range=(-500.0, 400.0))


def test_a_filter_answers_in_place_of_the_image_and_the_range_asks_the_image():
    from scipy import ndimage

    volume, mask = case()
    roi = prepare_roi(volume, mask, log(dimension=2, sigma_mm=1.5))
    kept = mask.array & (volume.array >= -500) & (volume.array <= 400)
    slices = [ndimage.gaussian_laplace(each.astype(float), 1.5, mode="reflect", truncate=4) for each in volume.array]
    assert np.allclose(roi.values, np.stack(slices)[kept], atol=0.02)
    assert roi.shape_mask.sum() == mask.array.sum() and roi.unit == "a.u."


def test_a_filter_sees_the_whole_resampled_and_rounded_image():
    from scipy import ndimage

    volume, mask = case()
    how = Resampling((1.5, 1.5, 1.5), order=3, round=True)
    plain = prepare_roi(volume, mask, RadiomicsConfig(resample=how))
    mean = FilterSettings("mean", support=3, boundary="nearest")
    roi = prepare_roi(volume, mask, RadiomicsConfig(resample=how, filter=mean))
    inner = (slice(1, -1),) * 3
    wanted = ndimage.uniform_filter(plain.image, 3)
    assert np.allclose(roi.image[inner], wanted[inner], atol=1e-3)
    assert np.array_equal(roi.shape_mask, plain.shape_mask)
    assert (roi.unit, plain.image[plain.mask].tolist()) == ("HU", np.rint(plain.image[plain.mask]).tolist())


def test_a_filter_in_millimetres_needs_a_pixel_size():
    values = np.random.default_rng(0).normal(size=SHAPE)
    grid = Grid.of_pixels(SHAPE)
    inside = np.ones(SHAPE, bool)
    with pytest.raises(UnknownSpacingError, match="--pixel-size-mm, or sizes in voxels"):
        prepare_roi(Volume(values, grid), Mask(inside, grid), log(sigma_mm=3))
    assert prepare_roi(Volume(values, grid), Mask(inside, grid), log(sigma_voxels=3)).values.size == values.size
