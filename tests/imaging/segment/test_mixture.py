"""Mixtures against scikit-learn and known truth; the field keeps what it is sure of and smooths what it is not."""

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from isocenter.imaging.segment.mixture import fit_mixture, log_likelihood, smooth_beliefs, smooth_field


def test_a_mixture_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 2, 6000), rng.normal(8, 1, 2000), rng.normal(20, 4, 4000)])
    weights, means, widths = fit_mixture(values, 3)
    peer = GaussianMixture(3, random_state=0, n_init=2, tol=1e-6, max_iter=500).fit(values[:, None])
    order = np.argsort(peer.means_[:, 0])
    np.testing.assert_allclose(means, peer.means_[order, 0], atol=0.02)
    np.testing.assert_allclose(widths, np.sqrt(peer.covariances_[order, 0, 0]), atol=0.02)
    np.testing.assert_allclose(weights, peer.weights_[order], atol=0.005)


def test_classes_without_spread_keep_a_floor():
    weights, means, widths = fit_mixture(np.repeat([1.0, 5.0], 50), 2)
    assert means.tolist() == pytest.approx([1, 5]) and weights.tolist() == pytest.approx([0.5, 0.5])
    assert (widths > 0).all()


def test_log_likelihood_is_that_of_a_normal_density():
    from scipy.stats import norm

    x = np.linspace(-3, 3, 7)
    ours = log_likelihood(x, np.array([0.25]), np.array([1.0]), np.array([2.0]))[:, 0]
    np.testing.assert_allclose(ours, np.log(0.25) + norm.logpdf(x, 1, 2) + 0.5 * np.log(2 * np.pi), atol=1e-5)


def test_without_pull_a_field_is_its_likelihood():
    scores = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype(np.float32)
    inside = np.ones((2, 5, 6), dtype=bool)
    beliefs = smooth_field(scores, inside, np.zeros(3))
    np.testing.assert_allclose(beliefs, np.exp(scores) / np.exp(scores).sum(-1, keepdims=True), atol=1e-5)


def test_a_lone_voxel_joins_its_neighbours_and_none_outside_the_mask_pulls():
    scores = np.zeros((3, 9, 9, 2), dtype=np.float32)
    scores[..., 0] = 2
    scores[1, 4, 4] = (0, 1)
    inside = np.ones((3, 9, 9), dtype=bool)
    assert smooth_field(scores, inside, np.ones(3))[1, 4, 4].argmax() == 0
    alone = np.zeros_like(inside)
    alone[1, 4, 4] = True
    assert smooth_field(scores, alone, np.ones(3))[1, 4, 4].argmax() == 1


def test_smoothing_finds_the_true_means_again():
    rng = np.random.default_rng(0)
    truth = np.zeros((4, 40, 40))
    truth[:, :, 20:] = 10
    array = (truth + rng.normal(0, 6, truth.shape)).astype(np.float32)
    inside = np.ones(truth.shape, dtype=bool)
    beliefs = smooth_beliefs(array, inside, fit_mixture(array.ravel().astype(float), 2), np.ones(3))
    assert ((beliefs.argmax(-1) == 1) == (truth > 0)).mean() > 0.97
