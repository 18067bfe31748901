import numpy as np
import pytest
import SimpleITK as sitk

from isocenter.core.errors import FormatError, InputError
from isocenter.core.grid import Grid
from isocenter.io.transforms import read_tfm, write_displacement, write_tfm

MATRIX = np.eye(4)
MATRIX[:3] = [[0.9, 0.1, 0.02, 5.5], [-0.1, 1.05, 0.03, -7.25], [0.01, -0.02, 0.98, 11.125]]
POINTS = np.random.default_rng(0).uniform(-100, 100, (10, 3))


def moved(matrix, points):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def test_simpleitk_moves_points_as_we_do(tmp_path):
    write_tfm(MATRIX, tmp_path / "a.tfm")
    theirs = sitk.ReadTransform(str(tmp_path / "a.tfm"))
    for point in POINTS:
        np.testing.assert_allclose(theirs.TransformPoint(point.tolist()), moved(MATRIX, point), atol=1e-9)
    np.testing.assert_array_equal(read_tfm(tmp_path / "a.tfm"), MATRIX)


@pytest.mark.parametrize("kind", ["affine", "euler", "translation", "euler2d"])
def test_what_simpleitk_writes_is_read(tmp_path, kind):
    theirs = {
        "affine": sitk.AffineTransform(3),
        "euler": sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.2, -0.3, 0.4, (5.0, 6.0, 7.0)),
        "translation": sitk.TranslationTransform(3, (1.0, 2.0, 3.0)),
        "euler2d": sitk.Euler2DTransform((1.0, 2.0), 0.3, (4.0, 5.0)),
    }[kind]
    if kind == "affine":
        theirs.SetMatrix(MATRIX[:3, :3].ravel().tolist())
        theirs.SetCenter((10.0, -20.0, 30.0))
        theirs.SetTranslation((1.0, 2.0, 3.0))
    sitk.WriteTransform(theirs, str(tmp_path / "b.tfm"))
    ours = read_tfm(tmp_path / "b.tfm")
    n = theirs.GetDimension()
    for point in POINTS:
        np.testing.assert_allclose(
            theirs.TransformPoint(point[:n].tolist()), moved(ours, np.append(point[:n], [0] * (3 - n)))[:n], atol=1e-9
        )


def test_a_picture_has_a_transform_of_two_axes(tmp_path):
    write_tfm(MATRIX, tmp_path / "c.tfm", in_plane=True)
    assert sitk.ReadTransform(str(tmp_path / "c.tfm")).GetDimension() == 2
    np.testing.assert_array_equal(read_tfm(tmp_path / "c.tfm")[:2, :2], MATRIX[:2, :2])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "something else",
        "#Insight Transform File V1.0\nParameters: 1 2 3\n",
        "#Insight Transform File V1.0\nTransform: BSplineTransform_double_3_3\nParameters: 1 2\nFixedParameters: 0\n",
        "#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\nParameters: 1 2\nFixedParameters: 0 0\n",
        "#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: a b c\n",
        "#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: nan 0 0\n",
        "#Insight Transform File V1.0\nTransform: A_3_3\nTransform: B_3_3\n",
    ],
)
def test_what_is_no_transform_is_refused(tmp_path, text):
    (tmp_path / "bad.tfm").write_text(text)
    with pytest.raises(FormatError):
        read_tfm(tmp_path / "bad.tfm")


def test_displacements_lie_on_the_fixed_grid_for_simpleitk(tmp_path):
    affine = np.array([[0.1, -0.3, 0.9, -40], [0.2, 1.8, 0.2, 12], [2.9, -0.1, -0.1, 7], [0, 0, 0, 1.0]])
    left, _, right = np.linalg.svd(affine[:3, :3])
    affine[:3, :3] = left @ right @ np.diag((3.0, 2.0, 1.0))
    grid = Grid((4, 5, 6), affine)
    field = np.random.default_rng(1).normal(0, 3, (4, 5, 6, 3)).astype(np.float32)
    write_displacement(field, grid, tmp_path / "d.mha")
    theirs = sitk.DisplacementFieldTransform(sitk.Cast(sitk.ReadImage(str(tmp_path / "d.mha")), sitk.sitkVectorFloat64))
    for index in np.argwhere(np.ones(grid.shape, bool))[::7]:
        place = grid.to_world_mm(index)
        np.testing.assert_allclose(
            np.array(theirs.TransformPoint(place.tolist())) - place, field[tuple(index)], atol=1e-3
        )


def test_a_pictures_field_has_two_components(tmp_path):
    grid = Grid.of_pixels((1, 5, 6))
    write_displacement(np.ones((1, 5, 6, 3), np.float32), grid, tmp_path / "e.mha")
    image = sitk.ReadImage(str(tmp_path / "e.mha"))
    assert (image.GetDimension(), image.GetNumberOfComponentsPerPixel()) == (2, 2)


def test_what_is_no_matrix_or_no_field_of_the_grid_is_refused(tmp_path):
    with pytest.raises(InputError, match="matrix"):
        write_tfm(np.eye(3), tmp_path / "x.tfm")
    with pytest.raises(InputError, match="displacement"):
        write_displacement(np.zeros((2, 2, 2, 3)), Grid.of_pixels((1, 5, 6)), tmp_path / "x.mha")
    assert not list(tmp_path.iterdir())
