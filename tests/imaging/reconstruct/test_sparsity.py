import numpy as np

from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier, to_image
from isocenter.imaging.reconstruct.sparsity import sparse_least_squares


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
