import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.register.linear import home_motion, register_linear
from isocenter.imaging.register.motion import about, moved_points, rotation_matrix
from isocenter.imaging.register.warp import warp_linear

RIGID = about(rotation_matrix(np.deg2rad((8.0, -11.0, 13.0))), np.zeros(3), np.array((9.0, -12, 7)))
SHEAR = np.array(((1.06, 0.04, 0), (0, 0.95, 0.03), (-0.03, 0, 1.04)))
AFFINE = about(RIGID[:3, :3] @ SHEAR, np.zeros(3), np.array((6.0, -5, 7)))


def error_mm(found, truth, inside):
    return np.linalg.norm(moved_points(found, inside) - moved_points(truth, inside), axis=1).mean()


def test_a_known_affine_motion_is_found_to_a_twentieth_of_a_voxel(body, inside):
    found = register_linear(body(lambda p: moved_points(AFFINE, p), noise=1.0), body(noise=1.0, seed=1))
    assert error_mm(found.matrix, AFFINE, inside) < 0.1
    assert (found.measure, found.evidence.converged) == ("correlation", True)
    assert found.similarity > found.initial_similarity


@pytest.mark.data
def test_a_brain_that_was_resampled_pulls_to_no_side(data_dir):
    """Interpolation blurs the moving image alone; what that costs was .2 mm before both were smoothed."""
    from isocenter.imaging.spatial import resample_volume
    from isocenter.io.nifti import read_nifti

    whole = read_nifti(next(data_dir.glob("ms_lesions_mni_4modal/*/FLAIR.nii.gz")))
    brain = resample_volume(whole, (2.0, 2.0, 2.0))
    index = np.argwhere(brain.array > 50)[::50]
    places = brain.grid.to_world_mm(index)
    centre = places.mean(axis=0)
    truth = about(RIGID[:3, :3] @ SHEAR, centre, np.array((6.0, -5, 7)))
    moving = warp_linear(brain, brain.grid, np.linalg.inv(truth))
    assert error_mm(register_linear(brain, moving).matrix, truth, places) < 0.06


def test_a_known_rigid_motion_is_found_between_modalities(body, inside):
    found = register_linear(body(lambda p: moved_points(RIGID, p)), body(other_modality=True, noise=1.0), kind="rigid")
    assert error_mm(found.matrix, RIGID, inside) < 0.5
    assert (found.measure, found.evidence.converged) == ("information", True)
    np.testing.assert_allclose(found.matrix[:3, :3] @ found.matrix[:3, :3].T, np.eye(3), atol=1e-9)


def test_equal_images_stay_where_they_are(body, inside):
    found = register_linear(body(), body())
    assert error_mm(found.matrix, np.eye(4), inside) < 0.01


@pytest.mark.parametrize("kind", ["rigid", "affine"])
def test_a_picture_of_one_disc_stays_where_it_is(kind):
    """A disc looks the same from all sides: a search that turns all round may end anywhere."""
    rows, columns = np.mgrid[:80, :120]
    disc = (((columns - 80) ** 2 + (rows - 30) ** 2 < 225) * 120 + 60).astype(np.float32)[None]
    picture = Volume(disc, Grid.of_pixels((1, 80, 120)))
    found = register_linear(picture, picture, kind=kind)
    np.testing.assert_allclose(found.matrix, np.eye(4), atol=0.01)
    assert found.evidence.converged


def test_masks_are_brought_onto_one_another_by_their_borders():
    grid = Grid.of_spacing((40, 48, 48), (1.0, 1.0, 1.0))
    k, j, i = np.indices(grid.shape)
    shape = (((k - 20) / 11) ** 2 + ((j - 24) / 16) ** 2 + ((i - 22) / 8) ** 2 < 1) | (
        (abs(k - 24) < 4) & (abs(j - 15) < 3) & (abs(i - 28) < 9)
    )
    mask = shape.astype(np.float32)
    shifted = Volume(np.roll(mask, (3, 4, -5), (0, 1, 2)), grid)
    for moving, shift_mm in ((Volume(mask, grid), (0, 0, 0)), (shifted, (-5, 4, 3))):
        found = register_linear(Volume(mask, grid), moving, kind="rigid")
        np.testing.assert_allclose(found.matrix[:3, 3], shift_mm, atol=0.05)
        np.testing.assert_allclose(found.matrix[:3, :3], np.eye(3), atol=2e-3)
        assert found.evidence.converged


def test_there_and_back_is_nowhere(body, inside):
    one, other = body(lambda p: moved_points(AFFINE, p), noise=1.0), body(noise=1.0, seed=1)
    forth, back = register_linear(one, other), register_linear(other, one)
    assert error_mm(back.matrix @ forth.matrix, np.eye(4), inside) < 0.15


def test_the_same_input_gives_the_same_bits(body):
    pair = body(lambda p: moved_points(AFFINE, p)), body()
    np.testing.assert_array_equal(register_linear(*pair).matrix, register_linear(*pair).matrix)


def test_a_flipped_grid_changes_nothing(body, inside):
    moving = body()
    turned = moving.grid.affine.copy()
    turned[:3, 3] = moving.grid.to_world_mm(np.array((0, 0, moving.grid.shape[2] - 1)))
    turned[:3, 2] *= -1
    flipped = Volume(moving.array[:, :, ::-1].copy(), replace(moving.grid, affine=turned))
    found = register_linear(body(lambda p: moved_points(RIGID, p)), flipped, kind="rigid")
    assert error_mm(found.matrix, RIGID, inside) < 0.1


def test_thick_slices_do_no_harm(body, inside):
    fixed, moving = body(lambda p: moved_points(RIGID, p)), body(shape=(60, 60, 60))
    thick = Volume(
        moving.array[:60].reshape(6, 10, 60, 60).mean(1),
        Grid.of_spacing((6, 60, 60), (20.0, 2.0, 2.0), (-59.0, -59.0, -59.0 + 9)),
    )
    found = register_linear(fixed, thick, kind="rigid")
    assert error_mm(found.matrix, RIGID, inside) < 4


def test_pictures_are_turned_all_round():
    rng = np.random.default_rng(0)
    from isocenter.imaging.smooth import smooth_gaussian

    array = smooth_gaussian(rng.normal(0, 1, (1, 120, 140)), sigma_mm=5, spacing_mm=(1, 1, 1))
    grid = Grid.of_pixels(array.shape)
    rows, columns = np.mgrid[:120, :140]
    array = array * (np.hypot((rows - 60) / 50, (columns - 70) / 58) < 1) * 100 + 10
    moving = Volume(array.astype(np.float32), grid)
    truth = about(
        rotation_matrix(np.array((0, 0, np.deg2rad(130.0)))), np.array((70.0, 60, 0)), np.array((74.0, 57, 0))
    )
    fixed = warp_linear(moving, grid, truth)
    found = register_linear(fixed, moving, kind="rigid")
    points = np.array(((50.0, 50, 0), (90, 70, 0), (70, 40, 0)))
    assert np.linalg.norm(moved_points(found.matrix, points) - moved_points(truth, points), axis=1).max() < 0.5
    assert found.evidence.converged
    np.testing.assert_allclose(found.matrix[2], (0, 0, 1, 0), atol=1e-9)


def test_slices_of_different_planes_lie_on_one_another_at_first():
    one, other = (Grid.of_spacing((1, 10, 10), (5.0, 1.0, 1.0), (0.0, 0.0, z)) for z in (10.0, 55.0))
    moved = moved_points(home_motion(one, other), one.to_world_mm(np.array((0, 3, 4))))
    np.testing.assert_allclose(moved, other.to_world_mm(np.array((0, 3, 4))))
    np.testing.assert_array_equal(home_motion(one, one), np.eye(4))


def test_what_does_not_fit_is_refused(body):
    with pytest.raises(GeometryError, match="two pictures or two volumes"):
        register_linear(body(), Volume(body().array[:1], Grid.of_pixels((1, 52, 44))))
    with pytest.raises(InputError, match="contrast"):
        register_linear(body(), body().with_array(np.zeros(body().array.shape, np.float32)))
    with pytest.raises(InputError, match="expected one of"):
        register_linear(body(), body(), kind="bendy")


def reference_motion(folder: Path, study: str) -> np.ndarray:
    """(4, 4) of a `*_to_common_space.txt` of the data set."""
    from isocenter.io.transforms import read_tfm

    return read_tfm(folder / f"{study}_FLAIR_to_common_space.txt")


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("patient", ["patient01", "patient03"])
@pytest.mark.parametrize("order", [("study1", "study2"), ("study2", "study1")])
def test_a_follow_up_of_another_scanner_reaches_the_reference(data_dir, patient, order):
    """The correlation in the brain is at least that of the data set's own affine motions."""
    from isocenter.io.nifti import read_nifti

    folder = data_dir / "ms_longitudinal_mri_pairs" / patient
    fixed, moving = (read_nifti(folder / f"{study}_FLAIR.nii.gz") for study in order)
    to_one, to_other = (reference_motion(folder, study) for study in order)
    mask = read_nifti(folder / "common_brainmask.nii.gz")
    brain = warp_linear(mask, fixed.grid, np.linalg.inv(to_one)).array > 0.5
    found = register_linear(fixed, moving)
    scores = [
        np.corrcoef(warp_linear(moving, fixed.grid, matrix).array[brain], fixed.array[brain])[0, 1]
        for matrix in (found.matrix, to_other @ np.linalg.inv(to_one))
    ]
    assert found.evidence.converged
    assert scores[0] >= scores[1] - 0.001, json.dumps(scores)


def head(data_dir, sequence):
    """A brain of the data set with 3 mm voxels."""
    from isocenter.imaging.spatial import resample_volume
    from isocenter.io.nifti import read_nifti

    return resample_volume(
        read_nifti(data_dir / "ms_lesions_mni_4modal" / "patient07" / f"{sequence}.nii.gz"), (3, 3, 3)
    )


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("patient", ["STS_008", "STS_012", "STS_041"])
def test_pet_stays_on_the_ct_of_a_cropped_limb_where_one_scanner_put_it(data_dir, patient):
    from isocenter.io.nifti import read_nifti

    folder = data_dir / "sts_ct_pet_mr_tumour" / patient
    ct, pet = (read_nifti(folder / f"{name}_image.nii.gz") for name in ("CT", "PET"))
    found = register_linear(ct, pet, kind="rigid")
    index = np.argwhere(np.ones((3, 3, 3))) * (np.array(ct.grid.shape) - 1) / 2
    assert found.evidence.converged
    assert error_mm(found.matrix, np.eye(4), ct.grid.to_world_mm(index)) < 5
    shape = np.where(ct.array > -200, np.random.default_rng(0).normal(50, 30, ct.array.shape), -1000)
    assert not register_linear(ct, ct.with_array(shape.astype(np.float32)), kind="rigid").evidence.converged


@pytest.mark.data
def test_a_brain_is_known_from_its_mirror_image_and_from_noise(data_dir):
    brain, other = head(data_dir, "T1"), head(data_dir, "FLAIR")
    mirrored = other.with_array(other.array[:, :, ::-1].copy())
    noise = np.random.default_rng(0).normal(500, 100, brain.array.shape).astype(np.float32)
    silhouette = np.where(brain.array > 0, noise, 0).astype(np.float32)
    assert register_linear(brain, other, kind="rigid").evidence.converged
    assert "swapped" in register_linear(other, mirrored, kind="rigid").evidence.problem
    for wrong in (noise, silhouette):
        assert not register_linear(brain, brain.with_array(wrong)).evidence.converged
        assert not register_linear(brain.with_array(wrong), brain).evidence.converged
