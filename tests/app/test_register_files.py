import json

import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.app.register_files import register_files
from isocenter.core.errors import InputError, UnreadableError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.nifti import write_nifti
from isocenter.io.raster import write_png

SHAPE = (36, 48, 40)


def body(places):
    x, y, z = (places[..., axis] for axis in range(3))
    inside = 1 / (1 + np.exp((np.sqrt((x / 30) ** 2 + (y / 38) ** 2 + (z / 27) ** 2) - 1) * 12))
    return 100 * inside * (1 + 0.3 * np.sin(x / 5) * np.sin(y / 6 + 1) * np.cos(z / 5) + 0.3 * np.sin((x + 2 * y) / 9))


@pytest.fixture
def pair(tmp_path):
    """Two files: the body, and the body turned and shifted."""
    grid = Grid.of_spacing(SHAPE, (2.0, 2.0, 2.0), (-39.0, -47.0, -35.0))
    places = grid.to_world_mm(np.stack(np.meshgrid(*[np.arange(n) for n in SHAPE], indexing="ij"), axis=-1))
    turn = np.array(((0.985, -0.174, 0), (0.174, 0.985, 0), (0, 0, 1)))
    for name, values in (("moving", body(places)), ("fixed", body(places @ turn.T + (4, -3, 5)))):
        write_nifti(Volume(values.astype(np.float32), grid), tmp_path / f"{name}.nii.gz")
    return tmp_path / "fixed.nii.gz", tmp_path / "moving.nii.gz"


@pytest.mark.parametrize("transform", ["rigid", "affine", "deformable"])
def test_simpleitk_makes_the_same_moved_image_from_our_files(pair, tmp_path, transform):
    outcome = register_files(*pair, tmp_path / "out", transform=transform)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    written = "displacement.mha" if transform == "deformable" else "transform.tfm"
    assert names == {"moved.nii.gz", "metrics.json", "checkerboard.png", written}
    fixed, moving, moved = (
        sitk.ReadImage(str(path), sitk.sitkFloat32) for path in (*pair, tmp_path / "out" / "moved.nii.gz")
    )
    if transform == "deformable":
        field = sitk.ReadImage(str(tmp_path / "out" / written))
        motion = sitk.DisplacementFieldTransform(sitk.Cast(field, sitk.sitkVectorFloat64))
    else:
        motion = sitk.ReadTransform(str(tmp_path / "out" / written))
    expected = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, motion, sitk.sitkLinear, 0.0))
    off = np.abs(sitk.GetArrayFromImage(moved) - expected)
    assert np.quantile(off, 0.99) < 0.01
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["converged"] is True
    assert outcome.metrics == metrics
    assert metrics["similarity"] > max(0.99, metrics["initial_similarity"])
    assert metrics["folding_percent"] == 0
    assert metrics["seconds"] > 0


def test_noise_is_refused_and_leaves_its_metrics_alone(pair, tmp_path):
    grid = Grid.of_spacing(SHAPE, (2.0, 2.0, 2.0), (-39.0, -47.0, -35.0))
    noise = np.random.default_rng(0).normal(50, 20, SHAPE).astype(np.float32)
    write_nifti(Volume(noise, grid), tmp_path / "noise.nii.gz")
    register_files(*pair, tmp_path / "out", transform="rigid")
    outcome = register_files(pair[0], tmp_path / "noise.nii.gz", tmp_path / "out")
    assert not outcome.converged
    assert outcome.problem
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["metrics.json"]
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["converged"] is False


def test_pictures_get_a_transform_of_two_axes(tmp_path):
    import cv2

    smooth = cv2.GaussianBlur(np.random.default_rng(0).random((120, 150)).astype(np.float32), (0, 0), 5)
    j, i = np.mgrid[:120, :150]
    fixed = np.where(np.hypot((j - 60) / 52, (i - 75) / 65) < 1, 40 + 180 * (smooth - smooth.min()) / np.ptp(smooth), 0)
    turn = cv2.getRotationMatrix2D((75, 60), 25, 1)
    moving = cv2.warpAffine(fixed, turn, (150, 120))
    for name, picture in (("fixed", fixed), ("moving", moving)):
        write_png(picture.astype(np.uint8), tmp_path / f"{name}.png")
    outcome = register_files(tmp_path / "fixed.png", tmp_path / "moving.png", tmp_path / "out", transform="rigid")
    assert outcome.converged
    motion = sitk.ReadTransform(str(tmp_path / "out" / "transform.tfm"))
    assert motion.GetDimension() == 2
    np.testing.assert_allclose(motion.TransformPoint((60.0, 50.0)), turn @ (60, 50, 1), atol=0.5)
    assert outcome.metrics["unit"] == "pixel"


def test_nothing_is_written_for_bad_input(pair, tmp_path):
    with pytest.raises(UnreadableError):
        register_files(pair[0], tmp_path / "nowhere.nii.gz", tmp_path / "out")
    with pytest.raises(InputError, match="--transform"):
        register_files(*pair, tmp_path / "out", transform="bendy")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_splines_with_stated_knots_bring_the_images_together_too(pair, tmp_path):
    outcome = register_files(*pair, tmp_path / "out", transform="deformable", knots_mm=30.0)
    assert outcome.converged and outcome.metrics["similarity"] > 0.95
    assert (tmp_path / "out" / "displacement.mha").exists()
    with pytest.raises(InputError, match="--knots-mm"):
        register_files(*pair, tmp_path / "out", transform="rigid", knots_mm=30.0)
