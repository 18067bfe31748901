import numpy as np
import pytest

from isocenter.app.reconstruct_files import METHODS, read_kspace, read_projections, reconstruct_file
from isocenter.core.errors import InputError, UnreadableError
from isocenter.imaging.phantoms_projection import coil_sensitivities, draw_ellipses, project_ellipses, shepp_logan
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.operators_mri import to_kspace
from isocenter.io.load import load

HEAD = shepp_logan(20.0, scale=0.02)


def ct_arrays(beam=None) -> dict[str, np.ndarray]:
    angles = np.linspace(0, 360, 60, endpoint=False)
    geometry = ScanGeometry(angles, 71, 1.0 if beam is None else 1.7, (48, 46), 1.0, beam)
    arrays = {
        "sinogram": project_ellipses(HEAD, geometry), "angles_deg": angles,
        "detector_mm": np.float64(geometry.detector_mm), "size": np.array([48, 46]), "pixel_mm": np.float64(1.0),
    }  # fmt: skip
    if beam:
        arrays |= {"source_mm": np.float64(beam[0]), "detector_distance_mm": np.float64(beam[1])}
    return arrays


@pytest.fixture
def saved(tmp_path):
    """A maker of .npz files."""

    def save(**arrays) -> object:
        path = tmp_path / "scan.npz"
        np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
        return path

    return save


@pytest.mark.parametrize("beam", [None, (100.0, 170.0)])
def test_a_sinogram_becomes_attenuation_per_mm(beam, saved, tmp_path):
    out = tmp_path / "image.npy"
    reconstruct_file("fbp", saved(**ct_arrays(beam)), out, {"window": "hann"})
    image = np.load(out)
    truth = draw_ellipses(HEAD, (48, 46), pixel_mm=1.0)
    assert image.dtype == np.float32 and image.shape == (48, 46)
    assert image.sum() == pytest.approx(truth.sum(), rel=0.02)
    assert np.corrcoef(image.ravel(), truth.ravel())[0, 1] > 0.85


def test_kspace_becomes_a_magnitude(saved, tmp_path):
    coils = coil_sensitivities(4, (32, 40))
    truth = draw_ellipses(shepp_logan(15.0), (32, 40), pixel_mm=1.0)
    path = saved(kspace=to_kspace(truth * coils), mask=np.ones((32, 40), bool), sensitivities=coils)
    reconstruct_file("zero-filled", path, tmp_path / "image.npy", {})
    np.testing.assert_allclose(np.load(tmp_path / "image.npy"), truth, atol=1e-5)


def test_volumes_know_their_pixels_and_pictures_use_all_grays(saved, tmp_path):
    path = saved(**ct_arrays())
    reconstruct_file("fbp", path, tmp_path / "image.nii.gz", {})
    assert load(tmp_path / "image.nii.gz").grid.spacing_mm[1:] == pytest.approx([1.0, 1.0])
    reconstruct_file("fbp", path, tmp_path / "image.png", {})
    picture = load(tmp_path / "image.png").array
    assert picture.min() == 0 and picture.max() == 255


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"angles_deg": None}, "angles_deg is missing"),
        ({"angles_deg": np.zeros(3)}, "one angle per view"),
        ({"sinogram": np.zeros((0, 71)), "angles_deg": np.zeros(0)}, "expected"),
        ({"sinogram": np.full((60, 71), np.nan)}, "NaN"),
        ({"size": np.array([48])}, "size as"),
        ({"size": np.array([10**6, 10**6])}, "at most"),
        ({"pixel_mm": np.array([1.0, 1.0])}, "one number as pixel_mm"),
        ({"detector_mm": np.float64(-1)}, "state them in millimetres"),
        ({"source_mm": np.float64(100)}, "together"),
        ({"sinogram": np.array([["x"] * 71] * 60)}, "expected numbers"),
    ],
)
def test_a_scan_that_does_not_fit_is_told_in_one_line(change, says, saved):
    with pytest.raises(InputError, match=says) as caught:
        read_projections(saved(**{**ct_arrays(), **change}))
    assert "\n" not in str(caught.value)


def test_a_missing_mask_method_or_file_is_told(saved, tmp_path):
    with pytest.raises(InputError, match="mask is missing"):
        read_kspace(saved(kspace=np.ones((1, 8, 8))))
    with pytest.raises(InputError, match="expected one of fbp"):
        reconstruct_file("magic", tmp_path / "none.npz", tmp_path / "a.npy", {})
    with pytest.raises(UnreadableError, match="found none"):
        reconstruct_file("fbp", tmp_path / "none.npz", tmp_path / "a.npy", {})
    with pytest.raises(InputError, match="--sharpness"):
        reconstruct_file("fbp", saved(**ct_arrays()), tmp_path / "a.npy", {"sharpness": "1"})
    assert "cg-sense" in METHODS


@pytest.mark.parametrize(
    ("method", "given", "says"),
    [
        ("fbp", {"cutoff": "0"}, "cutoff"),
        ("sirt", {"iterations": "-1"}, "iterations"),
        ("sart", {"relaxation": "-1"}, "relaxation"),
        ("cgls", {"iterations": "-1"}, "iterations"),
        ("tv", {"weight": "-1"}, "weight"),
        ("mlem", {"weight": "-1"}, "weight"),
        ("cg-sense", {"regularisation": "-1"}, "regularisation"),
        ("grappa", {"regularisation": "-1"}, "regularisation"),
        ("cs", {"seed": "-1"}, "seed"),
        ("cs", {"weight": "inf"}, "weight"),
    ],
)
def test_an_option_that_makes_no_image_is_refused_by_name(method, given, says, saved, tmp_path):
    scan = saved(**ct_arrays(), kspace=np.ones((2, 16, 16), complex), mask=np.ones((16, 16)))
    with pytest.raises(InputError, match=says):
        reconstruct_file(method, scan, tmp_path / "a.npy", given)
    assert not (tmp_path / "a.npy").exists()


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04broken"])
def test_a_file_that_cannot_be_read_says_so_with_its_name(content, tmp_path):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(UnreadableError, match=r"x\.npz: expected"):
        reconstruct_file("fbp", tmp_path / "x.npz", tmp_path / "a.npy", {})
