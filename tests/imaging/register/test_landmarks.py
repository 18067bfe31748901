import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.register.landmarks import fiducial_errors_mm, fit_landmarks, fit_spline
from isocenter.imaging.register.motion import moved_points, rotation_matrix

POINTS = np.random.default_rng(3).uniform(-60, 60, (12, 3))


def motion(linear):
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = linear, (7, -4, 11)
    return matrix


@pytest.mark.parametrize(
    ("kind", "linear"),
    [
        ("rigid", rotation_matrix(np.array((0.4, -0.2, 0.9)))),
        ("similarity", 1.3 * rotation_matrix(np.array((-0.4, 0.5, 0.1)))),
        ("affine", np.array(((1.1, 0.1, 0), (0, 0.9, 0.2), (-0.1, 0, 1.05)))),
    ],
)
def test_exact_partners_give_the_exact_motion(kind, linear):
    truth = motion(linear)
    found = fit_landmarks(POINTS, moved_points(truth, POINTS), kind=kind)
    np.testing.assert_allclose(found, truth, atol=1e-9)
    assert fiducial_errors_mm(found, POINTS, moved_points(truth, POINTS)).max() < 1e-9


def test_a_rigid_fit_never_mirrors():
    found = fit_landmarks(POINTS, POINTS * (-1, 1, 1), kind="rigid")
    assert np.linalg.det(found[:3, :3]) == pytest.approx(1)


def test_errors_follow_the_formula_of_fitzpatrick():
    """FRE^2 = (1 - 2 / n) FLE^2 for rigid fits (Fitzpatrick 1998, equation 10)."""
    rng = np.random.default_rng(0)
    squares = []
    for _ in range(300):
        moving = POINTS + rng.normal(0, 1, POINTS.shape)
        squares.append((fiducial_errors_mm(fit_landmarks(POINTS, moving), POINTS, moving) ** 2).mean())
    assert np.mean(squares) == pytest.approx((1 - 2 / len(POINTS)) * 3, rel=0.05)


def test_a_spline_meets_its_points_and_leaves_an_affine_motion_straight():
    truth = motion(np.array(((1.1, 0.1, 0), (0, 0.9, 0.2), (-0.1, 0, 1.05))))
    spline = fit_spline(POINTS, moved_points(truth, POINTS))
    elsewhere = POINTS[::-1] * 0.7 + 3
    np.testing.assert_allclose(spline.move(elsewhere), moved_points(truth, elsewhere), atol=1e-7)
    bent = POINTS + 4 * np.sin(POINTS / 20)
    np.testing.assert_allclose(fit_spline(POINTS, bent).move(POINTS), bent, atol=1e-7)
    misses = [np.linalg.norm(fit_spline(POINTS, bent, stiffness=s).move(POINTS) - bent) for s in (0.0, 5.0, 50.0)]
    assert misses[0] < misses[1] < misses[2]


@pytest.mark.parametrize(
    ("points", "kind"),
    [(POINTS[:2], "rigid"), (np.outer(np.arange(5), (1.0, 2, 3)), "rigid"), (POINTS * (1, 1, 0), "affine"),
     (np.full((5, 3), np.nan), "rigid")],
)  # fmt: skip
def test_points_that_leave_the_motion_open_are_refused(points, kind):
    with pytest.raises(InputError, match="landmarks"):
        fit_landmarks(points, points, kind=kind)


def test_a_spline_refuses_a_plane_and_twins():
    with pytest.raises(InputError, match="plane"):
        fit_spline(POINTS * (1, 1, 0), POINTS)
    with pytest.raises(InputError, match="one place"):
        fit_spline(np.vstack((POINTS, POINTS[:1])), np.vstack((POINTS, POINTS[:1])))
