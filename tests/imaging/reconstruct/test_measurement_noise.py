import numpy as np
import pytest

from isocenter.imaging.reconstruct.measurement_noise import (
    estimate_kspace_noise,
    estimate_noise,
    is_noise_bound,
    spectrum_of_image,
)


@pytest.mark.parametrize("noise", [0.06, 0.2])
def test_the_noise_of_a_sinogram_is_found(noise, ct_scan):
    made = ct_scan(60, noise=noise)
    assert estimate_noise(made.scan.sinogram) == pytest.approx(made.noise, rel=0.35)


def test_noise_that_grows_with_the_signal_is_averaged_in_power():
    level = np.tile(np.linspace(100, 10_000, 400), (200, 1))
    counts = np.random.default_rng(0).poisson(level)
    assert estimate_noise(counts) == pytest.approx(np.sqrt(level.mean()), rel=0.05)


def test_a_detector_of_four_bins_says_nothing_of_noise():
    assert estimate_noise(np.ones((3, 4))) == 0.0


@pytest.mark.parametrize("noise", [0.005, 0.03])
def test_the_noise_of_kspace_is_found(noise, mr_scan):
    made = mr_scan(noise=noise)
    assert estimate_kspace_noise(made.scan.kspace, made.scan.mask) == pytest.approx(noise, rel=0.3)


def test_one_coil_or_few_lines_only_bound_the_noise(mr_scan):
    made = mr_scan()
    comb = np.zeros_like(made.scan.mask)
    comb[:, 2::3] = True
    assert not is_noise_bound(made.kspace, made.scan.mask)
    assert is_noise_bound(made.kspace[:1], made.scan.mask)
    assert is_noise_bound(made.kspace, comb)
    assert estimate_kspace_noise(made.kspace * comb, comb) > 0.005


def test_noise_alone_has_a_flat_spectrum_and_the_head_a_falling_one(mr_scan):
    made = mr_scan(noise=0.001)
    spectrum = spectrum_of_image(made.scan.kspace, made.scan.mask, 0.001)
    assert spectrum[36, 32] > 100 * spectrum[36, 50] > 1000 * spectrum[0, 0] / 100
    assert (spectrum > 0).all()
