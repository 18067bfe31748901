import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.evaluation.calibration import (
    brier_score,
    calibration_error,
    fit_temperature,
    fit_vector,
    negative_log_likelihood,
    reliability_curve,
    softmax,
)


def drawn(n=4000, sharpness=3.0, seed=0):
    """Logits that are `sharpness` times too sure, and truths drawn from the right probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n, 3))
    right = softmax(logits)
    truth = (rng.random((n, 1)) > right.cumsum(axis=1)).sum(axis=1)
    return logits * sharpness, truth


def test_temperature_finds_how_much_too_sure_the_logits_are():
    logits, truth = drawn()
    assert fit_temperature(logits, truth)["temperature"] == pytest.approx(3.0, rel=0.06)


def test_vector_scaling_finds_a_shifted_class():
    logits, truth = drawn(sharpness=1.0)
    found = fit_vector(logits - np.array([0, 0, 2.0]), truth, decay=1e-4)
    assert found["bias"][2] - found["bias"][0] == pytest.approx(2.0, abs=0.25)
    scaled = (logits - np.array([0, 0, 2.0])) * found["scale"] + found["bias"]
    assert negative_log_likelihood(scaled, truth) < negative_log_likelihood(logits - np.array([0, 0, 2.0]), truth)


def test_calibrating_lowers_the_calibration_error():
    logits, truth = drawn()
    cooled = logits / fit_temperature(logits, truth)["temperature"]
    assert calibration_error(truth, softmax(logits)) > 0.1
    assert calibration_error(truth, softmax(cooled)) < 0.03


def test_likelihood_and_brier_by_hand():
    assert negative_log_likelihood(np.zeros((2, 4)), np.array([0, 3])) == pytest.approx(np.log(4))
    assert brier_score(np.array([0, 1]), np.array([[1.0, 0.0], [0.5, 0.5]])) == pytest.approx(0.25)


def test_calibration_error_of_a_sure_and_wrong_answer_is_one():
    assert calibration_error(np.array([1, 1]), np.array([[1.0, 0.0], [1.0, 0.0]])) == 1.0


def test_reliability_curve_counts_every_case_once():
    logits, truth = drawn(n=501)
    curve = reliability_curve(truth, softmax(logits))
    assert curve.shape == (10, 3) and curve[:, 2].sum() == 501
    assert np.all(np.diff(curve[:, 0]) >= 0)


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(InputError, match="finite logits"):
        fit_temperature(np.array([[np.nan, 0.0]]), np.array([0]))
