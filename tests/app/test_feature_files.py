import csv
from itertools import permutations, product

import numpy as np
import pytest

from isocenter.app.feature_files import (
    COLUMNS,
    _turned,
    feature_files,
    find_config,
    open_region,
    require_dicom,
    write_sr,
    write_table,
)
from isocenter.app.image_files import open_image
from isocenter.core.errors import GeometryError, InputError, UnreadableError
from isocenter.core.feature import Feature
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Instance, Source, Volume
from isocenter.imaging.features.radiomics import extract_features
from isocenter.imaging.features.radiomics_config import builtin_configs
from isocenter.io.nifti import write_nifti
from isocenter.io.raster import write_png


@pytest.fixture
def pair(tmp_path):
    """An image and a mask of labels 1 and 3, as files."""
    grid = Grid.of_spacing((5, 8, 9), (2.0, 1.0, 1.0))
    labels = np.zeros(grid.shape, np.uint8)
    labels[1:4, 1:4, 2:7] = 1
    labels[1:4, 5:7, 2:7] = 3
    write_nifti(Volume(np.arange(360.0).reshape(grid.shape), grid, "HU"), tmp_path / "image.nii.gz")
    write_nifti(Volume(labels, grid), tmp_path / "mask.nii.gz")
    return tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"


def test_several_labels_need_a_choice(pair):
    with pytest.raises(InputError, match="1, 3; choose one with --label N, or --label all"):
        open_region(*pair)
    with pytest.raises(InputError, match="one of 1, 3 or all"):
        open_region(*pair, label="2")
    assert [open_region(*pair, label=label)[1].n_voxels for label in ("1", "3", "all")] == [45, 30, 75]


def test_one_label_needs_none(pair, tmp_path):
    grid = Grid.of_spacing((5, 8, 9), (2.0, 1.0, 1.0))
    write_nifti(Volume(np.full(grid.shape, 7, np.uint8), grid), tmp_path / "one.nii.gz")
    assert open_region(pair[0], tmp_path / "one.nii.gz")[1].n_voxels == 360


def test_a_mask_of_nothing_is_said_to_be_empty(pair, tmp_path):
    grid = Grid.of_spacing((5, 8, 9), (2.0, 1.0, 1.0))
    write_nifti(Volume(np.zeros(grid.shape, np.uint8), grid), tmp_path / "none.nii.gz")
    with pytest.raises(InputError, match="empty mask"):
        open_region(pair[0], tmp_path / "none.nii.gz")


def test_a_picture_takes_the_stated_pixel_size(tmp_path):
    rng = np.random.default_rng(0)
    write_png(rng.integers(0, 255, (20, 20), np.uint8), tmp_path / "a.png")
    write_png(np.pad(np.full((10, 10), 255, np.uint8), 5), tmp_path / "m.png")
    volume, mask = open_region(tmp_path / "a.png", tmp_path / "m.png", pixel_size_mm=0.5)
    assert volume.grid.spacing_mm[1] == 0.5
    assert mask.n_voxels == 100
    assert not open_region(tmp_path / "a.png", tmp_path / "m.png")[0].grid.spacing_known


def test_configurations_come_by_name_or_file(tmp_path):
    assert find_config("ibsi-c") == builtin_configs()["ibsi-c"]
    with pytest.raises(InputError, match="ibsi-digital"):
        find_config("ibsi-z")
    with pytest.raises(UnreadableError):
        find_config(str(tmp_path / "absent.toml"))
    several = tmp_path / "several.toml"
    several.write_text('[fine]\ntexture = {method = "fbn", bins = 64}\n[rough]\ntexture = {method = "fbn", bins = 8}\n')
    with pytest.raises(InputError, match="fine, rough; choose it with --section"):
        find_config(str(several))
    assert find_config(str(several), section="rough").texture.bins == 8


def test_the_table_has_the_columns_of_the_contract_and_repeats_every_digit(tmp_path):
    features = (
        Feature("stat_mean", "Mean", "Statistics", "Q4LE", "n/a", 0.1 + 0.2, "HU"),
        Feature("stat_skew", "Skewness", "Statistics", "KE2A", "n/a", None, "1"),
    )
    write_table(features, tmp_path / "out.csv")
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert tuple(rows[0]) == COLUMNS == ("tag", "name", "family", "ibsi_id", "aggregation", "value", "unit")
    assert float(rows[0]["value"]) == 0.1 + 0.2
    assert rows[1]["value"] == ""
    with pytest.raises(InputError, match="expected a folder"):
        write_table(features, tmp_path / "absent" / "out.csv")


def test_features_of_files(pair):
    found = feature_files(*pair, builtin_configs()["classic"], label="1")
    values = {feature.tag: feature.value for feature in found}
    array = np.arange(360.0).reshape(5, 8, 9)
    assert values["stat_mean"] == array[1:4, 1:4, 2:7].mean()


def test_a_dicom_series_gives_a_document_and_a_file_does_not(pair, tmp_path):
    from isocenter.app.demo_series import write_phantom_series

    rng = np.random.default_rng(0)
    grid = Grid.of_spacing((4, 16, 16), (2.0, 1.0, 1.0))
    write_phantom_series(
        Volume(rng.integers(-100, 100, grid.shape).astype(np.int16), grid, "HU", "CT"), tmp_path / "ct"
    )
    labels = np.zeros(grid.shape, np.uint8)
    labels[1:3, 4:12, 5:13] = 1
    series = open_image(tmp_path / "ct")
    write_nifti(Volume(labels, series.grid), tmp_path / "region.nii.gz")
    volume, mask = open_region(tmp_path / "ct", tmp_path / "region.nii.gz")
    features = extract_features(volume, mask, builtin_configs()["classic"])
    write_sr(features, volume, mask, out=tmp_path / "sr.dcm", parameters={"config": "classic"})
    assert (tmp_path / "sr.dcm").read_bytes()[128:132] == b"DICM"
    with pytest.raises(InputError, match="leave --sr out"):
        write_sr(features, *open_region(*pair, label="1"), out=tmp_path / "sr.dcm", parameters={"config": "classic"})


def test_a_mask_of_the_same_voxels_in_another_order_is_turned(pair, tmp_path):
    volume, mask = open_region(*pair, label="1")
    affine = volume.grid.affine.copy()
    affine[:3, 3] += affine[:3, 1] * 7
    affine[:3, 1] *= -1
    turned = Volume(mask.array[:, ::-1].astype(np.uint8).transpose(0, 2, 1), Grid((5, 9, 8), affine[:, [0, 2, 1, 3]]))
    write_nifti(turned, tmp_path / "turned.nii.gz")
    there = open_region(pair[0], tmp_path / "turned.nii.gz")[1]
    assert np.array_equal(there.array, mask.array)
    assert np.allclose(there.grid.affine, volume.grid.affine)


def test_every_order_and_sense_of_axes_is_undone():
    grid = Grid.of_spacing((3, 4, 5), (3.0, 0.9, 1.1), (10.0, -7.0, 40.0))
    inside = np.random.default_rng(0).random(grid.shape) < 0.5
    for order in permutations(range(3)):
        for backwards in product((False, True), repeat=3):
            affine = grid.affine[:, [*order, 3]].copy()
            for n in np.flatnonzero(backwards):
                affine[:3, 3] += affine[:3, n] * (grid.shape[order[n]] - 1)
                affine[:3, n] *= -1
            array = np.flip(inside.transpose(order), tuple(np.flatnonzero(backwards)))
            mask = _turned(Mask(array, Grid(tuple(array.shape), affine)), grid)
            assert mask.grid is grid and np.array_equal(mask.array, inside), (order, backwards)


@pytest.mark.parametrize(("spacing_mm", "is_same"), [(1.02, True), (1.05, False)])
def test_a_mask_whose_header_rounds_is_the_same_up_to_a_quarter_of_a_voxel(pair, tmp_path, spacing_mm, is_same):
    grid = Grid.of_spacing((5, 8, 9), (2.0, 1.0, spacing_mm))
    inside = np.zeros(grid.shape, np.uint8)
    inside[:, :, -1] = 1
    write_nifti(Volume(inside, grid), tmp_path / "rounded.nii.gz")
    volume, mask = open_region(pair[0], tmp_path / "rounded.nii.gz")
    assert np.array_equal(mask.array, inside > 0)
    assert (mask.grid is volume.grid) == is_same


def test_a_mask_of_other_voxels_stays_on_its_grid_and_is_refused(pair, tmp_path):
    other = Grid.of_spacing((5, 8, 9), (2.0, 1.0, 1.0), (0.0, 0.5, 0.0))
    write_nifti(Volume(np.ones(other.shape, np.uint8), other), tmp_path / "shifted.nii.gz")
    with pytest.raises(GeometryError, match="one grid"):
        feature_files(pair[0], tmp_path / "shifted.nii.gz", builtin_configs()["classic"])
    smaller = Grid.of_spacing((4, 8, 9), (2.0, 1.0, 1.0))
    write_nifti(Volume(np.ones(smaller.shape, np.uint8), smaller), tmp_path / "smaller.nii.gz")
    with pytest.raises(GeometryError, match="one grid"):
        feature_files(pair[0], tmp_path / "smaller.nii.gz", builtin_configs()["classic"])


def test_an_image_without_uids_gets_no_document(tmp_path):
    grid = Grid.of_pixels((1, 4, 4))
    nameless = Source("dicom", "1.2.3", "1.2.4", instances=(Instance("", "1.2.5"),))
    with pytest.raises(InputError, match="states its DICOM UIDs"):
        require_dicom(Volume(np.zeros((1, 4, 4)), grid, source=nameless))
