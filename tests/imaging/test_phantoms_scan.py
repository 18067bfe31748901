import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.phantoms_scan import ScanSettings, scan_ct
from isocenter.imaging.phantoms_shapes import Canvas, Ellipsoid

QUIET = ScanSettings(n_views=240, photons=float("inf"))


def _disc():
    canvas = Canvas((2, 96, 96), (2.0, 2.0, 2.0), (-95.0, -95.0, 0.0), -1000.0)
    canvas.paint(Ellipsoid((0, 0, 1), (70, 60, 1000)), 40.0)
    canvas.paint(Ellipsoid((25, 0, 1), (20, 20, 1000)), -850.0)
    return canvas.values()


def test_scan_without_noise_gives_back_the_attenuation():
    clean = _disc()
    seen = scan_ct(clean, pixel_mm=2.0, slice_mm=2.0, rng=np.random.default_rng(0), settings=QUIET)
    assert abs(seen[:, 44:52, 25:35].mean() - 40) < 3
    assert abs(seen[:, 44:52, 56:64].mean() + 850) < 3


def test_four_times_the_photons_halve_the_noise():
    clean = _disc()
    noise = []
    for photons in (1e5, 4e5):
        settings = ScanSettings(n_views=240, photons=photons, electronic=0.0)
        one = scan_ct(clean, pixel_mm=2.0, slice_mm=2.0, rng=np.random.default_rng(1), settings=settings)
        noise.append(np.std(one[0, 40:56, 25:35] - one[1, 40:56, 25:35]))
    assert 1.7 < noise[0] / noise[1] < 2.3


def test_thick_slices_smear_along_the_body():
    clean = np.full((5, 32, 32), -1000.0, np.float32)
    clean[2, 10:22, 10:22] = 0.0
    settings = ScanSettings(n_views=96, photons=float("inf"), thickness_mm=6.0)
    seen = scan_ct(clean, pixel_mm=2.0, slice_mm=2.0, rng=np.random.default_rng(0), settings=settings)
    assert np.abs(seen[1:4, 14:18, 14:18].mean(axis=(1, 2)) + 667).max() < 30


def test_slices_must_be_square():
    with pytest.raises(InputError, match="square"):
        scan_ct(np.zeros((2, 8, 9)), pixel_mm=1.0, slice_mm=1.0, rng=np.random.default_rng(0), settings=QUIET)
