import numpy as np
import pytest

from isocenter.imaging.register.levels import finest_level
from isocenter.imaging.register.motion import Freedom, about, moved_points, rotation_matrix
from isocenter.imaging.register.starts import build_scene, distance_mm, far_starts, near_starts, wide_search


@pytest.fixture
def scene(body):
    return build_scene(finest_level(body()), finest_level(body()))


def freedom(scene, in_plane=False):
    return Freedom("rigid", scene.fixed.centre_mm, 40.0, np.eye(3)[:, ::-1], in_plane)


def test_overlap_is_a_share_of_the_smaller_body(scene):
    assert scene.overlap(np.eye(4)) == 1
    away = np.eye(4)
    away[0, 3] = 500
    assert scene.overlap(away) == 0


def test_distance_is_in_millimetres(scene):
    away = np.eye(4)
    away[:3, 3] = (3, 4, 12)
    assert distance_mm(scene, np.eye(4), away) == pytest.approx(13)


def test_a_far_turn_and_shift_is_reached(body, inside):
    truth = about(rotation_matrix(np.deg2rad((20.0, -28.0, 31.0))), np.zeros(3), np.array((60.0, -45, 38)))
    moving = body(shape=(56, 64, 60))
    fixed = body(lambda p: moved_points(about(truth[:3, :3], np.zeros(3), np.zeros(3)), p))
    away = np.eye(4)
    away[:3, 3] = truth[:3, 3]
    from dataclasses import replace

    moving = replace(moving, grid=replace(moving.grid, affine=away @ moving.grid.affine))
    scene = build_scene(finest_level(fixed), finest_level(moving))
    free = freedom(scene)
    starts = far_starts(scene, np.eye(4), free, all_round=False)
    best = wide_search(scene, free, starts)[0]
    off = np.linalg.norm(moved_points(best.matrix, inside) - moved_points(truth, inside), axis=1)
    assert off.mean() < 4


def test_near_starts_begin_with_what_the_headers_say(scene):
    home = np.eye(4)
    home[0, 3] = 4
    np.testing.assert_array_equal(near_starts(scene, home)[0], home)
    assert len(near_starts(scene, home)) == 3


def test_a_picture_is_turned_all_round(scene):
    turns = {
        round(float(np.arctan2(m[1, 0], m[0, 0])), 3)
        for m in far_starts(scene, np.eye(4), freedom(scene, True), all_round=True)
    }
    assert len(turns) == 18
