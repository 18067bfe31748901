"""Small scans with known truth."""

from types import SimpleNamespace

import numpy as np
import pytest

from isocenter.imaging.phantoms_projection import coil_sensitivities, draw_ellipses, project_ellipses, shepp_logan
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.operators_mri import to_kspace
from isocenter.imaging.reconstruct.scans import KspaceScan, ProjectionScan

SIZE = (64, 60)
HEAD = shepp_logan(29.0, scale=0.02)


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    return float(10 * np.log10(truth.max() ** 2 / np.mean((image - truth) ** 2)))


@pytest.fixture
def score():
    """Peak signal-to-noise ratio in dB."""
    return psnr


@pytest.fixture
def ct_scan():
    """A maker of scans of the Shepp-Logan head: 64 x 60 pixels of 1 mm, noise relative to the largest integral."""

    def make(n_views: int, *, fan: bool = False, noise: float = 0.0) -> SimpleNamespace:
        span, beam, step_mm = (360.0, (120.0, 200.0), 1.7) if fan else (180.0, None, 1.0)
        angles = np.linspace(0, span, n_views, endpoint=False)
        geometry = ScanGeometry(angles, 95, step_mm, SIZE, 1.0, beam)
        clean = project_ellipses(HEAD, geometry)
        noisy = clean + noise * clean.max() * np.random.default_rng(1).standard_normal(clean.shape)
        truth = draw_ellipses(HEAD, SIZE, pixel_mm=1.0)
        return SimpleNamespace(
            scan=ProjectionScan(noisy, geometry), truth=truth, clean=clean, noise=noise * clean.max()
        )

    return make


@pytest.fixture
def mr_scan():
    """A maker of eight-coil scans of the head: every third column and 16 more in the centre, or a given mask."""

    def make(*, noise: float = 0.005, known: bool = True, mask: np.ndarray | None = None) -> SimpleNamespace:
        size = (72, 64)
        truth = draw_ellipses(shepp_logan(31.0), size, pixel_mm=1.0)
        coils = coil_sensitivities(8, size)
        rng = np.random.default_rng(2)
        kspace = to_kspace(truth * coils)
        kspace = kspace + noise * (rng.standard_normal(kspace.shape) + 1j * rng.standard_normal(kspace.shape)) / 2**0.5
        if mask is None:
            mask = np.zeros(size, bool)
            mask[:, ::3] = True
            mask[:, 24:40] = True
        scan = KspaceScan(kspace * mask, mask, coils if known else None)
        return SimpleNamespace(scan=scan, truth=truth, coils=coils, noise=noise, kspace=kspace)

    return make
