import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.register.motion import Freedom, about, moved_points, rotation_matrix

CENTRE = np.array((5.0, -3.0, 8.0))


def freedom(kind, in_plane=False):
    return Freedom(kind, CENTRE, 50.0, np.eye(3)[:, ::-1], in_plane)


@pytest.mark.parametrize(
    ("kind", "in_plane", "count"),
    [("rigid", False, 6), ("similarity", False, 7), ("affine", False, 12), ("rigid", True, 3), ("similarity", True, 4),
     ("affine", True, 6)],
)  # fmt: skip
def test_each_kind_has_its_number_of_steps(kind, in_plane, count):
    assert len(freedom(kind, in_plane).generators) == count


def test_a_rigid_step_keeps_every_distance():
    rng = np.random.default_rng(0)
    points = rng.normal(0, 40, (20, 3))
    moved = moved_points(freedom("rigid").step(rng.normal(0, 20, 6)), points)
    gaps = [np.linalg.norm(p[:, None] - p, axis=-1) for p in (points, moved)]
    np.testing.assert_allclose(gaps[0], gaps[1], atol=1e-9)


def test_a_similarity_step_keeps_every_ratio():
    points = np.random.default_rng(0).normal(0, 40, (20, 3))
    moved = moved_points(freedom("similarity").step(np.array((1, 2, 3, 10, -5, 4, 8.0))), points)
    ratio = np.linalg.norm(moved[1:] - moved[0], axis=1) / np.linalg.norm(points[1:] - points[0], axis=1)
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)
    assert ratio[0] == pytest.approx(np.exp(8.0 / 50))


@pytest.mark.parametrize("kind", ["rigid", "similarity", "affine"])
@pytest.mark.parametrize("in_plane", [False, True])
def test_generators_are_the_slopes_of_small_steps(kind, in_plane):
    free = freedom(kind, in_plane)
    for number, generator in enumerate(free.generators):
        amounts = np.zeros(len(free.generators))
        amounts[number] = 1e-5
        np.testing.assert_allclose((free.step(amounts) - np.eye(4)) / 1e-5, generator, atol=1e-4)


def test_a_unit_step_moves_the_rim_by_a_millimetre_and_turns_about_the_centre():
    free = freedom("rigid")
    turn = np.zeros(6)
    turn[5] = 1.0
    np.testing.assert_allclose(moved_points(free.step(turn), CENTRE), CENTRE, atol=1e-9)
    rim = CENTRE + 50 * np.eye(3)
    assert np.linalg.norm(moved_points(free.step(turn), rim) - rim, axis=1).max() == pytest.approx(1.0, abs=1e-3)


def test_in_plane_steps_leave_the_normal_alone():
    free = freedom("affine", in_plane=True)
    moved = moved_points(free.step(np.array((3.0, -2, 5, 4, -6, 2))), np.array(((0.0, 0, 0), (0, 0, 9))))
    np.testing.assert_allclose(moved[1] - moved[0], (0, 0, 9), atol=1e-12)
    assert moved[0, 2] == pytest.approx(0)


def test_rotations_are_proper_and_about_brings_the_point_home():
    turn = rotation_matrix(np.array((0.3, -0.8, 0.5)))
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)
    np.testing.assert_allclose(moved_points(about(turn, CENTRE, CENTRE + 1), CENTRE), CENTRE + 1)


def test_another_kind_is_refused():
    with pytest.raises(InputError, match="rigid, similarity, affine"):
        freedom("bendy")
