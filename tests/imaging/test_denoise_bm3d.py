"""BM3D: better than scikit-image's defaults in pictures and volumes, whatever the unit or the number of cores."""

import numpy as np
import pytest
from skimage import restoration

from isocenter.imaging import denoise_bm3d as module
from isocenter.imaging.denoise_bm3d import denoise_bm3d


def scene(size: int = 96) -> np.ndarray:
    """Discs and stripes, 0 to 1, (1, size, size)."""
    j, i = np.mgrid[:size, :size] / size
    image = 0.3 + 0.2 * np.sin(40 * i) * (j > 0.6)
    for value, y, x, radius in ((0.9, 0.3, 0.3, 0.17), (0.1, 0.3, 0.7, 0.15)):
        image = np.where(np.hypot(j - y, i - x) < radius, value, image)
    return image[None]


def balls(size: int = 32) -> np.ndarray:
    k, j, i = np.mgrid[:size, :size, :size] / size
    ball = np.sqrt((k - 0.5) ** 2 + (j - 0.4) ** 2 + (i - 0.45) ** 2)
    return np.where(ball < 0.3, 0.8, 0.2) + 0.1 * (np.hypot(j - 0.8, i - 0.8) < 0.1)


def gain_db(noisy: np.ndarray, found: np.ndarray, truth: np.ndarray) -> float:
    return float(10 * np.log10(np.square(noisy - truth).mean() / np.square(found - truth).mean()))


@pytest.mark.parametrize(("make", "sigma"), [(scene, 0.05), (scene, 0.15), (balls, 0.1)])
def test_it_beats_scikit_images_non_local_means_and_total_variation(make, sigma: float):
    truth = make()
    noisy = truth + np.random.default_rng(0).normal(0, sigma, truth.shape)
    ours = gain_db(noisy, denoise_bm3d(noisy, sigma=sigma), truth)
    squeezed = np.squeeze(noisy)
    peers = (
        restoration.denoise_nl_means(squeezed, sigma=sigma, h=0.8 * sigma, patch_size=5, patch_distance=5),
        restoration.denoise_tv_chambolle(squeezed),
    )
    assert ours > max(gain_db(noisy, peer.reshape(truth.shape), truth) for peer in peers) + 0.5


def test_the_unit_does_not_matter():
    noisy = scene(64) + np.random.default_rng(1).normal(0, 0.1, (1, 64, 64))
    small = denoise_bm3d(noisy, sigma=0.1)
    large = denoise_bm3d(noisy * 4000 - 1000, sigma=400)
    np.testing.assert_allclose((large + 1000) / 4000, small, atol=1e-3)


def test_any_number_of_threads_gives_the_same(monkeypatch):
    noisy = scene(128) + np.random.default_rng(2).normal(0, 0.1, (1, 128, 128))
    many = denoise_bm3d(noisy, sigma=0.1)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 1)
    assert np.array_equal(denoise_bm3d(noisy, sigma=0.1), many)


def test_constant_places_stay_covered_and_no_noise_changes_nothing():
    flat = np.full((1, 40, 40), 5.0)
    np.testing.assert_allclose(denoise_bm3d(flat, sigma=1.0), flat, atol=1e-5)
    array = scene(20)
    np.testing.assert_allclose(denoise_bm3d(array, sigma=0), array, atol=1e-7)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 3, 50), (2, 9, 9), (5, 6, 7), (30, 4, 4)])
def test_small_and_thin_arrays_are_denoised_too(shape):
    noisy = np.random.default_rng(3).normal(0, 1, shape)
    found = denoise_bm3d(noisy, sigma=1.0)
    assert found.shape == shape
    assert np.isfinite(found).all()
    assert found.std() <= noisy.std() + 1e-6


def test_slices_of_twenty_to_one_get_flat_patches():
    assert module._fit_geometry((10, 64, 64), (10.0, 0.5, 0.5))[1][0] == (1, 8, 8)
    assert module._fit_geometry((10, 64, 64), (1.0, 1.0, 1.0))[1][0] == (4, 4, 4)
    assert module._fit_geometry((1, 64, 64), None)[1][0] == (1, 8, 8)


def test_the_mean_comes_from_the_coarse_scale_and_fine_detail_does_not():
    share = module._low_share((1, 32, 40), (1, 2))
    assert share[0, 0, 0] == 1
    np.testing.assert_allclose(share[0, 8, 0], 0.5, atol=1e-6)
    assert share[0, 16:, :].max() < 1e-6
    assert share[0, :, 20:].max() < 1e-6


def test_the_transforms_are_orthonormal():
    for matrix in (module._cosines(5), module._cosines(8), module._haar(8), module._haar(5)):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-6)
    for order in range(5):
        stack = module._stacks(16)[order, : 2**order, : 2**order]
        np.testing.assert_allclose(stack @ stack.T, np.eye(2**order), atol=1e-6)
