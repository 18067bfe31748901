"""NIfTI files: voxels, place and time survive the way out and in; nibabel agrees."""

import gzip
import struct

import nibabel
import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, InputError, LimitError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nifti import read_nifti, stem_of, write_nifti

GRID = Grid.of_spacing((2, 3, 4), (2.5, 0.7, 0.8), (-10, 20, 30))


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8", "?"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_voxels_and_place_survive(tmp_path, dtype, suffix):
    array = (np.arange(24).reshape(2, 3, 4) % 2 if dtype == "?" else np.arange(24).reshape(2, 3, 4)).astype(dtype)
    path = tmp_path / f"a{suffix}"
    write_nifti(Volume(array, GRID), path)
    found = read_nifti(path)
    assert np.array_equal(found.array, array) and np.abs(found.grid.affine - GRID.affine).max() < 1e-5
    assert found.grid.spacing_known and found.source.digests[0].startswith("sha256:")


def test_nibabel_sees_the_same_voxel_at_the_same_place(tmp_path):
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    write_nifti(Volume(array, GRID), tmp_path / "a.nii.gz")
    peer = nibabel.load(tmp_path / "a.nii.gz")
    for k, j, i in ((0, 0, 0), (1, 2, 3)):
        assert peer.dataobj[i, j, k] == array[k, j, i]
        ras = (peer.affine @ (i, j, k, 1))[:3]
        assert np.allclose(ras * (-1, -1, 1), GRID.to_world_mm(np.array((k, j, i))), atol=1e-4)
    assert np.allclose(peer.get_qform(), peer.affine, atol=1e-4)


def test_what_nibabel_writes_is_read(tmp_path):
    affine = np.array([[-0.7, 0.1, 0, 5], [0.1, 0.7, 0, -4], [0, 0, 3, 2], [0, 0, 0, 1.0]])
    array = np.random.default_rng(0).normal(size=(4, 3, 2)).astype(np.float32)
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        nibabel.save(kind(array, affine), tmp_path / "a.nii")
        found = read_nifti(tmp_path / "a.nii")
        assert np.array_equal(found.array, array.T)
        assert np.allclose((found.grid.affine @ (1, 2, 3, 1))[:3] * (-1, -1, 1), (affine @ (3, 2, 1, 1))[:3], atol=1e-5)


def test_a_header_and_image_pair_is_read(tmp_path):
    nibabel.save(nibabel.Nifti1Pair(np.ones((4, 3, 2), np.int16), np.eye(4)), tmp_path / "a.img")
    found = read_nifti(tmp_path / "a.hdr")
    assert found.array.shape == (2, 3, 4) and len(found.source.digests) == 2
    (tmp_path / "a.img").unlink()
    with pytest.raises(FormatError, match="beside"):
        read_nifti(tmp_path / "a.hdr")


def test_scaling_is_applied_and_whole_numbers_stay_whole(tmp_path):
    stored = Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), GRID)
    write_nifti(stored, tmp_path / "a.nii", scaling=(2.0, -1000.0))
    assert read_nifti(tmp_path / "a.nii").array.dtype == np.int16
    assert read_nifti(tmp_path / "a.nii").array.max() == -954
    write_nifti(stored, tmp_path / "a.nii", scaling=(0.5, 0.25))
    assert read_nifti(tmp_path / "a.nii").array.max() == pytest.approx(11.75)


def test_a_cine_keeps_its_times(tmp_path):
    array = np.arange(48, dtype=np.int16).reshape(2, 2, 3, 4)
    write_nifti(Cine(array, np.array([0.0, 2.5]), GRID), tmp_path / "a.nii.gz")
    found = read_nifti(tmp_path / "a.nii.gz")
    assert found.axis == "time" and np.allclose(found.times_s, (0, 2.5)) and np.array_equal(found.array, array)


def test_colour_survives_and_deep_colour_is_refused(tmp_path):
    array = np.arange(72, dtype=np.uint8).reshape(2, 3, 4, 3)
    write_nifti(Volume(array, GRID, "sRGB"), tmp_path / "a.nii")
    found = read_nifti(tmp_path / "a.nii")
    assert np.array_equal(found.array, array) and found.unit == "sRGB"
    with pytest.raises(InputError, match="8-bit colour"):
        write_nifti(Volume(array.astype(np.uint16), GRID), tmp_path / "b.nii")


def test_the_same_image_gives_the_same_bytes(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(Volume(np.ones((2, 3, 4), np.int16), GRID), tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_a_picture_without_place_comes_back_without_place(tmp_path):
    write_nifti(Volume(np.ones((1, 3, 4), np.uint8), Grid.of_pixels((1, 3, 4))), tmp_path / "a.nii")
    grid = read_nifti(tmp_path / "a.nii").grid
    assert not grid.spacing_known and not grid.position_known


def test_a_header_that_promises_too_much_is_refused_before_inflating(tmp_path):
    write_nifti(Volume(np.ones((2, 3, 4), np.int16), GRID), tmp_path / "a.nii")
    header = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into("<8h", header, 40, 3, 30000, 30000, 100, 1, 1, 1, 1)
    (tmp_path / "a.nii").write_bytes(header)
    with pytest.raises(LimitError):
        read_nifti(tmp_path / "a.nii")
    struct.pack_into("<8h", header, 40, 3, 300, 300, 1, 1, 1, 1, 1)
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(header))
    with pytest.raises(FormatError, match="cut short"):
        read_nifti(tmp_path / "b.nii.gz")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_voxels_can_be_written_to(tmp_path, name):
    write_nifti(Volume(np.ones((2, 3, 4), np.int16), GRID), tmp_path / name)
    assert read_nifti(tmp_path / name).array.flags.writeable


def test_stems_lose_both_suffixes(tmp_path):
    assert stem_of(tmp_path / "a.b.nii.gz") == tmp_path / "a.b"
    assert stem_of(tmp_path / "a.hdr") == tmp_path / "a"
