import numpy as np
import pytest

from isocenter.imaging.register.levels import finest_level, take_samples
from isocenter.imaging.register.motion import Freedom, about, moved_points, rotation_matrix
from isocenter.imaging.register.refine import (
    Pair,
    bin_pair,
    correlation_at,
    information,
    refine_correlation,
    refine_information,
)

TRUTH = about(rotation_matrix(np.array((0.06, -0.04, 0.05))), np.zeros(3), np.array((3.0, -2, 2.5)))
FREE = Freedom("rigid", np.zeros(3), 40.0, np.eye(3)[:, ::-1])


def pair_of(fixed, moving):
    levels = finest_level(fixed), finest_level(moving)
    return Pair(levels[0], take_samples(levels[0], None, n_most=40_000), levels[1])


def error_mm(matrix, inside):
    return np.linalg.norm(moved_points(matrix, inside) - moved_points(TRUTH, inside), axis=1).mean()


def test_correlation_finds_the_motion_whatever_gain_and_offset(body, inside):
    fixed, moving = body(lambda p: moved_points(TRUTH, p)), body()
    fit = refine_correlation(pair_of(fixed, moving.with_array(moving.array * 3 + 40)), np.eye(4), FREE)
    assert error_mm(fit.matrix, inside) < 0.1
    assert fit.similarity > 0.99


def test_information_finds_the_motion_between_modalities(body, inside):
    fixed, moving = body(lambda p: moved_points(TRUTH, p)), body(other_modality=True)
    fit = refine_information(bin_pair(pair_of(fixed, moving)), np.eye(4), FREE)
    assert error_mm(fit.matrix, inside) < 0.4


def test_robust_weights_forget_what_is_new(body, inside):
    fixed, moving = body(lambda p: moved_points(TRUTH, p)), body()
    spoiled = fixed.array.copy()
    spoiled[14:24, 20:32, 14:20] = 400
    errors = [
        error_mm(
            refine_correlation(pair_of(fixed.with_array(spoiled), moving), np.eye(4), FREE, robust=r).matrix, inside
        )
        for r in (False, True)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_no_step_leads_away_from_the_best_place(body):
    pair = pair_of(body(), body(noise=5.0))
    fit = refine_correlation(pair, np.eye(4), FREE)
    assert fit.similarity >= correlation_at(pair, np.eye(4)).similarity


def test_information_of_known_tables():
    assert information(np.full((4, 4), 5.0)) == (pytest.approx(0, abs=1e-12), pytest.approx(1))
    assert information(np.eye(4)) == (pytest.approx(np.log(4)), pytest.approx(2))
    assert information(np.zeros((3, 3))) == (0.0, 1.0)
