import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.grappa import fill_kspace, grappa
from isocenter.imaging.reconstruct.kspace import zero_filled
from isocenter.imaging.reconstruct.scans import KspaceScan


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("noise", [0.003, 0.015])
def test_threefold_undersampling_gains_over_zero_filling(known, noise, mr_scan, score):
    made = mr_scan(noise=noise, known=known)
    assert score(grappa(made.scan), made.truth) > score(zero_filled(made.scan), made.truth) + 8


def test_measured_lines_stay_and_missing_ones_are_near_the_truth(mr_scan):
    made = mr_scan(noise=0.0)
    filled = fill_kspace(made.scan.kspace, made.scan.mask, 1e-8)
    assert np.array_equal(filled[:, made.scan.mask], made.scan.kspace[:, made.scan.mask])
    missing = ~made.scan.mask
    error = np.linalg.norm((filled - made.kspace)[:, missing]) / np.linalg.norm(made.kspace[:, missing])
    assert error < 0.45


def test_rows_and_columns_are_alike(mr_scan):
    made = mr_scan()
    turned = fill_kspace(np.swapaxes(made.scan.kspace, 1, 2), made.scan.mask.T, 1e-6)
    np.testing.assert_allclose(
        np.swapaxes(turned, 1, 2), fill_kspace(made.scan.kspace, made.scan.mask, 1e-6), atol=1e-3
    )


def test_irregular_lines_are_filled_too(mr_scan, score):
    mask = np.zeros((72, 64), bool)
    mask[:, np.random.default_rng(0).random(64) < 0.45] = True
    mask[:, 22:42] = True
    made = mr_scan(noise=0.003, mask=mask)
    assert score(grappa(made.scan), made.truth) > score(zero_filled(made.scan), made.truth) + 3


def test_scattered_samples_and_a_missing_centre_are_refused(mr_scan):
    made = mr_scan()
    scattered = np.random.default_rng(1).random((72, 64)) < 0.5
    with pytest.raises(InputError, match="whole rows or columns"):
        grappa(KspaceScan(made.kspace, scattered))
    comb = np.zeros((72, 64), bool)
    comb[:, ::3] = True
    with pytest.raises(InputError, match="neighbouring lines"):
        grappa(KspaceScan(made.kspace, comb))


def test_noise_is_not_raised_where_the_signal_is_faint(mr_scan, score):
    made = mr_scan(noise=0.04)
    assert score(grappa(made.scan), made.truth) > score(grappa(made.scan, regularisation=1e-6), made.truth) + 1.5


def test_without_noise_the_weights_are_as_steady_as_given_ones(mr_scan, score):
    made = mr_scan(noise=0.0)
    assert score(grappa(made.scan), made.truth) > score(grappa(made.scan, regularisation=1e-6), made.truth)
