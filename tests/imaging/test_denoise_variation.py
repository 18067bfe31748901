"""Total variation against scikit-image and a closed form; diffusion against its laws."""

import numpy as np
import pytest
from skimage import restoration

from isocenter.core.errors import InputError
from isocenter.imaging.denoise_variation import adjoint, denoise_anisotropic, denoise_tv, gradient


def noisy_steps(shape=(1, 48, 48), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    truth = np.full(shape, 0.2)
    truth[..., : shape[-1] // 2] = 0.8
    return truth, truth + np.random.default_rng(seed).normal(0, 0.1, shape)


def energy(found: np.ndarray, noisy: np.ndarray, weight: float) -> float:
    scales = [(axis, np.float32(1)) for axis in range(3) if found.shape[axis] > 1]
    variation = np.sqrt(np.square(gradient(found, scales)).sum(axis=0)).sum()
    return float(0.5 * np.square(found - noisy).sum() + weight * variation)


def test_its_energy_is_no_higher_than_that_of_scikit_images_solution():
    _, noisy = noisy_steps()
    ours = denoise_tv(noisy, sigma=0.1, weight=1.0)
    peer = restoration.denoise_tv_chambolle(noisy[0], weight=0.1, eps=1e-8, max_num_iter=2000)[None]
    assert energy(ours, noisy, 0.1) < energy(peer, noisy, 0.1) * 1.002


def test_a_step_is_lowered_as_the_closed_form_says():
    # Of one row with a step, both halves move towards each other by weight over their length.
    array = np.zeros((1, 1, 20))
    array[..., 10:] = 1.0
    found = denoise_tv(array, sigma=1.0, weight=1.0)[0, 0]
    np.testing.assert_allclose(found, np.where(np.arange(20) < 10, 0.1, 0.9), atol=2e-3)


def test_gradient_and_adjoint_are_adjoint():
    rng = np.random.default_rng(1)
    scales = [(0, np.float32(0.5)), (1, np.float32(1)), (2, np.float32(1))]
    values, field = rng.normal(size=(4, 5, 6)).astype(np.float32), rng.normal(size=(3, 4, 5, 6)).astype(np.float32)
    assert abs(float((gradient(values, scales) * field).sum()) - float((values * adjoint(field, scales)).sum())) < 1e-3


@pytest.mark.parametrize("denoise", [denoise_tv, denoise_anisotropic])
@pytest.mark.parametrize("shape", [(1, 48, 48), (10, 24, 24)])
def test_noise_goes_the_edge_and_the_mean_stay(denoise, shape):
    truth, noisy = noisy_steps(shape)
    found = denoise(noisy, sigma=0.1)
    assert np.square(found - truth).mean() < 0.25 * np.square(noisy - truth).mean()
    assert abs(found.mean() - noisy.mean()) < 1e-4
    middle = shape[-1] // 2
    assert (found[..., middle - 1] - found[..., middle]).mean() > 0.3


def test_diffusion_stops_when_the_noise_is_taken_away():
    _, noisy = noisy_steps((1, 64, 64))
    taken = (noisy - denoise_anisotropic(noisy, sigma=0.1)).std()
    assert 0.09 < taken < 0.105


def test_thick_slices_hold_on_to_their_own_values():
    array = np.zeros((5, 16, 16))
    array[2] = 1.0
    thick = denoise_tv(array, sigma=0.5, weight=1.0, spacing_mm=(20, 1, 1))
    cubic = denoise_tv(array, sigma=0.5, weight=1.0, spacing_mm=(1, 1, 1))
    assert thick[2].mean() > cubic[2].mean() + 0.3


def test_what_makes_no_sense_is_refused_and_no_noise_changes_nothing():
    array = np.random.default_rng(2).normal(size=(2, 5, 5))
    for denoise in (denoise_tv, denoise_anisotropic):
        np.testing.assert_allclose(denoise(array, sigma=0), array, atol=1e-6)
        assert denoise(array[:1, :1, :1], sigma=1).shape == (1, 1, 1)
        with pytest.raises(InputError, match="spacing"):
            denoise(array, sigma=1, spacing_mm=(0, 1, 1))
    with pytest.raises(InputError, match="weight"):
        denoise_tv(array, sigma=1, weight=0)
    with pytest.raises(InputError, match="edge"):
        denoise_anisotropic(array, sigma=1, edge=0)
