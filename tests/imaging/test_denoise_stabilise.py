"""Bent values have deviation 1, and the way back has no bias: both by drawing many samples."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.denoise_stabilise import denoise_stabilised
from isocenter.imaging.noise import NoiseModel

SIGNALS = np.array([0.0, 0.1, 0.3, 0.6, 1.0])


def drawn(kind: str, level: float, n: int = 40_000) -> np.ndarray:
    """(1, signals, n) noisy samples."""
    rng = np.random.default_rng(0)
    clean = np.repeat(SIGNALS[:, None], n, axis=1)[None]
    if kind == "gaussian":
        return clean + rng.normal(0, level, clean.shape)
    if kind == "poisson":
        return rng.poisson(clean / level) * level
    if kind == "rician":
        return np.hypot(clean + rng.normal(0, level, clean.shape), rng.normal(0, level, clean.shape))
    return clean * (1 + rng.normal(0, level, clean.shape))


def mean_of_rows(bent: np.ndarray) -> np.ndarray:
    """The best denoiser there can be: each signal's samples become their mean."""
    return np.broadcast_to(bent.mean(axis=2, keepdims=True), bent.shape)


CASES = [("gaussian", 0.1), ("poisson", 0.05), ("poisson", 0.3), ("rician", 0.05), ("rician", 0.3), ("speckle", 0.1)]


@pytest.mark.parametrize(("kind", "level"), CASES)
def test_the_way_there_and_back_has_no_bias(kind: str, level: float):
    noisy = drawn(kind, level)
    back = denoise_stabilised(noisy, NoiseModel(kind, level), mean_of_rows)[0, :, 0]
    # Rician: at 0 the mean is flat, so that a small error of the mean is a large one of the signal.
    np.testing.assert_allclose(back[1:], SIGNALS[1:], atol=0.02)
    assert abs(back[0]) < (0.1 if kind == "rician" else 0.02)


@pytest.mark.parametrize(("kind", "level"), [case for case in CASES if case != ("poisson", 0.3)])
def test_bent_noise_has_deviation_1_where_there_is_signal(kind: str, level: float):
    seen = []
    denoise_stabilised(drawn(kind, level), NoiseModel(kind, level), lambda bent: seen.append(bent) or bent)
    deviation = seen[0].std(axis=2)[0]
    assert np.abs(deviation[2:] - 1).max() < 0.12


def test_values_cut_off_at_0_come_back_without_the_bias_of_the_cut():
    noisy = np.maximum(drawn("gaussian", 0.2), 0)
    assert noisy.mean(axis=2)[0, 0] > 0.07
    back = denoise_stabilised(noisy, NoiseModel("gaussian", 0.2, low=0.0), mean_of_rows)[0, :, 0]
    np.testing.assert_allclose(back, SIGNALS, atol=0.015)


def test_no_noise_or_no_contrast_changes_nothing():
    array = np.linspace(0, 1, 60).reshape(3, 4, 5)
    assert np.allclose(denoise_stabilised(array, NoiseModel("rician", 0.0), np.zeros_like), array)
    flat = np.full((1, 4, 4), 2.0)
    assert np.array_equal(denoise_stabilised(flat, NoiseModel("gaussian", 1.0), np.zeros_like), flat)


def test_noise_that_leaves_no_signal_is_refused():
    values = np.random.default_rng(0).uniform(100, 200, (1, 16, 16))
    with pytest.raises(InputError, match="leaves a signal"):
        denoise_stabilised(values, NoiseModel("gaussian", 1e12), lambda array: array)


@pytest.mark.parametrize("kind", ["poisson", "rician", "speckle"])
def test_noise_of_counts_and_magnitudes_is_not_looked_for_below_zero(kind: str):
    below = np.random.default_rng(0).normal(-100, 10, (4, 16, 16))
    with pytest.raises(InputError, match="--noise gaussian"):
        denoise_stabilised(below, NoiseModel(kind, 0.1), mean_of_rows)
