"""The whole way from image to features: published values, and configurations A to E against slow code of their own."""

import csv
import os
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.features.feature_terms import feature_terms
from isocenter.imaging.features.filters_settings import FilterSettings
from isocenter.imaging.features.radiomics import extract_features, feature_table
from isocenter.imaging.features.radiomics_config import (
    Discretisation,
    RadiomicsConfig,
    VolumeHistogram,
    builtin_configs,
)

PUBLISHED = {
    # tag: (value, tolerance); IBSI reference manual, reference values of the digital phantom.
    "morph_volume": (556, 4), "morph_area_mesh": (388, 3), "morph_moran_i": (0.0397, 0.0003), "loc_peak_glob": (3.1, 0),
    "stat_mean": (2.15, 0), "stat_var": (3.05, 0), "ih_max_grad": (8, 0), "ivh_v10": (0.324, 0),
    "cm_joint_max_2D_avg": (0.519, 0), "cm_joint_entr_2D_comb": (2.24, 0), "rlm_sre_2D_avg": (0.641, 0),
    "szm_lzhge_3D": (1490, 0), "dzm_sde_2D": (0.946, 0), "ngt_coarseness_3D": (0.0296, 0), "ngl_hde_3D": (109, 0),
}  # fmt: skip


def fits(value: float, reference: float, tolerance: float) -> bool:
    """IBSI's rule: three significant digits, then the tolerance."""
    return abs(float(f"{value:.3g}") - reference) <= tolerance + 1e-9 * abs(reference)


@pytest.fixture(scope="module")
def digital(data_dir) -> dict[str, float]:
    from isocenter.io.load import load

    folder = data_dir / "ibsi_phantoms_radiomics" / "ibsi_1_digital_phantom" / "nifti"
    image, mask = load(folder / "image" / "phantom.nii.gz"), load(folder / "mask" / "mask.nii.gz")
    return feature_table(extract_features(image, Mask(mask.array > 0, image.grid), builtin_configs()["ibsi-digital"]))


@pytest.mark.data
def test_published_values_of_the_digital_phantom_are_met(digital):
    for tag, (reference, tolerance) in PUBLISHED.items():
        assert fits(digital[tag], reference, tolerance), tag


@pytest.mark.data
def test_all_482_reference_values_of_the_digital_phantom_are_met(digital, data_dir):
    table = data_dir.parent / "ibsi" / "ibsi_digital_phantom.csv"
    if not table.exists():
        missing = "the table of reference values is not beside the data"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert set(digital) == {row["tag"] for row in rows}
    known = [row for row in rows if row["reference_value"]]
    missed = [
        row["tag"]
        for row in known
        if not fits(digital[row["tag"]], float(row["reference_value"]), float(row["tolerance"] or 0))
    ]
    assert (len(known), missed) == (482, [])
    terms = feature_terms()
    assert all(terms[row["feature"]].ibsi_id == row["ibsi_id"] for row in rows)


# -- configurations A to E on an image with a chest's intensities ------------------------------------------------------

SPACING_MM = (3.0, 0.977, 0.977)


@pytest.fixture(scope="module")
def chest() -> tuple[Volume, Mask]:
    """Lung, tumour and rib in HU with rounding noise; a region with a hole, an island and a touch of the border."""
    rng = np.random.default_rng(7)
    shape = (11, 47, 53)
    k, j, i = np.indices(shape)
    body = ndimage.gaussian_filter(rng.normal(0, 1, shape), (0.7, 2, 2)) * 900 - 500
    tumour = (((k - 5) / 3.5) ** 2 + ((j - 20) / 13) ** 2 + ((i - 30) / 16) ** 2) < 1
    array = np.where(tumour, 30 + body * 0.12, -800 + body * 0.2)
    array[:, 30:34, 20:30] += 900
    array = np.rint(array + rng.normal(0, 12, shape)) + rng.normal(0, 1e-5, shape)
    mask = (((k - 5) / 4.2) ** 2 + ((j - 20) / 15) ** 2 + ((i - 30) / 18) ** 2) < 1
    mask[5, 18:21, 28:33] = False
    mask[:3, 40:46, 0:6] = True
    grid = Grid.of_spacing(shape, SPACING_MM)
    return Volume(array, grid, "HU", "CT"), Mask(mask, grid)


def resampled(array: np.ndarray, new_mm: tuple[float, float, float], order: int) -> np.ndarray:
    """The manual's grid, by scipy on the whole image."""
    places = []
    for n, old, new in zip(array.shape, SPACING_MM, new_mm, strict=True):
        count = int(np.ceil(n * old / new - 1e-9))
        places.append(0.5 * (n - 1 - new / old * (count - 1)) + new / old * np.arange(count) + 8)
    padded = np.pad(array.astype(float), 8, mode="edge")
    return ndimage.map_coordinates(padded, np.meshgrid(*places, indexing="ij"), order=order, mode="nearest")


SETTINGS = {
    # name: (new spacing, order, range, sigma, bins as width or number)
    "ibsi-a": (None, 1, (-500, 400), None, ("fbs", 25, -500)),
    "ibsi-b": ((3.0, 2.0, 2.0), 1, (-500, 400), None, ("fbn", 32, None)),
    "ibsi-c": ((2.0, 2.0, 2.0), 1, (-1000, 400), None, ("fbs", 25, -1000)),
    "ibsi-d": ((2.0, 2.0, 2.0), 1, None, 3, ("fbn", 32, None)),
    "ibsi-e": ((2.0, 2.0, 2.0), 3, (-1000, 400), 3, ("fbn", 32, None)),
}


def slow_way(name: str, volume: Volume, mask: Mask) -> tuple[np.ndarray, np.ndarray, float]:
    """(intensities, levels, approximate volume in mm3) of the region, written once more from the manual."""
    spacing, order, bounds, sigma, (method, number, low) = SETTINGS[name]
    image, region = np.rint(volume.array), mask.array
    if spacing:
        image = np.rint(resampled(image, spacing, order))
        region = resampled(region, spacing, 1) >= 0.5 - 1e-6
    values = image[region]
    size = float(np.prod(spacing or SPACING_MM)) * values.size
    kept = np.ones(values.shape, bool)
    if bounds:
        kept &= (values >= bounds[0]) & (values <= bounds[1])
    if sigma:
        kept &= np.abs(values - values.mean()) <= sigma * values.std()
    values = values[kept]
    if method == "fbs":
        levels = (values - low) // number + 1
    else:
        levels = np.minimum(np.floor(number * (values - values.min()) / np.ptp(values)) + 1, number)
    return values, levels, size


@pytest.mark.parametrize("name", list(SETTINGS))
def test_configurations_process_as_the_manual_says(name, chest):
    found = feature_table(extract_features(*chest, builtin_configs()[name]))
    values, levels, size = slow_way(name, *chest)
    assert np.isclose(found["morph_vol_approx"], size)
    assert np.isclose(found["stat_mean"], values.mean(), rtol=1e-4)
    assert np.isclose(found["stat_energy"], (values**2).sum(), rtol=1e-4)
    assert np.isclose(found["stat_p10"], np.percentile(values, 10), atol=1)
    assert np.isclose(found["ih_mean"], levels.mean(), rtol=1e-4)
    assert np.isclose(found["ih_max"], levels.max())
    counts = np.bincount(levels.astype(int)) / levels.size
    assert np.isclose(found["ih_uniformity"], (counts**2).sum(), rtol=2e-3)
    directional, other = (4, 2) if name in ("ibsi-a", "ibsi-b") else (2, 1)
    assert len(found) == 29 + 2 + 18 + 23 + 7 + directional * (25 + 16) + other * (16 + 16 + 5 + 17)


def test_the_part_of_the_image_around_the_region_is_enough(chest):
    volume, mask = chest
    below = ((0, 0), (0, 40), (0, 0))
    grid = Grid.of_spacing((11, 87, 53), SPACING_MM)
    wide = Volume(np.pad(volume.array, below, mode="edge"), grid, "HU"), Mask(np.pad(mask.array, below), grid)
    one, other = (feature_table(extract_features(*each, builtin_configs()["ibsi-a"])) for each in (chest, wide))
    differing = {tag for tag in one if not np.isclose(one[tag], other[tag], equal_nan=True)}
    # A ball at the old border now holds voxels beyond it.
    assert differing <= {"loc_peak_loc", "loc_peak_glob"}


def test_a_mirror_image_has_the_same_features(chest):
    volume, mask = chest
    config = builtin_configs()["ibsi-b"]
    there = volume.with_array(volume.array[:, ::-1, ::-1]), Mask(mask.array[:, ::-1, ::-1], mask.grid)
    one, other = (feature_table(extract_features(*each, config)) for each in (chest, there))
    assert all(np.isclose(one[tag], other[tag], rtol=1e-6, equal_nan=True) for tag in one)


def test_a_region_of_one_level_has_what_exists():
    grid = Grid.of_spacing((5, 6, 7), (20.0, 1.0, 1.0))
    mask = np.zeros((5, 6, 7), bool)
    mask[1:4, 1:5, 1:6] = True
    flat = Volume(np.full((5, 6, 7), 40.0), grid, "HU")
    found = extract_features(flat, Mask(mask, grid), builtin_configs()["ibsi-c"])
    values = feature_table(found)
    assert values["stat_mean"] == 40
    assert values["ih_entropy"] == 0
    assert values["cm_contrast_3D_comb"] == 0
    assert next(each for each in found if each.tag == "stat_skew").value is None


def test_one_slice_and_one_voxel_are_regions_too():
    grid = Grid.of_spacing((1, 9, 9), (5.0, 1.0, 1.0))
    image = Volume(np.arange(81.0).reshape(1, 9, 9), grid, "HU")
    flat = feature_table(extract_features(image, Mask(np.ones((1, 9, 9), bool), grid), builtin_configs()["classic"]))
    assert np.isfinite(flat["cm_contrast_3D_avg"])
    one = np.zeros((1, 9, 9), bool)
    one[0, 4, 4] = True
    dot = feature_table(extract_features(image, Mask(one, grid), builtin_configs()["ibsi-digital"]))
    assert (dot["stat_mean"], dot["rlm_sre_3D_avg"]) == (40, 1)
    assert np.isnan(dot["cm_contrast_3D_avg"])


def test_without_a_pixel_size_lengths_have_no_value():
    grid = Grid.of_pixels((1, 9, 9))
    image = Volume(np.arange(81.0).reshape(1, 9, 9), grid)
    everything = Mask(np.ones((1, 9, 9), bool), grid)
    found = feature_table(extract_features(image, everything, RadiomicsConfig()))
    assert np.isnan(found["morph_volume"])
    assert np.isfinite(found["cm_contrast_3D_avg"])


def test_what_is_left_out_is_not_in_the_table(chest):
    without = frozenset({"stat_mean", "szm_sze"})
    config = replace(builtin_configs()["classic"], families=("statistics", "glszm"), leave_out=without)
    tags = set(feature_table(extract_features(*chest, config)))
    assert len(tags) == 17 + 15
    assert not tags & {"stat_mean", "szm_sze_3D"}


def test_the_published_table_names_features_that_exist():
    assert {tag.rsplit("_2D", 1)[0].rsplit("_3D", 1)[0] for tag in PUBLISHED} <= set(feature_terms())


def test_bins_of_a_filtered_image_begin_at_its_response_not_at_the_range(chest):
    config = replace(
        builtin_configs()["ibsi-c"],
        filter=FilterSettings("log", sigma_mm=3.0),
        texture=Discretisation("fbs", width=2.0),
        ivh=VolumeHistogram("fbn", bins=1000),
    )
    found = feature_table(extract_features(*chest, config))
    plain = feature_table(extract_features(*chest, builtin_configs()["ibsi-c"]))
    assert found["ih_min"] == 1
    assert found["ih_max"] == np.floor((found["stat_max"] - found["stat_min"]) / 2) + 1
    assert (found["ivh_v10"] < 1, found["stat_min"] < 0 < found["stat_max"]) == (True, True)
    assert found["morph_volume"] == plain["morph_volume"]
