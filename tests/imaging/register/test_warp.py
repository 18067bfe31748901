import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.imaging.register.motion import about, rotation_matrix
from isocenter.imaging.register.warp import folding_percent, jacobian_determinant, linear_field, warp_field, warp_linear

MOTION = about(rotation_matrix(np.array((0.1, -0.2, 0.15))) * 1.1, np.zeros(3), np.array((4.0, -3, 2)))


def test_a_motion_and_its_field_give_the_same_image(body):
    image = body()
    one = warp_linear(image, image.grid, MOTION)
    other = warp_field(image, image.grid, linear_field(image.grid, MOTION))
    np.testing.assert_allclose(one.array, other.array, atol=0.02)


def test_the_moved_image_is_that_of_simpleitk(body):
    image = body()
    theirs = sitk.GetImageFromArray(image.array)
    theirs.SetSpacing((2.0, 2.0, 2.0))
    theirs.SetOrigin(image.grid.affine[:3, 3].tolist())
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(MOTION[:3, :3].ravel().tolist())
    transform.SetTranslation(MOTION[:3, 3].tolist())
    expected = sitk.GetArrayFromImage(sitk.Resample(theirs, theirs, transform, sitk.sitkLinear, 0.0))
    off = np.abs(warp_linear(image, image.grid, MOTION).array - expected)
    assert np.quantile(off, 0.999) < 1e-3


def test_the_determinant_of_a_motion_is_that_of_its_matrix():
    grid = Grid(
        (6, 7, 8), about(rotation_matrix(np.array((0.3, 0.2, 0.1))) @ np.diag((2.0, 1, 3)), np.zeros(3), np.ones(3))
    )
    found = jacobian_determinant(linear_field(grid, MOTION), grid)
    np.testing.assert_allclose(found, np.linalg.det(MOTION[:3, :3]), rtol=1e-4)


def test_a_field_that_folds_is_counted():
    grid = Grid.of_spacing((4, 4, 20), (1.0, 1.0, 1.0))
    field = np.zeros((4, 4, 20, 3), dtype=np.float32)
    assert folding_percent(field, grid) == 0
    field[..., 10:, 0] = -3.0
    assert folding_percent(field, grid) == pytest.approx(10)


def test_beyond_the_image_stands_air(body):
    away = np.eye(4)
    away[:3, 3] = 1000
    image = body()
    assert (warp_linear(image, image.grid, away).array == min(0, image.array.min())).all()
    assert (warp_linear(image, image.grid, away, outside=-5).array == -5).all()


def test_a_field_of_another_grid_is_refused(body):
    with pytest.raises(InputError, match="displacement"):
        warp_field(body(), body().grid, np.zeros((3, 3, 3, 3), np.float32))
