"""Every operation of CONTRACT from file to file, and what is said of bad input."""

import numpy as np
import pytest

from isocenter.app.enhance_files import FILTER, MASKED, OPERATIONS, describe_operations, enhance_file
from isocenter.app.image_files import open_image, save_image
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume

CONTRACT = [
    "window",
    "gamma",
    "equalize",
    "clahe",
    "mean",
    "gaussian",
    "median",
    "bilateral",
    "nlm",
    "anisotropic",
    "tv",
    "wavelet",
    "bm3d",
    "unsharp",
    "laplacian",
    "bias-field",
    "gibbs",
    "ring",
    "upsample",
    "inpaint",
    "erode",
    "dilate",
    "open",
    "close",
    "grey",
    "filter",
]


@pytest.fixture
def volume_file(tmp_path):
    k, j, i = np.mgrid[:6, :24, :24]
    array = np.where(np.hypot(j - 12, i - 12) < 8, 60, -900) + np.random.default_rng(0).normal(0, 15, k.shape)
    volume = Volume(array.astype(np.int16), Grid.of_spacing(array.shape, (2.0, 1.0, 1.0), (5, 6, 7)), "HU", "CT")
    save_image(volume, tmp_path / "in.nii.gz")
    return tmp_path / "in.nii.gz"


def test_the_operations_are_those_of_the_contract():
    assert [*OPERATIONS, FILTER] == CONTRACT


@pytest.mark.parametrize("operation", [name for name in CONTRACT if name not in ("bias-field", "upsample", "filter")])
def test_each_operation_writes_the_inputs_grid(operation: str, volume_file, tmp_path):
    enhance_file(operation, volume_file, tmp_path / "out.nii.gz", {})
    before, after = open_image(volume_file), open_image(tmp_path / "out.nii.gz")
    np.testing.assert_allclose(after.grid.affine, before.grid.affine, atol=1e-5)
    assert after.array.shape == before.array.shape


def test_upsampling_and_filtering(volume_file, tmp_path):
    made = enhance_file("upsample", volume_file, tmp_path / "fine.nrrd", {"factor": "1,2,2"})
    assert open_image(tmp_path / "fine.nrrd").array.shape == made.array.shape == (6, 48, 48)
    enhance_file("filter", volume_file, tmp_path / "mean.mha", {"filter": "mean", "support": 3})
    assert open_image(tmp_path / "mean.mha").array.shape == (6, 24, 24)
    with pytest.raises(InputError, match="--config"):
        enhance_file("filter", volume_file, tmp_path / "mean.mha", {})


def test_a_window_is_a_picture_in_a_png_and_keeps_its_unit_in_a_volume(tmp_path):
    array = np.linspace(-1000, 1000, 400).reshape(1, 20, 20).astype(np.float32)
    save_image(Volume(array, Grid.of_spacing((1, 20, 20), (1, 1, 1)), "HU", "CT"), tmp_path / "ct.nii")
    options = {"center": "40", "width": "400"}
    enhance_file("window", tmp_path / "ct.nii", tmp_path / "shown.png", options)
    shown = open_image(tmp_path / "shown.png").array
    assert (shown.min(), shown.max()) == (0, 255)
    enhance_file("window", tmp_path / "ct.nii", tmp_path / "cut.nii", options)
    cut = open_image(tmp_path / "cut.nii").array
    assert (cut.min(), cut.max()) == (-160, 240)


def test_a_mask_says_what_to_fill(volume_file, tmp_path):
    volume = open_image(volume_file)
    mask = np.zeros(volume.grid.shape, np.uint8)
    mask[3, 10:14, 10:14] = 1
    save_image(volume.with_array(mask, "label"), tmp_path / "hole.nii.gz")
    made = enhance_file("inpaint", volume_file, tmp_path / "out.nii.gz", {"mask": str(tmp_path / "hole.nii.gz")})
    assert not np.array_equal(made.array[3, 10:14, 10:14], volume.array[3, 10:14, 10:14])
    assert np.array_equal(made.array[mask == 0], volume.array[mask == 0])


@pytest.mark.parametrize(
    ("operation", "given", "says"),
    [
        ("blur", {}, "expected one of window"),
        ("gaussian", {"sigma": "2"}, "--sigma-mm"),
        ("gaussian", {"sigma_mm": "wide"}, "float"),
        ("erode", {"mask": "x"}, "--radius-mm"),
        ("tv", {"noise": "salt"}, "gaussian, poisson"),
        ("inpaint", {"mask": "nowhere.png"}, "nowhere.png"),
        ("inpaint", {"mask": True}, "path of one mask"),
    ],
)
def test_a_wrong_word_gets_one_line_with_what_is_allowed(operation, given, says, volume_file, tmp_path):
    with pytest.raises(InputError, match=says) as caught:
        enhance_file(operation, volume_file, tmp_path / "out.nii.gz", given)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.nii.gz").exists()


def test_the_description_names_every_operation_with_its_defaults():
    text = "\n".join(describe_operations())
    for name in CONTRACT:
        assert f"{name}: " in text
    assert "--factor" in text
    assert text.count("--mask FILE") == len(MASKED)


def test_a_series_that_lacks_a_slice_is_filled_by_inpaint_alone(data_dir, tmp_path):
    folder = data_dir / "dicom_series" / "d2n_failing_sliceincrement_001"
    made = enhance_file("inpaint", folder, tmp_path / "whole.nii.gz", {})
    assert made.array.shape[0] == 5
    assert "slice-interpolated: 3 (missing)" in made.facts.notes
    assert made.grid.spacing_mm[0] == pytest.approx(5, abs=1e-3)
    middle = (made.array[2] + made.array[4]) / 2
    assert np.abs(made.array[3] - middle).mean() < np.abs(made.array[2] - made.array[4]).mean() / 2
    with pytest.raises(InputError, match="expected one volume, got 2"):
        enhance_file("median", folder, tmp_path / "no.nii.gz", {})
