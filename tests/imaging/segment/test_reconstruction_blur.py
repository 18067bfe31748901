import cv2
import numpy as np
import pytest

from isocenter.imaging.phantoms_scan import ScanSettings, scan_ct
from isocenter.imaging.segment.reconstruction_blur import ReconstructionBlur, estimate_reconstruction_blur


def _disc(n_slices=12, size=160):
    y, x = np.mgrid[:size, :size] - size / 2
    return np.where(np.hypot(y, x) < 0.42 * size, 40.0, -1000.0)[None].repeat(n_slices, axis=0)


def _scanned(cutoff, photons=4e5):
    settings = ScanSettings(n_views=240, photons=photons, cutoff=cutoff)
    return scan_ct(_disc(), pixel_mm=1.2, slice_mm=2.0, rng=np.random.default_rng(3), settings=settings)


@pytest.mark.parametrize("cutoff", [1.0, 1.4, 1.8])
def test_noise_tells_the_transfer_function_of_the_kernel(cutoff):
    blur = estimate_reconstruction_blur(_scanned(cutoff))
    frequency = np.linspace(0.05, 0.9, 30)
    hann = 0.5 + 0.5 * np.cos(np.pi * frequency / cutoff)
    assert np.abs(blur.transfer(frequency) - hann).max() < 0.06


@pytest.mark.parametrize("smooth", [0.0, 0.5, 0.9])
def test_noise_without_the_ramp_tells_nothing(smooth):
    noise = np.random.default_rng(1).normal(0, 20, _disc().shape)
    if smooth:
        noise = np.stack([cv2.GaussianBlur(plane, (0, 0), smooth) for plane in noise])
    assert estimate_reconstruction_blur((_disc() + noise).astype(np.float32)) is None


def test_without_noise_or_without_tissue_nothing_is_known():
    assert estimate_reconstruction_blur(_disc().astype(np.float32)) is None
    assert estimate_reconstruction_blur(_scanned(1.4) - 3000) is None
    assert estimate_reconstruction_blur(np.zeros((1, 8, 8), np.int16)) is None


def test_the_filter_has_the_transfer_function():
    blur = ReconstructionBlur(1.3, 0.4)
    taps = blur.taps()
    at = np.arange(-8, 9)
    for frequency in (0.2, 0.5, 0.8):
        along = float((taps.sum(axis=0) * np.cos(np.pi * frequency * at)).sum())
        assert np.isclose(along, blur.transfer(np.array(frequency)), atol=0.02)


def test_sigma_is_that_of_the_gaussian():
    sigma = 0.6
    assert np.isclose(ReconstructionBlur(0.5 * (np.pi * sigma) ** 2, 0.0).sigma_pixels, sigma)
