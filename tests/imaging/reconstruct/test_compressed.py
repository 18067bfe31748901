import numpy as np
import pytest

from isocenter.imaging.reconstruct.compressed import cs, reconstruct_with_prior
from isocenter.imaging.reconstruct.kspace import zero_filled


@pytest.fixture
def scattered():
    """A quarter of k-space, denser in the centre."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[-36:36, -32:32]
    mask = rng.random((72, 64)) < 0.12 + 0.8 * np.exp(-(x**2 + y**2) / 200)
    mask[26:46, 22:42] = True
    return mask


@pytest.mark.parametrize("known", [True, False])
def test_scattered_samples_gain_over_zero_filling(known, scattered, mr_scan, score):
    made = mr_scan(noise=0.01, known=known, mask=scattered)
    assert score(cs(made.scan, iterations=50), made.truth) > score(zero_filled(made.scan), made.truth) + 5


def test_a_larger_weight_leaves_fewer_details(scattered, mr_scan):
    made = mr_scan(noise=0.01, mask=scattered)
    fine, coarse = (cs(made.scan, weight=w, iterations=15) for w in (1e-4, 0.5))
    assert np.abs(np.diff(coarse)).sum() < 0.7 * np.abs(np.diff(fine)).sum()


def test_the_seed_decides_the_shifts(scattered, mr_scan):
    made = mr_scan(mask=scattered)
    one, again, other = (cs(made.scan, iterations=3, seed=s) for s in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)


def test_any_denoiser_is_a_prior(scattered, mr_scan, score):
    made = mr_scan(noise=0.003, mask=scattered)
    image = reconstruct_with_prior(made.scan, lambda x, strength: x, iterations=20)
    assert score(image, made.truth) > score(zero_filled(made.scan), made.truth)
