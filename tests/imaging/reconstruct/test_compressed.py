import numpy as np
import pytest

from isocenter.imaging.reconstruct.compressed import cs, reconstruct_with_prior
from isocenter.imaging.reconstruct.kspace import zero_filled
from isocenter.imaging.reconstruct.operators_mri import to_kspace
from isocenter.imaging.reconstruct.scans import KspaceScan


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
    assert score(cs(made.scan), made.truth) > score(zero_filled(made.scan), made.truth) + 8


def test_a_larger_weight_leaves_fewer_details(scattered, mr_scan):
    made = mr_scan(noise=0.01, mask=scattered)
    fine, coarse = (cs(made.scan, weight=w) for w in (1e-2, 10.0))
    assert np.abs(np.diff(coarse)).sum() < 0.7 * np.abs(np.diff(fine)).sum()


def test_coils_that_see_nothing_outside_the_body_leave_nothing_there(scattered, mr_scan, score):
    made = mr_scan(noise=0.01, mask=scattered)
    body = made.truth > 0
    image = cs(KspaceScan(made.scan.kspace, made.scan.mask, made.coils * body))
    assert not image[~body].any()
    assert score(image, made.truth) > score(zero_filled(made.scan), made.truth) + 5


def test_shaded_coils_do_as_well_as_even_ones(scattered, mr_scan, score):
    made = mr_scan(noise=0.0, mask=scattered)
    shade = np.linspace(0.3, 1.0, 64, dtype=np.float32)
    shaded = KspaceScan(to_kspace(made.truth * shade * made.coils) * scattered, scattered, made.coils * shade)
    assert score(cs(shaded), made.truth) > score(cs(made.scan), made.truth) - 3


def test_one_coil_whose_noise_nobody_sees_gains_too(scattered, mr_scan, score):
    truth = mr_scan().truth
    scan = KspaceScan(to_kspace(truth[None].astype(np.complex64)) * scattered, scattered)
    assert score(cs(scan), truth) > score(zero_filled(scan), truth) + 14


def test_any_denoiser_is_a_prior(scattered, mr_scan, score):
    made = mr_scan(noise=0.003, mask=scattered)
    image = reconstruct_with_prior(made.scan, lambda x, strength: x, iterations=20)
    assert score(image, made.truth) > score(zero_filled(made.scan), made.truth)
