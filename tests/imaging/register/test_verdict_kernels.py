import numpy as np
import pytest

from isocenter.imaging.register.verdict_kernels import window_agreement

RNG = np.random.default_rng(0)
FIXED = RNG.random((12, 12, 12)).astype(np.float32)
MOVING = RNG.random((12, 12, 12)).astype(np.float32)
CENTRES = np.array(((6, 6, 6), (0, 0, 0), (5, 8, 3)))
REACH = np.array((2, 2, 2))
LIMITS = np.array((1e-6, 0.75))


def test_a_window_holds_the_squared_correlation():
    found = window_agreement(FIXED, CENTRES, REACH, MOVING, np.eye(4), LIMITS)
    windows = [x[4:9, 4:9, 4:9].ravel() for x in (FIXED, MOVING)]
    assert found[0] == pytest.approx(np.corrcoef(*windows)[0, 1] ** 2, abs=1e-6)
    corner = [x[:3, :3, :3].ravel() for x in (FIXED, MOVING)]
    assert found[1] == pytest.approx(np.corrcoef(*corner)[0, 1] ** 2, abs=1e-6)


def test_an_inverted_image_agrees_wholly_and_a_flat_one_not_at_all():
    np.testing.assert_allclose(window_agreement(FIXED, CENTRES, REACH, 2 - 3 * FIXED, np.eye(4), LIMITS), 1, atol=1e-5)
    assert (window_agreement(FIXED, CENTRES, REACH, np.ones_like(FIXED), np.eye(4), LIMITS) == 0).all()


def test_what_is_out_of_reach_or_unknown_is_marked():
    away = np.eye(4)
    away[2, 3] = 40
    assert (window_agreement(FIXED, CENTRES, REACH, MOVING, away, LIMITS) == -1).all()
    unknown = MOVING.copy()
    unknown[4:8, 4:8, 4:8] = np.nan
    assert window_agreement(FIXED, CENTRES, REACH, unknown, np.eye(4), LIMITS)[0] == -1
