"""Gabor filters answer waves of their own direction and length, by closed formulas."""

import numpy as np
import pytest

from isocenter.imaging.features.filters_gabor import respond_gabor
from isocenter.imaging.features.filters_settings import FilterSettings


def settings(**given: object) -> FilterSettings:
    known = {"dimension": 2, "sigma_mm": 4.0, "wavelength_mm": 6.0, "boundary": "zero"}
    return FilterSettings("gabor", **{**known, **given})  # type: ignore[arg-type]


def ones() -> tuple[float, float, float]:
    return (1.0, 1.0, 1.0)


@pytest.mark.parametrize("angle", [0.0, 30.0, 60.0, 135.0])
def test_an_impulse_gives_the_envelope_turned_from_columns_to_rows(angle: float):
    image = np.zeros((1, 61, 61), dtype=np.float32)
    image[0, 30, 30] = 1
    response = respond_gabor(image, settings(angle_deg=angle, aspect_ratio=0.5), ones)
    rows, columns = np.mgrid[-30:31, -30:31]
    along = columns * np.cos(np.radians(angle)) + rows * np.sin(np.radians(angle))
    across = rows * np.cos(np.radians(angle)) - columns * np.sin(np.radians(angle))
    wanted = np.exp(-(along**2 + (0.5 * across) ** 2) / (2 * 16))
    reached = np.maximum(abs(rows), abs(columns)) <= 28
    np.testing.assert_allclose(response[0][reached], wanted[reached], atol=1e-5)


@pytest.mark.parametrize("boundary", ["zero", "nearest", "periodic", "mirror"])
def test_the_modulus_is_that_of_a_direct_sum(boundary: str):
    from scipy import ndimage

    image = np.random.default_rng(0).normal(size=(2, 14, 17)).astype(np.float32)
    y, x = np.mgrid[-11:12, -11:12]
    kernel = np.exp(-(x**2 + y**2) / (2 * 1.5**2) + 2j * np.pi * y / 4)
    mode = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}[boundary]
    wanted = [np.hypot(*(ndimage.convolve(p, part, mode=mode) for part in (kernel.real, kernel.imag))) for p in image]
    given = settings(sigma_mm=1.5, wavelength_mm=4.0, angle_deg=90, boundary=boundary)
    np.testing.assert_allclose(respond_gabor(image, given, ones), wanted, atol=1e-3)


def test_a_wave_of_the_filters_direction_answers_most():
    columns = np.arange(80)
    wave = np.cos(2 * np.pi * columns / 6)[None, None, :].repeat(80, axis=1).astype(np.float32)
    along = respond_gabor(wave, settings(angle_deg=0, boundary="mirror"), ones)[0, 40, 40]
    across = respond_gabor(wave, settings(angle_deg=90, boundary="mirror"), ones)[0, 40, 40]
    # Half the integral of the Gaussian, since a cosine is two complex waves.
    assert along == pytest.approx(np.pi * 16, rel=1e-3)
    assert across < 1e-3 * along


def test_directions_are_pooled_over_half_a_turn():
    image = np.random.default_rng(1).normal(size=(1, 24, 24)).astype(np.float32)
    each = [respond_gabor(image, settings(angle_deg=angle), ones) for angle in (0, 45, 90, 135, 180, 225, 270, 315)]
    pooled = {p: respond_gabor(image, settings(angle_step_deg=45, pooling=p), ones) for p in ("mean", "max", "min")}
    np.testing.assert_allclose(pooled["mean"], np.mean(each, axis=0), atol=1e-4)
    np.testing.assert_allclose(pooled["max"], np.max(each, axis=0), atol=1e-4)
    np.testing.assert_allclose(pooled["min"], np.min(each, axis=0), atol=1e-4)


def test_three_planes_average_those_of_each_pair_of_axes():
    image = np.random.default_rng(2).normal(size=(12, 13, 14)).astype(np.float32)
    total = respond_gabor(image, settings(planes=3), ones)
    axial = respond_gabor(image, settings(), ones)
    coronal = respond_gabor(image.transpose(1, 0, 2), settings(), ones).transpose(1, 0, 2)
    sagittal = respond_gabor(image.transpose(2, 0, 1), settings(), ones).transpose(1, 2, 0)
    np.testing.assert_allclose(total, (axial + coronal + sagittal) / 3, atol=1e-4)


def test_oblong_pixels_see_the_same_millimetres():
    x = np.arange(-40, 41)
    image = np.zeros((1, 81, 81), dtype=np.float32)
    image[0, 40, 40] = 1
    tall = respond_gabor(image, settings(angle_deg=90), lambda: (1.0, 2.0, 1.0))[0, :, 40]
    np.testing.assert_allclose(tall, np.where(abs(2 * x) <= 28, np.exp(-((2 * x) ** 2) / 32), 0), atol=1e-5)
