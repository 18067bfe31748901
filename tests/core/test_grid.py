import itertools

import numpy as np
import pytest

from isocenter.core.errors import GeometryError, UnknownSpacingError
from isocenter.core.grid import Grid, require_same_grid


def test_spacing_is_the_length_of_the_affine_columns():
    grid = Grid.of_spacing((4, 5, 6), (2.5, 0.7, 0.8))
    np.testing.assert_allclose(grid.spacing_mm, (2.5, 0.7, 0.8))
    assert grid.voxel_volume_ml == pytest.approx(2.5 * 0.7 * 0.8 / 1000)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", list(itertools.product((1, -1), repeat=3)))
def test_index_and_world_are_inverse_for_all_48_orientations(order, signs):
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3)[list(order)] * signs).T * (3.0, 0.5, 0.6)
    affine[:3, 3] = (10, -20, 30)
    grid = Grid((3, 4, 5), affine)
    index = np.array([[0, 0, 0], [2, 3, 4], [1.25, 0.5, 3]])
    np.testing.assert_allclose(grid.to_index(grid.to_world_mm(index)), index, atol=1e-9)


def test_a_sheared_voxel_has_the_volume_of_its_base_times_its_height():
    affine = np.diag([5.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]]
    affine[1, 0] = 5 * np.tan(np.deg2rad(14))  # gantry tilt: each slice shifted along y
    assert Grid((2, 2, 2), affine).voxel_volume_ml == pytest.approx(0.005)


def test_column_index_runs_along_the_third_affine_column():
    grid = Grid.of_spacing((2, 2, 2), (5, 1, 1), origin_mm=(1, 2, 3))
    np.testing.assert_allclose(grid.to_world_mm(np.array([0, 0, 1])), (2, 2, 3))
    np.testing.assert_allclose(grid.to_world_mm(np.array([1, 0, 0])), (1, 2, 8))


def test_millimetres_of_a_plain_picture_raise():
    grid = Grid.of_pixels((1, 10, 10))
    assert not grid.spacing_known
    with pytest.raises(UnknownSpacingError, match="pixel_size_mm"):
        _ = grid.spacing_mm


def test_a_vouched_pixel_size_replaces_the_unknown_one():
    grid = Grid.of_pixels((1, 10, 10)).with_spacing(0.2, 0.3)
    np.testing.assert_allclose(grid.spacing_mm[1:], (0.2, 0.3))
    assert grid.spacing_source == "context"
    with pytest.raises(GeometryError, match="positive"):
        grid.with_spacing(0, 1)


@pytest.mark.parametrize(
    "affine",
    [np.eye(3), np.zeros((4, 4)), np.full((4, 4), np.nan), np.eye(4) + np.eye(4)[::-1]],
    ids=["3x3", "flat", "nan", "last row"],
)
def test_a_degenerate_affine_is_refused(affine):
    with pytest.raises(GeometryError):
        Grid((1, 2, 3), affine)


def test_the_affine_cannot_be_written_through():
    given = np.eye(4)
    grid = Grid((1, 1, 1), given)
    given[0, 0] = 5
    assert grid.affine[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 0] = 2


def test_two_grids_half_a_millimetre_apart_are_not_one():
    grid = Grid.of_spacing((2, 2, 2), (1, 1, 1))
    require_same_grid(grid, Grid.of_spacing((2, 2, 2), (1, 1, 1), origin_mm=(0.005, 0, 0)))
    with pytest.raises(GeometryError, match=r"0\.50 mm"):
        require_same_grid(grid, Grid.of_spacing((2, 2, 2), (1, 1, 1), origin_mm=(0.5, 0, 0)))
