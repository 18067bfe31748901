import numpy as np
import pytest

from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier, to_image
from isocenter.imaging.reconstruct.sparsity import misfit_noise, seek_noise, sparse_least_squares


def restore(made, thresholds, noise):
    operator = MultiCoilFourier(np.ones_like(made.scan.mask), made.coils)
    start = operator.adjoint(made.kspace)
    return np.abs(
        sparse_least_squares(operator, made.kspace, start, noise=noise, thresholds=thresholds, n_iterations=15)
    )


def test_full_sampling_is_denoised_beyond_what_least_squares_can(mr_scan, score):
    made = mr_scan(noise=0.03)
    plain = np.abs((made.coils.conj() * to_image(made.kspace)).sum(axis=0))
    assert score(restore(made, [1.0] * 4, 0.03), made.truth) > score(plain, made.truth) + 6


def test_no_noise_leaves_the_least_squares_image(mr_scan, score):
    made = mr_scan(noise=0.0)
    assert score(restore(made, [1.0] * 3, 1e-6), made.truth) > 90


def test_no_threshold_leaves_the_start(mr_scan):
    made = mr_scan(noise=0.03)
    plain = np.abs((made.coils.conj() * to_image(made.kspace)).sum(axis=0))
    np.testing.assert_allclose(restore(made, [], 0.03), plain, atol=1e-5)


def test_more_noise_leaves_fewer_details(mr_scan):
    made = mr_scan(noise=0.01)
    fine, coarse = (np.abs(np.diff(restore(made, [1.0] * 3, noise))).sum() for noise in (0.001, 0.3))
    assert coarse < 0.7 * fine


def one_coil(noise, head):
    """Half of k-space at random, of one coil, and the sampling operator."""
    rng = np.random.default_rng(3)
    mask = rng.random(head.shape) < 0.5
    mask[26:46, 22:42] = True
    operator = MultiCoilFourier(mask, np.ones((1, *head.shape), np.complex64))
    drawn = rng.standard_normal((2, 1, *head.shape)) * noise / 2**0.5
    return operator, ((operator.forward(head) + drawn[0] + 1j * drawn[1]) * mask).astype(np.complex64), int(mask.sum())


@pytest.mark.parametrize("noise", [0.01, 0.04])
def test_the_misfit_tells_the_noise_of_one_coil(noise, mr_scan):
    operator, data, n_samples = one_coil(noise, mr_scan().truth)
    image = sparse_least_squares(
        operator, data, operator.adjoint(data), noise=noise, thresholds=[16.0, 4.0, 1.0], n_iterations=15
    )
    assert misfit_noise(operator, data, image, noise=noise, n_samples=n_samples) == pytest.approx(noise, rel=0.25)


def test_all_coils_without_details_leave_all_misfit_but_the_image(mr_scan):
    made = mr_scan(noise=0.02)
    operator = MultiCoilFourier(np.ones_like(made.scan.mask), made.coils)
    image = operator.adjoint(made.kspace)
    # A penalty of next to nothing fits one value in eight.
    found = misfit_noise(operator, made.kspace, image, noise=1e-6, n_samples=made.kspace.size)
    assert found == pytest.approx(0.02, rel=0.01)


def test_noise_that_is_bounded_from_above_is_sought(mr_scan, score):
    truth = mr_scan().truth
    operator, data, n_samples = one_coil(0.005, truth)
    start = sparse_least_squares(
        operator, data, operator.adjoint(data), noise=0.05, thresholds=[4.0, 1.0, 1.0], n_iterations=15
    )
    sought = seek_noise(operator, data, start, noise=0.05, weight=1.0, n_samples=n_samples)
    assert score(np.abs(sought), truth) > score(np.abs(start), truth) + 5
