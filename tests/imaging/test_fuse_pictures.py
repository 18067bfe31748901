import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.fuse_pictures import (
    blend,
    checkerboard,
    checkerboard_sheet,
    cut_plane,
    fit_picture,
    hot_metal,
    over_gray,
    red_cyan,
)

ONE = np.full((64, 48), 10, np.uint8)
OTHER = np.full((64, 48), 200, np.uint8)


def test_tiles_alternate():
    tiles = checkerboard(ONE, OTHER, n_tiles=8)
    assert (tiles[:8, :8] == 10).all()
    assert (tiles[:8, 8:16] == 200).all()
    assert (tiles[8:16, :8] == 200).all()
    assert 0.4 < (tiles == 10).mean() < 0.6


def test_red_and_cyan_are_gray_where_both_agree():
    picture = red_cyan(OTHER, ONE)
    assert picture[0, 0].tolist() == [200, 10, 10]
    assert (red_cyan(ONE, ONE) == 10).all()


def test_hot_metal_runs_from_black_over_red_to_white():
    colours = hot_metal(np.array([[0, 1 / 3, 2 / 3, 1, np.nan]]))
    assert colours[0].tolist() == [[0, 0, 0], [255, 0, 0], [255, 255, 0], [255, 255, 255], [0, 0, 0]]
    brightness = hot_metal(np.linspace(0, 1, 99)[None]).sum(-1)[0].astype(int)
    assert (np.diff(brightness) >= 0).all()


def test_cold_places_stay_gray():
    heat = np.zeros((64, 48))
    heat[3, 4] = 1
    picture = over_gray(OTHER, heat)
    assert (picture[0, 0] == 200).all()
    assert picture[3, 4, 0] > picture[3, 4, 2] or picture[3, 4].min() > 200


def test_a_blend_lies_between():
    assert (blend(ONE, OTHER, share=0.25) == 58).all()
    with pytest.raises(InputError, match="share"):
        blend(ONE, OTHER, share=2)


def test_a_plane_has_square_pixels_and_the_head_up():
    grid = Grid.of_spacing((5, 40, 30), (8.0, 2.0, 2.0))
    array = np.zeros(grid.shape, np.float32)
    array[4] = 100
    assert cut_plane(array, grid, "axial").shape == (40, 30)
    coronal = cut_plane(array, grid, "coronal")
    assert coronal.shape == (20, 30)
    assert coronal[0].mean() > 90 > coronal[-1].mean()
    with pytest.raises(InputError, match="axial, coronal, sagittal"):
        cut_plane(array, grid, "oblique")


def test_a_sheet_shows_three_planes_of_a_volume_and_one_of_a_picture():
    grid = Grid.of_spacing((10, 40, 30), (2.0, 2.0, 2.0))
    volume = Volume(np.random.default_rng(0).random(grid.shape).astype(np.float32), grid)
    assert checkerboard_sheet(volume, volume).shape[2] == 3
    picture = Volume(volume.array[:1], Grid.of_pixels((1, 40, 30)))
    assert checkerboard_sheet(picture, picture).shape == (40, 30, 3)


def test_a_long_picture_is_shrunk_and_a_short_one_left():
    assert fit_picture(np.zeros((1000, 3), np.uint8), 100).shape == (100, 1)
    assert fit_picture(ONE, 100) is ONE


def test_other_shapes_are_refused():
    for make in (checkerboard, red_cyan, blend):
        with pytest.raises(InputError, match="one shape"):
            make(ONE, OTHER[1:])
