import numpy as np
import pytest

from isocenter.imaging.phantoms_projection import project_ellipses
from isocenter.imaging.reconstruct.filtered import filtered_back_projection
from isocenter.imaging.reconstruct.gridding import gridding, rebin_fan


@pytest.mark.parametrize("fan", [False, True])
def test_gridding_agrees_with_filtered_back_projection(fan, ct_scan, score):
    made = ct_scan(180, fan=fan)
    ours = score(gridding(made.scan), made.truth)
    assert ours > score(filtered_back_projection(made.scan.sinogram, made.scan.geometry), made.truth) - 2.5


def test_the_mean_attenuation_is_right(ct_scan):
    made = ct_scan(120)
    assert gridding(made.scan).sum() == pytest.approx(made.truth.sum(), rel=0.01)


def test_a_rebinned_fan_is_the_parallel_scan(ct_scan):
    from isocenter.imaging.phantoms_projection import shepp_logan

    made = ct_scan(360, fan=True)
    sinogram, geometry = rebin_fan(made.clean, made.scan.geometry)
    exact = project_ellipses(shepp_logan(29.0, scale=0.02), geometry)
    assert np.abs(sinogram - exact).mean() < 0.03 * exact.mean()
