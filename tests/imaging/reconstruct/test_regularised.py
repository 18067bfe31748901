import numpy as np
import pytest

from isocenter.imaging.phantoms_projection import Ellipse, draw_ellipses, project_ellipses
from isocenter.imaging.reconstruct.filtered import filtered_back_projection
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.regularised import reconstruct_with_prior, tv, wavelet
from isocenter.imaging.reconstruct.scans import ProjectionScan

BODY = (
    Ellipse(0.02, (0.0, 0.0), (26.0, 20.0)),
    Ellipse(0.01, (10.0, 4.0), (4.0, 4.0)),
    Ellipse(0.015, (-11.0, -3.0), (5.0, 6.0)),
    Ellipse(-0.016, (-2.0, 9.0), (5.0, 4.0)),
)


@pytest.mark.parametrize(("method", "gain_db"), [(tv, 8.0), (wavelet, 4.0)])
@pytest.mark.parametrize("noise", [0.01, 0.03])
def test_forty_noisy_views_gain_over_filtering(method, gain_db, noise, score):
    geometry = ScanGeometry(np.linspace(0, 180, 40, endpoint=False), 95, 1.0, (64, 60), 1.0)
    clean = project_ellipses(BODY, geometry)
    sinogram = clean + noise * clean.max() * np.random.default_rng(0).standard_normal(clean.shape)
    truth = draw_ellipses(BODY, (64, 60), pixel_mm=1.0)
    plain = score(filtered_back_projection(sinogram, geometry), truth)
    assert score(method(ProjectionScan(sinogram, geometry), iterations=60), truth) > plain + gain_db


def test_the_head_with_its_thin_skull_gains_too(ct_scan, score):
    made = ct_scan(40, noise=0.02)
    assert (
        score(tv(made.scan), made.truth)
        > score(filtered_back_projection(made.scan.sinogram, made.scan.geometry), made.truth) + 2
    )


def test_the_weight_found_does_not_depend_on_the_unit():
    geometry = ScanGeometry(np.linspace(0, 180, 20, endpoint=False), 61, 1.0, (40, 40), 1.0)
    sinogram = project_ellipses((Ellipse(1.0, (0.0, 3.0), (14.0, 9.0)),), geometry)
    sinogram = sinogram + np.random.default_rng(0).standard_normal(sinogram.shape)
    one = tv(ProjectionScan(sinogram, geometry), iterations=30)
    thousand = tv(ProjectionScan(1000 * sinogram, geometry), iterations=30)
    np.testing.assert_allclose(thousand / 1000, one, atol=0.02)


def test_a_large_weight_makes_the_image_flat(ct_scan):
    made = ct_scan(12, noise=0.01)
    rough, flat = (tv(made.scan, weight=w, iterations=25) for w in (1e-4, 30.0))
    assert np.abs(np.diff(flat)).sum() < 0.3 * np.abs(np.diff(rough)).sum()


def test_any_denoiser_is_a_prior(score):
    import cv2

    strengths = []

    def blur(image: np.ndarray, strength: float) -> np.ndarray:
        strengths.append(strength)
        return cv2.GaussianBlur(np.maximum(image, 0), (0, 0), 0.6)

    disc = (Ellipse(0.02, (0.0, 0.0), (14.0, 14.0)),)
    geometry = ScanGeometry(np.linspace(0, 180, 20, endpoint=False), 61, 1.0, (40, 40), 1.0)
    sinogram = project_ellipses(disc, geometry)
    sinogram = sinogram + 0.05 * sinogram.max() * np.random.default_rng(0).standard_normal(sinogram.shape)
    image = reconstruct_with_prior(ProjectionScan(sinogram, geometry), blur, iterations=30)
    truth = draw_ellipses(disc, (40, 40), pixel_mm=1.0)
    assert score(image, truth) > score(filtered_back_projection(sinogram, geometry), truth) + 4
    assert min(strengths) > 0
