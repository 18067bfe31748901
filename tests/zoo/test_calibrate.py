"""Calibration in closed form."""

import numpy as np
import pytest

from isocenter.core.errors import InputError, PackageError
from isocenter.zoo.calibrate import calibrated_logits, is_positive, operating_point, probabilities

LOGITS = np.random.default_rng(0).normal(size=(5, 3)) * 4


def softmax(x):
    e = np.exp(x)
    return e / e.sum(axis=1, keepdims=True)


def test_without_calibration_it_is_the_softmax(make_card):
    for table in ({}, {"method": "none"}):
        p = probabilities(make_card(calibration=table), {"logits": LOGITS})
        np.testing.assert_allclose(p, softmax(LOGITS))


def test_temperature_and_vector(make_card):
    hot = probabilities(make_card(calibration={"method": "temperature", "temperature": 2.5}), {"logits": LOGITS})
    np.testing.assert_allclose(hot, softmax(LOGITS / 2.5))
    table = {"method": "vector", "scale": [0.5, 1.0, 2.0], "bias": [0.1, -0.2, 0.3]}
    np.testing.assert_allclose(
        probabilities(make_card(calibration=table), {"logits": LOGITS}),
        softmax(LOGITS * [0.5, 1.0, 2.0] + [0.1, -0.2, 0.3]),
    )


def test_label_maps_sum_to_one_at_every_pixel(make_card):
    maps = np.random.default_rng(1).normal(size=(2, 3, 4, 5))
    table = {"method": "vector", "scale": [1.0, 2.0, 3.0], "bias": [0.0, 1.0, 2.0]}
    p = probabilities(make_card(calibration=table), {"logits": maps})
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(p[:, :, 1, 2], softmax(maps[:, :, 1, 2] * [1, 2, 3] + [0, 1, 2]))


def test_one_channel_is_a_sigmoid_that_never_overflows(make_card):
    p = probabilities(make_card(calibration={}), {"logits": np.array([[-1e4], [0.0], [1e4]])})
    np.testing.assert_array_equal(p[:, 0], [0, 0.5, 1])


def test_large_logits_do_not_overflow(make_card):
    assert np.isfinite(probabilities(make_card(), {"logits": np.array([[1e5, -1e5, 0.0]])})).all()


def test_operating_points(card):
    point = operating_point(card, "screen")
    p = np.array([[0.7, 0.2, 0.1], [0.9, 0.1, 0.0]])
    assert is_positive(card, point, p).tolist() == [True, False]
    with pytest.raises(InputError, match="screen"):
        operating_point(card, "other")


def test_what_is_missing_or_unknown_is_named(card):
    with pytest.raises(PackageError, match="logits"):
        probabilities(card, {"features": LOGITS})
    with pytest.raises(PackageError, match="calibration"):
        calibrated_logits({"method": "isotonic"}, LOGITS)
