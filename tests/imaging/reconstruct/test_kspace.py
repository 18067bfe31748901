import numpy as np
import pytest

from isocenter.imaging.reconstruct.kspace import cg_sense, zero_filled
from isocenter.imaging.reconstruct.scans import KspaceScan


@pytest.mark.parametrize("known", [True, False])
def test_full_sampling_gives_the_image_back(known, mr_scan, score):
    made = mr_scan(noise=1e-4, known=known, mask=np.ones((72, 64), bool))
    assert score(zero_filled(made.scan), made.truth) > 50
    assert score(cg_sense(made.scan), made.truth) > 35


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("noise", [0.003, 0.015])
def test_threefold_undersampling_gains_over_zero_filling(known, noise, mr_scan, score):
    made = mr_scan(noise=noise, known=known)
    assert score(cg_sense(made.scan), made.truth) > score(zero_filled(made.scan), made.truth) + 12


def test_rows_do_as_well_as_columns(mr_scan):
    made = mr_scan(noise=0.003)
    scan = made.scan
    turned = KspaceScan(np.swapaxes(scan.kspace, 1, 2), scan.mask.T, np.swapaxes(scan.sensitivities, 1, 2))
    np.testing.assert_allclose(cg_sense(turned).T, cg_sense(scan), atol=2e-3)


def test_the_image_keeps_its_unit_whatever_the_sensitivities_scale(mr_scan, score):
    made = mr_scan(noise=0.003)
    scaled = KspaceScan(made.scan.kspace, made.scan.mask, 5 * made.scan.sensitivities)
    assert score(5 * cg_sense(scaled), made.truth) > score(cg_sense(made.scan), made.truth) - 1
    np.testing.assert_allclose(5 * zero_filled(scaled), zero_filled(made.scan), atol=1e-5)


def test_a_given_weight_is_used(mr_scan):
    made = mr_scan(noise=0.003)
    assert cg_sense(made.scan, regularisation=3.0).max() < 0.6 * cg_sense(made.scan, regularisation=1e-3).max()


def test_a_mask_without_a_centre_still_gives_an_image(mr_scan, score):
    mask = np.zeros((72, 64), bool)
    mask[:, ::2] = True
    mask[:, 32] = False
    made = mr_scan(noise=0.003, mask=mask)
    assert np.isfinite(cg_sense(made.scan)).all()


def test_sensitivities_of_the_body_alone_leave_nothing_outside(mr_scan, score):
    made = mr_scan(noise=0.01)
    body = made.truth > 0
    image = cg_sense(KspaceScan(made.scan.kspace, made.scan.mask, made.coils * body))
    assert not image[~body].any()
    assert score(image, made.truth) > score(zero_filled(made.scan), made.truth) + 12


def test_known_coils_without_noise_need_no_calibration_lines(mr_scan, score):
    comb = np.zeros((72, 64), bool)
    comb[:, 2::3] = True
    made = mr_scan(noise=0.0, mask=comb)
    assert score(cg_sense(made.scan), made.truth) > score(cg_sense(made.scan, regularisation=1e-3), made.truth)
