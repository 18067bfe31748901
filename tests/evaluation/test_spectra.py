import numpy as np
import pytest
from scipy.special import ndtr

from isocenter.core.errors import InputError
from isocenter.evaluation.spectra import Transfer, mtf_of_edge, mtf_of_point, noise_power


def gaussian_mtf(frequencies: np.ndarray, sigma_mm: float) -> np.ndarray:
    return np.exp(-2 * (np.pi * sigma_mm * frequencies) ** 2)


def test_the_spectrum_of_white_noise_is_flat_and_its_integral_the_variance():
    rng = np.random.default_rng(0)
    regions = 40 + rng.normal(0, 12, (150, 64, 48))
    found = noise_power(regions, pixel_mm=(0.5, 0.8), trend=0)
    assert found.variance == pytest.approx(144, rel=0.01)
    np.testing.assert_allclose(found.power, 144 * 0.5 * 0.8, rtol=0.1)
    assert found.frequencies_per_mm[-1] == pytest.approx(0.5 / 0.8, rel=0.03)


def test_the_integral_is_the_variance_exactly():
    region = np.random.default_rng(1).normal(0, 3, (32, 40))
    assert noise_power(region, pixel_mm=(0.7, 0.7), trend=0).variance == pytest.approx(region.var(), rel=1e-12)


def test_smoothed_noise_has_the_analytic_spectrum():
    rng = np.random.default_rng(2)
    pixel, sigma_mm, n = 0.5, 0.6, 64
    frequencies = np.fft.fftfreq(n, pixel)
    shape = gaussian_mtf(np.hypot(frequencies[:, None], frequencies), sigma_mm)
    regions = np.fft.ifft2(np.fft.fft2(rng.normal(0, 10, (300, n, n))) * shape).real
    found = noise_power(regions, pixel_mm=(pixel, pixel), trend=0)
    expected = 100 * pixel**2 * gaussian_mtf(found.frequencies_per_mm, sigma_mm) ** 2
    low = found.frequencies_per_mm < 0.5
    np.testing.assert_allclose(found.power[low], expected[low], rtol=0.12)


def test_a_plane_is_no_noise():
    rows, columns = np.indices((32, 32))
    tilted = 3.0 * rows - 2.0 * columns + 7
    assert noise_power(tilted, pixel_mm=(1.0, 1.0)).variance == pytest.approx(0, abs=1e-18)
    curved = tilted + 0.1 * rows**2 + 0.2 * rows * columns
    assert noise_power(curved, pixel_mm=(1.0, 1.0), trend=2).variance == pytest.approx(0, abs=1e-18)
    assert noise_power(curved, pixel_mm=(1.0, 1.0)).variance > 1


@pytest.mark.parametrize("angle_deg", [3.0, -5.0, 12.0])
@pytest.mark.parametrize("turned", [False, True])
def test_the_edge_of_a_gaussian_blur_has_the_analytic_transfer_function(angle_deg, turned):
    pixel, sigma_mm = 0.4, 0.5
    rows, columns = (np.indices((90, 80)) - np.reshape((44.3, 39.8), (2, 1, 1))) * pixel
    distance = columns * np.cos(np.radians(angle_deg)) - rows * np.sin(np.radians(angle_deg))
    picture = 100 + 900 * ndtr(distance / sigma_mm)
    found = mtf_of_edge(picture.T if turned else picture, pixel_mm=(pixel, pixel))
    assert abs(found.angle_deg) == pytest.approx(abs(angle_deg), abs=0.05)
    np.testing.assert_allclose(found.values, gaussian_mtf(found.frequencies_per_mm, sigma_mm), atol=0.01)
    assert found.frequency_at(0.5) == pytest.approx(np.sqrt(np.log(2) / 2) / (np.pi * sigma_mm), rel=0.01)


def test_a_sharp_edge_is_corrected_for_the_bins_and_the_difference():
    rows, columns = (np.indices((150, 100)) - np.reshape((75, 50), (2, 1, 1))) * 0.4
    picture = ndtr((columns * np.cos(0.09) - rows * np.sin(0.09)) / 0.16)
    found = mtf_of_edge(picture, pixel_mm=(0.4, 0.4))
    np.testing.assert_allclose(found.values, gaussian_mtf(found.frequencies_per_mm, 0.16), atol=0.006)
    assert found.values[-1] > 0.4


def test_pixels_need_not_be_square():
    steps, sigma_mm = (0.7, 0.3), 0.6
    rows, columns = np.indices((80, 120)).astype(float)
    rows, columns = (rows - 40) * steps[0], (columns - 60) * steps[1]
    distance = columns * np.cos(0.08) - rows * np.sin(0.08)
    found = mtf_of_edge(ndtr(distance / sigma_mm), pixel_mm=steps)
    np.testing.assert_allclose(found.values, gaussian_mtf(found.frequencies_per_mm, sigma_mm), atol=0.01)


def test_noise_on_the_edge_does_not_move_its_half_value():
    rng = np.random.default_rng(4)
    rows, columns = (np.indices((200, 64)) - np.reshape((100, 32), (2, 1, 1))) * 0.5
    edge = 1000 * ndtr((columns * np.cos(0.06) - rows * np.sin(0.06)) / 0.7) + rng.normal(0, 20, (200, 64))
    found = mtf_of_edge(edge, pixel_mm=(0.5, 0.5))
    assert found.frequency_at(0.5) == pytest.approx(np.sqrt(np.log(2) / 2) / (np.pi * 0.7), rel=0.05)


def test_a_gaussian_point_has_the_analytic_transfer_function():
    pixel, sigma_mm = 0.25, 0.5
    rows, columns = (np.indices((64, 72)) - np.reshape((30.3, 36.6), (2, 1, 1))) * pixel
    picture = 20 + 500 * np.exp(-(rows**2 + columns**2) / (2 * sigma_mm**2))
    found = mtf_of_point(picture, pixel_mm=(pixel, pixel))
    np.testing.assert_allclose(found.values, gaussian_mtf(found.frequencies_per_mm, sigma_mm), atol=0.01)


def test_a_level_that_is_never_reached_has_no_frequency():
    flat = Transfer(np.array([0.0, 1.0]), np.array([1.0, 0.9]))
    assert np.isnan(flat.frequency_at(0.5)) and flat.frequency_at(1.0) == 0.0


def test_what_shows_no_edge_point_or_region_is_refused():
    with pytest.raises(InputError, match="uniform"):
        mtf_of_edge(np.ones((40, 40)), pixel_mm=(1.0, 1.0))
    step = np.where(np.arange(40) < 20, 0.0, 1.0) * np.ones((40, 1))
    with pytest.raises(InputError, match="degrees off"):
        mtf_of_edge(step, pixel_mm=(1.0, 1.0))
    with pytest.raises(InputError, match="bright point"):
        mtf_of_point(np.random.default_rng(0).normal(0, 1, (40, 40)), pixel_mm=(1.0, 1.0))
    with pytest.raises(InputError, match="16 pixels"):
        noise_power(np.ones((8, 40)), pixel_mm=(1.0, 1.0))
    with pytest.raises(InputError, match="order 0, 1 or 2"):
        noise_power(np.ones((40, 40)), pixel_mm=(1.0, 1.0), trend=3)
    with pytest.raises(InputError, match="finite"):
        mtf_of_edge(np.full((40, 40), np.nan), pixel_mm=(1.0, 1.0))
