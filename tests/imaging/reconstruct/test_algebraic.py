import numpy as np
import pytest

from isocenter.imaging.reconstruct.algebraic import cgls, sart, sirt
from isocenter.imaging.reconstruct.filtered import filtered_back_projection
from isocenter.imaging.reconstruct.operators import Projection
from isocenter.imaging.reconstruct.scans import ProjectionScan


@pytest.mark.parametrize("method", [sirt, sart, cgls])
@pytest.mark.parametrize("fan", [False, True])
def test_few_views_become_a_better_image_than_by_filtering(method, fan, ct_scan, score):
    made = ct_scan(24, fan=fan, noise=0.02)
    plain = score(filtered_back_projection(made.scan.sinogram, made.scan.geometry), made.truth)
    assert score(method(made.scan), made.truth) > plain + 1.5


@pytest.mark.parametrize("method", [sirt, sart, cgls])
def test_more_iterations_leave_less_misfit(method, ct_scan):
    made = ct_scan(16)
    operator = Projection(made.scan.geometry)
    left = [np.linalg.norm(operator.forward(method(made.scan, iterations=n)) - made.clean) for n in (1, 4, 12)]
    assert left[0] > left[1] > left[2]


def test_noise_ends_the_iterations_early(ct_scan, score):
    made = ct_scan(40, noise=0.03)
    assert score(cgls(made.scan), made.truth) > score(cgls(made.scan, iterations=40), made.truth) + 2


@pytest.mark.parametrize("method", [sirt, sart])
def test_attenuation_is_not_negative_unless_allowed(method, ct_scan):
    made = ct_scan(12, noise=0.05)
    assert method(made.scan, iterations=4).min() >= 0
    assert method(made.scan, iterations=4, positive=False).min() < 0


def test_an_empty_scan_gives_an_empty_image(ct_scan):
    made = ct_scan(6)
    nothing = ProjectionScan(np.zeros_like(made.clean), made.scan.geometry)
    for method in (sirt, sart, cgls):
        assert not method(nothing).any()
