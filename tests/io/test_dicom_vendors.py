"""Series of several vendors against another converter and SimpleITK, voxel by voxel in world space."""

import nibabel
import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.io.convert import convert_series
from isocenter.io.dicom import read_series

pytestmark = pytest.mark.data

REFERENCED = [
    "failing_slicecount_001", "ge_anatomical_001", "ge_dti_001", "ge_fmri_001", "generic_anatomical_002_non_isotropic",
    "generic_compressed_j2k_001", "generic_compressed_jpeg_001", "generic_compressed_jpegls_001",
    "generic_compressed_rle_001", "generic_rgb_001", "hitachi_anatomical_001", "hyperfine_anatomical_001",
    "philips_anatomical_001_implicit", "philips_enhanced_fmri_001", "siemens_anatomical_001",
]  # fmt: skip


def series(data_dir, name):
    paths = sorted((data_dir / "dicom_series" / name).iterdir())
    return read_series([path for path in paths if not path.name.endswith("_RS.dcm")])


def values_of(image):
    data = np.asanyarray(image.dataobj)
    return np.stack([data[name] for name in "RGB"], axis=-1) if data.dtype.fields else data


@pytest.mark.parametrize("name", REFERENCED)
def test_the_converted_series_equals_the_reference_in_world_space(data_dir, tmp_path, name):
    (image,) = series(data_dir, f"d2n_{name}")
    ours = nibabel.load(convert_series(image, tmp_path)[0])
    reference = nibabel.load(data_dir / "dicom_series" / f"d2n_{name}_reference.nii.gz")
    to_ours = np.rint(np.linalg.inv(ours.affine) @ reference.affine)
    grid = np.indices(reference.shape[:3]).reshape(3, -1)
    index = (to_ours[:3, :3] @ grid + to_ours[:3, 3:]).astype(int)
    there = reference.affine[:3, :3] @ grid + reference.affine[:3, 3:]
    here = ours.affine[:3, :3] @ index + ours.affine[:3, 3:]
    assert np.abs(here - there).max() < 1e-3
    expected, found = values_of(reference)[tuple(grid)], values_of(ours)[tuple(index)]
    assert expected.shape == found.shape
    assert np.abs(expected.astype(float) - found).max() <= 1e-6 * max(1.0, float(np.abs(expected).max()))
    step_s = float(reference.header["pixdim"][4])
    if isinstance(image, Cine) and image.axis == "time":
        assert float(ours.header["pixdim"][4]) == pytest.approx(step_s)


def test_weightings_of_the_diffusion_series(data_dir, tmp_path):
    (cine,) = series(data_dir, "d2n_ge_dti_001")
    assert cine.bvals.tolist() == [0, 1000] and np.allclose(np.abs(cine.bvecs[1]), (1, 0, 0))


@pytest.mark.parametrize(
    "name", ["sts_STS_008_CT", "sts_STS_008_MR_T1", "sts_STS_008_PET", "ts_ct", "d2n_siemens_anatomical_001"]
)
def test_simpleitk_reads_the_same_volume(data_dir, name):
    import SimpleITK

    (volume,) = series(data_dir, name)
    image = SimpleITK.ReadImage([str(one.path) for one in volume.source.instances], SimpleITK.sitkFloat64)
    peer = SimpleITK.GetArrayFromImage(image)
    assert np.abs(peer - volume.array).max() <= 1e-6 * np.abs(peer).max()
    for index in ((0, 0, 0), tuple(n - 1 for n in volume.array.shape)):
        place = image.TransformIndexToPhysicalPoint([int(n) for n in reversed(index)])
        assert np.allclose(place, volume.grid.to_world_mm(np.array(index)), atol=2e-3)


def test_the_mask_of_the_ct_lies_on_its_grid(data_dir):
    (volume,) = series(data_dir, "ts_ct")
    mask = nibabel.load(data_dir / "dicom_series" / "ts_ct_totalseg_mask.nii.gz")
    corners = np.array([[0, 0, 0], [n - 1 for n in mask.shape]])
    lps = nibabel.affines.apply_affine(mask.affine, corners) * (-1, -1, 1)
    index = volume.grid.to_index(lps)
    assert np.allclose(index, np.rint(index), atol=0.02)
    assert sorted(np.abs(index[1] - index[0]).round()) == sorted(n - 1 for n in volume.array.shape)


@pytest.mark.parametrize(
    ("name", "shapes", "note"),
    [
        ("d2n_failing_gantrytilting_001", [(4, 512, 512)], "gantry-tilt: 14.0 deg"),
        ("d2n_failing_sliceincrement_001", [(3, 512, 512), (1, 512, 512)], "missing-slices: 1"),
    ],
)
def test_odd_series_are_handled_by_name(data_dir, name, shapes, note):
    volumes = series(data_dir, name)
    assert [volume.array.shape for volume in volumes] == shapes
    assert all(note in volume.facts.notes for volume in volumes)


def test_single_slices_of_five_patients_stay_apart(data_dir):
    assert len(series(data_dir, "tcga_ct_slices")) == 5
