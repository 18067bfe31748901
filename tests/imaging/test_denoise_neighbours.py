"""Weighted means of neighbours against scikit-image's, and their laws."""

import numpy as np
import pytest
from skimage import restoration

from isocenter.core.errors import InputError
from isocenter.imaging.denoise_neighbours import denoise_bilateral, denoise_nlm


def steps(shape=(1, 64, 64)) -> np.ndarray:
    image = np.full(shape, 0.2)
    image[..., : shape[-1] // 2] = 0.8
    return image


def error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.sqrt(np.square(found - truth).mean()))


@pytest.mark.parametrize("shape", [(1, 64, 64), (12, 24, 24)])
@pytest.mark.parametrize("denoise", [denoise_nlm, denoise_bilateral])
def test_noise_goes_and_the_edge_stays(denoise, shape):
    truth = steps(shape)
    noisy = truth + np.random.default_rng(0).normal(0, 0.05, shape)
    found = denoise(noisy, sigma=0.05)
    assert error(found, truth) < 0.5 * error(noisy, truth)
    middle = shape[-1] // 2
    assert (found[..., middle - 1] - found[..., middle]).mean() > 0.57


def test_non_local_means_is_as_good_as_scikit_images():
    truth = steps()
    noisy = truth + np.random.default_rng(1).normal(0, 0.1, truth.shape)
    peer = restoration.denoise_nl_means(noisy[0], sigma=0.1, h=0.08, patch_size=5, patch_distance=10)
    assert error(denoise_nlm(noisy, sigma=0.1), truth) < 1.2 * error(peer[None], truth)


def test_a_bilateral_filter_of_one_pair_is_the_formula():
    values = np.array([[[0.0, 1.0]]])
    weight = np.exp(-1 / (2 * 9) - 1 / (2 * 1.8**2))
    found = denoise_bilateral(values, sigma=1.0)
    np.testing.assert_allclose(found[0, 0], [weight / (1 + weight), 1 / (1 + weight)], rtol=1e-5)


def test_constants_stay_and_the_unit_does_not_matter():
    noisy = steps((1, 20, 20)) + np.random.default_rng(2).normal(0, 0.1, (1, 20, 20))
    for denoise in (denoise_nlm, denoise_bilateral):
        np.testing.assert_allclose(denoise(np.full((3, 9, 9), 4.0), sigma=1.0), 4.0, rtol=1e-6)
        np.testing.assert_allclose(denoise(noisy * 1000, sigma=100) / 1000, denoise(noisy, sigma=0.1), atol=1e-5)
        np.testing.assert_allclose(denoise(noisy, sigma=0), noisy, atol=1e-7)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="search"):
        denoise_nlm(steps(), sigma=1, search=0)
    with pytest.raises(InputError, match="radius"):
        denoise_bilateral(steps(), sigma=1, radius_px=0)
    with pytest.raises(InputError, match="slices"):
        denoise_nlm(steps()[0], sigma=1)


def test_a_reach_beyond_all_use_is_refused():
    with pytest.raises(InputError, match="up to 50"):
        denoise_bilateral(steps(), sigma=0.1, radius_px=1e6)
    with pytest.raises(InputError, match="1 to 50"):
        denoise_nlm(steps(), sigma=0.1, search=10**6)
