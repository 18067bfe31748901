import csv

import numpy as np
import pytest
from scipy.special import ndtr

from isocenter.app.quality_files import measure_quality, write_quality
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.evaluation.image_quality import psnr, ssim
from isocenter.io.nifti import write_nifti
from isocenter.io.raster import write_png


def test_each_image_is_a_row_and_what_cannot_be_read_a_failure(tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    write_png(np.zeros((64, 64), np.uint8), tmp_path / "b.png")
    (tmp_path / "c.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    rows, failures = measure_quality([tmp_path])
    assert [row["file"].rsplit("/")[-1] for row in rows] == ["a.png", "b.png"]
    assert (rows[0]["passed"], rows[0]["failed"]) == ("yes", "")
    assert rows[1]["passed"] == "no" and "blank" in rows[1]["failed"]
    assert len(failures) == 1
    write_quality(rows, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as stream:
        written = list(csv.DictReader(stream))
    assert float(written[0]["noise_sd"]) > 0 and written[1]["noise_sd"] == ""
    assert float(written[0]["sharpness"]) == pytest.approx(rows[0]["sharpness"], rel=1e-5)


def test_files_with_equal_bytes_have_a_row_each(tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    rows, _ = measure_quality([tmp_path])
    assert [row["file"].rsplit("/")[-1] for row in rows] == ["a.png", "b.png"]
    assert rows[0]["snr"] == rows[1]["snr"]


def test_figures_against_a_reference_are_those_of_the_two_arrays(tmp_path):
    rng = np.random.default_rng(0)
    grid = Grid.of_spacing((12, 40, 40), (2.0, 1.0, 1.0))
    truth = rng.normal(0, 100, grid.shape).astype(np.float32)
    noisy = truth + rng.normal(0, 10, grid.shape).astype(np.float32)
    write_nifti(Volume(truth, grid), tmp_path / "truth.nii.gz")
    write_nifti(Volume(noisy, grid), tmp_path / "noisy.nii.gz")
    (row,), failures = measure_quality([tmp_path / "noisy.nii.gz"], reference=tmp_path / "truth.nii.gz")
    assert not failures
    assert row["psnr"] == pytest.approx(psnr(truth, noisy)) and row["ssim"] == pytest.approx(ssim(truth, noisy))
    write_nifti(Volume(noisy[:6], Grid.of_spacing((6, 40, 40), (2.0, 1.0, 1.0))), tmp_path / "half.nii.gz")
    rows, failures = measure_quality([tmp_path / "half.nii.gz"], reference=tmp_path / "truth.nii.gz")
    assert rows == [] and "expected one grid" in failures[0].problem


def test_thin_stacks_and_colour_are_compared_slice_by_slice_and_channel_by_channel(tmp_path):
    rng = np.random.default_rng(1)
    grid = Grid.of_spacing((3, 40, 40), (5.0, 1.0, 1.0))
    array = rng.normal(0, 1, grid.shape).astype(np.float32)
    write_nifti(Volume(array, grid), tmp_path / "a.nii.gz")
    colour = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
    write_png(colour, tmp_path / "c.png")
    for name in ("a.nii.gz", "c.png"):
        (row,), _ = measure_quality([tmp_path / name], reference=tmp_path / name)
        assert row["ssim"] == pytest.approx(1) and row["psnr"] == float("inf")


def test_phantoms_give_noise_power_and_transfer_function(tmp_path):
    rng = np.random.default_rng(2)
    grid = Grid.of_spacing((1, 256, 256), (5.0, 0.5, 0.5))
    write_nifti(Volume(rng.normal(0, 10, grid.shape).astype(np.float32), grid), tmp_path / "u.nii.gz")
    (row,), _ = measure_quality([tmp_path / "u.nii.gz"], phantom="uniform")
    assert row["nps_variance"] == pytest.approx(100, rel=0.06)
    j, i = (np.indices((256, 256)) - 128) * 0.5
    edge = 1000 * ndtr((i * np.cos(0.07) - j * np.sin(0.07)) / 0.8)
    write_nifti(Volume(edge[None].astype(np.float32), grid), tmp_path / "e.nii.gz")
    (row,), _ = measure_quality([tmp_path / "e.nii.gz"], phantom="edge")
    assert row["mtf50_per_mm"] == pytest.approx(np.sqrt(np.log(2) / 2) / (np.pi * 0.8), rel=0.01)
    point = 1000 * np.exp(-(i**2 + j**2) / (2 * 0.8**2))
    write_nifti(Volume(point[None].astype(np.float32), grid), tmp_path / "p.nii.gz")
    (row,), _ = measure_quality([tmp_path / "p.nii.gz"], phantom="point")
    assert row["mtf50_per_mm"] == pytest.approx(np.sqrt(np.log(2) / 2) / (np.pi * 0.8), rel=0.02)


def test_millimetres_are_not_made_up_for_a_phantom_in_a_plain_picture(tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    rows, failures = measure_quality([tmp_path / "a.png"], phantom="uniform")
    assert rows == [] and "pixel size" in failures[0].problem
    half, whole = (
        measure_quality([tmp_path / "a.png"], phantom="uniform", pixel_size_mm=size)[0][0] for size in (0.5, 1.0)
    )
    assert half["nps_variance"] == pytest.approx(whole["nps_variance"])
    assert half["nps_peak_per_mm"] == pytest.approx(2 * whole["nps_peak_per_mm"])


def test_a_reference_that_is_missing_is_refused(tmp_path, blobs):
    write_png(blobs, tmp_path / "a.png")
    with pytest.raises(InputError):
        measure_quality([tmp_path / "a.png"], reference=tmp_path / "none.png")
