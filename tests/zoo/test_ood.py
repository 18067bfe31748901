"""Out-of-distribution scores against their formulas; far is stranger than near under every method."""

import numpy as np
import pytest

from isocenter.core.errors import PackageError
from isocenter.zoo.calibrate import probabilities
from isocenter.zoo.ood import check_ood, ood_score

RNG = np.random.default_rng(2)
FEATURES = RNG.normal(size=(6, 4))
LOGITS = RNG.normal(size=(6, 3))
OUTPUTS = {"logits": LOGITS, "features": FEATURES}


def test_mahalanobis_is_the_distance_under_the_inverse_covariance(make_card):
    spread = RNG.normal(size=(4, 4))
    precision = spread @ spread.T + np.eye(4)
    mean = RNG.normal(size=(3, 4))
    whitening = np.linalg.cholesky(precision).T
    table = {"method": "mahalanobis", "mean": mean, "whitening": whitening, "limit": 9.0}
    score, limit = ood_score(make_card(ood=table), OUTPUTS)
    expected = [min((f - m) @ precision @ (f - m) for m in mean) for f in FEATURES]
    np.testing.assert_allclose(score, expected)
    assert limit == 9.0


def test_normalised_features_do_not_feel_their_length(make_card):
    table = {"method": "mahalanobis", "mean": FEATURES[:2], "whitening": np.eye(4), "limit": 1.0, "normalise": True}
    card = make_card(ood=table)
    np.testing.assert_allclose(ood_score(card, OUTPUTS)[0], ood_score(card, {**OUTPUTS, "features": 7 * FEATURES})[0])


def test_nearest_is_one_minus_the_kth_cosine(make_card):
    bank = FEATURES / np.linalg.norm(FEATURES, axis=1, keepdims=True)
    table = {"method": "nearest", "bank": bank, "k": 2, "limit": 0.1}
    score, _ = ood_score(make_card(ood=table), OUTPUTS)
    cosines = np.sort(bank @ bank.T, axis=1)
    np.testing.assert_allclose(score, 1 - cosines[:, -2])
    np.testing.assert_allclose(ood_score(make_card(ood={**table, "k": 1}), OUTPUTS)[0], 0, atol=1e-12)


def test_methods_on_probabilities(make_card):
    p = probabilities(make_card(), OUTPUTS)
    classes = make_card(ood={"method": "classes", "classes": ["normal", "benign"], "limit": 0.4})
    np.testing.assert_allclose(ood_score(classes, OUTPUTS)[0], p[:, 0] + p[:, 2])
    top = make_card(ood={"method": "max-probability", "limit": 0.4})
    np.testing.assert_allclose(ood_score(top, OUTPUTS)[0], 1 - p.max(axis=1))
    energy = make_card(ood={"method": "energy", "limit": 0.4})
    np.testing.assert_allclose(ood_score(energy, OUTPUTS)[0], -np.log(np.exp(LOGITS).sum(axis=1)))


def test_any_answers_as_soon_as_one_part_does(make_card):
    parts = [{"method": "energy", "limit": -1.0, "scale": 2.0}, {"method": "max-probability", "limit": 0.4}]
    score, limit = ood_score(make_card(ood={"method": "any", "parts": parts}), OUTPUTS)
    singles = [ood_score(make_card(ood=part), OUTPUTS) for part in parts]
    expected = np.maximum((singles[0][0] + 1.0) / 2.0, singles[1][0] - 0.4)
    np.testing.assert_allclose(score, expected)
    assert limit == 0
    np.testing.assert_array_equal(score > limit, (singles[0][0] > -1.0) | (singles[1][0] > 0.4))


def test_no_method_never_abstains(make_card):
    for table in ({}, {"method": "none"}):
        score, limit = ood_score(make_card(ood=table), OUTPUTS)
        assert (score <= limit).all() and score.shape == (6,)


def test_unknown_tables_are_refused(make_card):
    with pytest.raises(PackageError):
        check_ood({"method": "vibes"}, ())
    with pytest.raises(PackageError):
        ood_score(make_card(ood={"method": "vibes", "limit": 1}), OUTPUTS)
    check_ood({}, ())
