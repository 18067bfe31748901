"""The filters give the reference response maps of IBSI-2 to 1 % of each map's range, and say what they cannot do."""

from pathlib import Path

import numpy as np
import pytest

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.features.filters import filter_volume
from isocenter.imaging.features.filters_settings import ibsi2_config, ibsi2_names
from isocenter.io.nifti import read_nifti

PHANTOMS = {
    "checkerboard": ("1.a.1", "1.a.2", "1.a.3", "1.a.4", "3.b.1", "3.b.2", "3.b.3", "3.c.1", "3.c.2", "3.c.3",
                     "7.a.1", "7.a.2"),
    "impulse": ("1.b.1", "3.a.1", "3.a.2", "3.a.3", "5.a.1", "5.a.2", "9.a"),
    "sphere": ("9.b.1",),
}  # fmt: skip


def volume_of(array: np.ndarray, spacing_mm: tuple[float, float, float] = (2, 2, 2)) -> Volume:
    return Volume(array, Grid.of_spacing(array.shape, spacing_mm), unit="HU")


def noise(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.data
@pytest.mark.parametrize(("phantom", "name"), [(phantom, name) for phantom in PHANTOMS for name in PHANTOMS[phantom]])
def test_a_reference_map_of_ibsi_2_is_met_at_every_voxel(data_dir: Path, phantom: str, name: str):
    maps = data_dir.parent / "ibsi" / "ibsi_2_response_maps"
    folder = data_dir / "ibsi_phantoms_radiomics" / "ibsi_2_digital_phantom" / "nifti" / phantom
    image = read_nifti(folder / "image" / f"{phantom}.nii.gz")
    wanted = read_nifti(maps / f"{name.replace('.', '_')}-ValidCRM.nii.gz").array
    response = filter_volume(image, {"ibsi2": name})
    assert response.grid is image.grid
    off = np.abs(response.array - wanted).max() / np.ptp(wanted)
    assert off <= (1e-3 if name.startswith("9") else 1e-4)


def test_every_shipped_test_can_be_run():
    image = volume_of(noise((12, 13, 14)), (1, 1, 1))
    for name in ibsi2_names():
        config = {**ibsi2_config(name), "boundary": "periodic"}
        response = filter_volume(image, config).array
        assert response.shape == image.grid.shape and response.dtype == np.float32
        assert np.isfinite(response).all(), name


@pytest.mark.parametrize("boundary", ["zero", "nearest", "periodic", "mirror"])
def test_linear_filters_are_linear(boundary: str):
    a, b = noise((9, 10, 11)), noise((9, 10, 11), 1)
    for config in (
        {"filter": "mean", "support": 5},
        {"filter": "log", "sigma_mm": 3},
        {"filter": "laws", "kernels": "L5E5S5"},
        {"filter": "wavelet", "wavelet": "db2", "subband": "LHL", "level": 2},
        {"filter": "simoncelli", "level": 2, "riesz": [1, 1, 0]},
    ):
        parts = [filter_volume(volume_of(array), {**config, "boundary": boundary}).array for array in (a, b, a - 2 * b)]
        np.testing.assert_allclose(parts[2], parts[0] - 2 * parts[1], atol=2e-4)


def test_a_turned_image_gives_the_turned_response_of_a_pooled_filter():
    a = noise((10, 10, 10))
    for config in (
        {"filter": "laws", "kernels": "E5L5S5", "pooling": "max", "energy_distance": 2},
        {"filter": "wavelet", "wavelet": "db3", "subband": "LLH", "pooling": "mean"},
        {"filter": "gabor", "sigma_mm": 3, "wavelength_mm": 5, "angle_step_deg": 45, "pooling": "mean", "planes": 3},
    ):
        straight = filter_volume(volume_of(a), config).array
        for axes in ((0, 1), (0, 2), (1, 2)):
            turned = filter_volume(volume_of(np.ascontiguousarray(np.rot90(a, 1, axes))), config).array
            np.testing.assert_allclose(np.rot90(turned, -1, axes), straight, atol=1e-4)


def test_a_picture_of_one_slice_is_filtered_in_its_plane():
    picture = noise((1, 20, 30))
    flat = filter_volume(volume_of(picture), {"filter": "mean", "support": 3, "boundary": "zero"}).array
    assert flat[0, 5, 5] == pytest.approx(picture[0, 4:7, 4:7].mean(), abs=1e-6)


def test_slices_twenty_times_thicker_than_pixels_are_filtered():
    volume = volume_of(noise((5, 40, 40)), (20, 1, 1))
    response = filter_volume(volume, {"filter": "log", "sigma_mm": 3}).array
    assert np.isfinite(response).all()


def test_a_constant_image_has_no_response_but_its_mean():
    flat = volume_of(np.full((9, 10, 12), 40.0))
    assert filter_volume(flat, {"filter": "mean", "support": 3}).array == pytest.approx(40)
    assert filter_volume(flat, {"filter": "mean", "support": 3}).unit == "HU"
    for config in (
        {"filter": "laws", "kernels": "L5E5S5"},
        {"filter": "wavelet", "wavelet": "coif2", "subband": "LLH"},
        {"filter": "simoncelli"},
        {"filter": "none", "riesz": "0,2,0"},
    ):
        response = filter_volume(flat, config)
        assert np.abs(response.array).max() < 1e-3 and response.unit == "a.u."


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"filter": "sobel"}, "expected one of none mean log"),
        ({"filter": "mean"}, "expected support"),
        ({"filter": "mean", "support": 4}, "odd number"),
        ({"filter": "mean", "support": 3, "sigma_mm": 2}, "got sigma_mm"),
        ({"filter": "log", "sigma_mm": 1, "sigma_voxels": 1}, "sigma_mm or sigma_voxels"),
        ({"filter": "log", "sigma_mm": -1}, "positive"),
        ({"filter": "laws", "kernels": "E5Q5L5"}, "Laws kernels"),
        ({"filter": "laws", "kernels": "E5L5"}, "3 Laws kernels"),
        ({"filter": "laws", "kernels": "E5L5W3"}, "got W3"),
        ({"filter": "wavelet", "wavelet": "sym4", "subband": "LLH"}, "db10"),
        ({"filter": "wavelet", "wavelet": "db2", "subband": "LLX"}, "3 letters"),
        ({"filter": "gabor", "sigma_mm": 1, "wavelength_mm": 2, "angle_step_deg": 50, "pooling": "max"}, "full turn"),
        ({"filter": "gabor", "sigma_mm": 1, "wavelength_mm": 2, "angle_step_deg": 45}, "pooling max"),
        ({"filter": "gabor", "sigma_mm": 1, "wavelength_mm": 2, "dimension": 3}, "planes = 3"),
        ({"filter": "mean", "support": 3, "boundary": "wrap"}, "periodic"),
        ({"filter": "none", "riesz": [1, 0]}, "3 orders"),
        ({"filter": "none", "align_mm": 1}, "riesz"),
        ({"ibsi2": "12.a"}, "1.a.1"),
    ],
)
def test_what_cannot_be_is_named(config: dict[str, object], says: str):
    with pytest.raises(InputError, match=says) as caught:
        filter_volume(volume_of(noise((6, 6, 6))), config)
    assert "\n" not in str(caught.value)


def test_colour_and_voxels_without_a_number_are_refused():
    with pytest.raises(InputError, match="colour"):
        filter_volume(volume_of(np.zeros((2, 3, 4))).with_array(
            np.zeros((2, 3, 4, 3))), {"filter": "none"})  # fmt: skip
    holed = noise((3, 4, 5))
    holed[1, 2, 3] = np.nan
    with pytest.raises(InputError, match="1 that are NaN"):
        filter_volume(volume_of(holed), {"filter": "mean", "support": 3})


def test_millimetres_are_asked_only_of_filters_that_need_them():
    picture = Volume(noise((1, 20, 20)), Grid.of_pixels((1, 20, 20)))
    with pytest.raises(UnknownSpacingError):
        filter_volume(picture, {"filter": "log", "sigma_mm": 2})
    assert filter_volume(picture, {"filter": "log", "sigma_voxels": 2}).array.shape == (1, 20, 20)
    assert filter_volume(picture, {"filter": "simoncelli"}).array.shape == (1, 20, 20)
