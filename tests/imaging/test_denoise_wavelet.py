"""The undecimated wavelet transform's laws, and a gain over the noise."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging import denoise_wavelet as module
from isocenter.imaging.denoise_wavelet import denoise_wavelet


def test_the_filters_are_orthonormal_and_the_high_pass_ignores_ramps():
    low, high = module._LOW, module._HIGH
    assert abs(low.sum() - np.sqrt(2)) < 1e-12
    assert abs((low**2).sum() - 1) < 1e-12
    assert abs(low[:2] @ low[2:]) < 1e-12
    assert abs(low @ high) < 1e-12
    assert abs(high.sum()) < 1e-12
    assert abs(high @ np.arange(4)) < 1e-12


@pytest.mark.parametrize("shape", [(1, 40, 33), (9, 20, 17), (1, 1, 50)])
def test_without_shrinking_everything_comes_back(shape, monkeypatch):
    monkeypatch.setattr(module, "_shrink", lambda band, sigma: band)
    array = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_allclose(denoise_wavelet(array, sigma=1.0), array, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 96, 96), (16, 32, 32)])
def test_noise_goes(shape):
    j, i = np.mgrid[: shape[1], : shape[2]] / shape[1]
    truth = np.broadcast_to(np.where(np.hypot(j - 0.5, i - 0.5) < 0.3, 0.9, 0.2 * i), shape)
    noisy = truth + np.random.default_rng(1).normal(0, 0.1, shape)
    found = denoise_wavelet(noisy, sigma=0.1)
    assert np.square(found - truth).mean() < 0.25 * np.square(noisy - truth).mean()


def test_pure_noise_becomes_flat_and_short_axes_are_left_alone():
    noise = np.random.default_rng(2).normal(0, 1, (1, 128, 128))
    assert denoise_wavelet(noise, sigma=1.0).std() < 0.12
    tiny = np.arange(6.0).reshape(1, 2, 3)
    assert np.array_equal(denoise_wavelet(tiny, sigma=1.0), tiny)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="levels"):
        denoise_wavelet(np.zeros((1, 8, 8)), sigma=1, levels=0)
    with pytest.raises(InputError, match="slices"):
        denoise_wavelet(np.zeros((8, 8)), sigma=1)
