import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.grappa import fill_kspace, grappa
from isocenter.imaging.reconstruct.kspace import zero_filled
from isocenter.imaging.reconstruct.measurement_noise import estimate_kspace_noise
from isocenter.imaging.reconstruct.operators_mri import to_image, to_kspace
from isocenter.imaging.reconstruct.scans import KspaceScan
from isocenter.imaging.reconstruct.sensitivities import combine_coils, smooth_maps


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("noise", [0.003, 0.015])
def test_threefold_undersampling_gains_over_zero_filling(known, noise, mr_scan, score):
    made = mr_scan(noise=noise, known=known)
    assert score(grappa(made.scan), made.truth) > score(zero_filled(made.scan), made.truth) + 8


def test_measured_lines_stay_and_missing_ones_are_near_the_truth(mr_scan):
    made = mr_scan(noise=0.0)
    filled, _ = fill_kspace(made.scan.kspace, made.scan.mask, regularisation=1e-8)
    assert np.array_equal(filled[:, made.scan.mask], made.scan.kspace[:, made.scan.mask])
    missing = ~made.scan.mask
    error = np.linalg.norm((filled - made.kspace)[:, missing]) / np.linalg.norm(made.kspace[:, missing])
    assert error < 0.45


def test_rows_and_columns_are_alike(mr_scan):
    made = mr_scan()
    upright = fill_kspace(made.scan.kspace, made.scan.mask, noise=0.005)
    turned = fill_kspace(np.swapaxes(made.scan.kspace, 1, 2), made.scan.mask.T, noise=0.005)
    for one, two in zip(upright, turned, strict=True):
        np.testing.assert_allclose(np.swapaxes(two, 1, 2), one, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("noise", [0.01, 0.03])
def test_the_error_to_expect_is_what_filled_lines_are_wrong_by(noise, mr_scan):
    made = mr_scan(noise=noise)
    filled, error = fill_kspace(made.scan.kspace, made.scan.mask, noise=noise)
    missing = ~made.scan.mask
    wrong = np.mean(np.abs((filled - to_kspace(made.truth * made.coils))[:, missing]) ** 2)
    # Four lines, five places, eight coils: 160 sources.
    assert 0.5 < np.mean(error[:, missing]) / 160 / wrong < 2
    np.testing.assert_allclose(error[:, made.scan.mask], noise**2, rtol=1e-6)


def test_nothing_is_known_of_lines_too_far_from_others():
    kspace = np.random.default_rng(0).standard_normal((2, 64, 32)) + 0j
    mask = np.zeros((64, 32), bool)
    mask[28:36] = True
    filled, error = fill_kspace(kspace * mask, mask, noise=1.0)
    assert not filled[:, :4].any()
    assert np.isinf(error[:, :4]).all()


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


def test_weights_are_steadier_where_the_signal_is_faint(mr_scan):
    made = mr_scan(noise=0.04)
    missing = ~made.scan.mask
    wrong = [
        np.linalg.norm((fill_kspace(made.scan.kspace, made.scan.mask, **how)[0] - made.kspace)[:, missing])
        for how in ({"noise": 0.04}, {"regularisation": 1e-6})
    ]
    assert wrong[0] < 0.85 * wrong[1]


@pytest.mark.parametrize(("noise", "gain_db"), [(0.0, 0.0), (0.001, 0.5), (0.01, 8.0), (0.03, 8.0)])
def test_details_gain_over_the_bare_method_and_cost_nothing_without_noise(noise, gain_db, mr_scan, score):
    made = mr_scan(noise=noise)
    assert score(grappa(made.scan), made.truth) > score(grappa(made.scan, regularisation=1e-4), made.truth) + gain_db


def test_sensitivities_from_few_lines_are_not_trusted_with_the_measured_ones(mr_scan):
    mask = np.zeros((72, 64), bool)
    mask[:, 1::3] = True
    mask[:, 30:35] = True
    made = mr_scan(noise=0.0, known=False, mask=mask)
    filled, _ = fill_kspace(made.scan.kspace, mask, noise=estimate_kspace_noise(made.scan.kspace, mask))
    joined = combine_coils(to_image(filled), smooth_maps(made.scan.kspace))
    np.testing.assert_allclose(grappa(made.scan), np.abs(joined), atol=1e-6)


def test_the_unit_of_the_samples_does_not_matter(mr_scan):
    made = mr_scan(noise=0.01)
    large = grappa(KspaceScan(1e6 * made.scan.kspace, made.scan.mask, made.coils))
    np.testing.assert_allclose(large / 1e6, grappa(made.scan), atol=2e-3)
