import numpy as np
import pytest

from isocenter.core.errors import LimitError
from isocenter.imaging.reconstruct import sensitivities
from isocenter.imaging.reconstruct.scans import KspaceScan
from isocenter.imaging.reconstruct.sensitivities import (
    coil_maps,
    combine_coils,
    even_maps,
    low_resolution,
    magnitude,
    smooth_maps,
)


def deviation(found: np.ndarray, true: np.ndarray, body: np.ndarray) -> float:
    """Largest distance of unit vectors of coils, whatever their common phase."""
    overlap = np.abs((found.conj() * true).sum(axis=0))[body]
    return float(np.sqrt(np.maximum(1 - overlap**2, 0)).max())


def test_maps_from_the_centre_of_kspace_are_those_of_the_coils(mr_scan):
    made = mr_scan(noise=0.002, known=False)
    found = coil_maps(made.scan)
    body = made.truth > 0.15
    assert np.allclose((np.abs(found) ** 2).sum(axis=0)[body], 1, atol=1e-3)
    assert deviation(found, made.coils, body) < 0.06


def test_smooth_maps_are_close_to_the_coils_too(mr_scan):
    made = mr_scan(noise=0.002, known=False)
    assert deviation(smooth_maps(made.scan.kspace), made.coils, made.truth > 0.15) < 0.45


def test_known_maps_are_used_as_they_are_and_one_coil_sees_everything(mr_scan):
    made = mr_scan()
    assert coil_maps(made.scan) is made.scan.sensitivities
    assert (coil_maps(KspaceScan(made.scan.kspace[:1], made.scan.mask)) == 1).all()


def test_coil_images_are_joined_to_the_image_that_they_show(mr_scan):
    made = mr_scan()
    joined = combine_coils(made.coils * made.truth, 3 * made.coils)
    np.testing.assert_allclose(3 * joined, made.truth, atol=1e-5)


def test_low_resolution_keeps_the_mean(mr_scan):
    made = mr_scan(noise=0.0)
    assert np.allclose(
        low_resolution(made.kspace).mean(axis=(1, 2)), (made.coils * made.truth).mean(axis=(1, 2)), atol=1e-4
    )


def test_even_maps_see_the_image_times_their_root_and_nothing_where_no_coil_does(mr_scan):
    made = mr_scan()
    shaded = made.coils * np.linspace(0.1, 4.0, 64, dtype=np.float32)
    shaded[:, :5] = 0
    even, root = even_maps(shaded)
    np.testing.assert_allclose(even * root, shaded, atol=1e-5)
    np.testing.assert_allclose((np.abs(even[:, 5:]) ** 2).sum(axis=0), 1, atol=1e-5)
    image = magnitude(root * 1j, root)
    assert not image[:5].any() and np.allclose(image[5:], 1)


def test_eight_pixels_are_enough_and_a_far_line_leaves_coils_alike(mr_scan):
    made = mr_scan()
    small = KspaceScan(made.kspace[:, :9, :8], np.ones((9, 8), bool))
    assert coil_maps(small).shape == small.kspace.shape
    far = np.zeros((72, 64), bool)
    far[3] = True
    assert (coil_maps(KspaceScan(made.kspace, far)) == np.float32(8**-0.5)).all()


def test_coils_beyond_the_memory_are_refused(monkeypatch, mr_scan):
    monkeypatch.setattr(sensitivities, "_MAX_PAIRS", 1000)
    with pytest.raises(LimitError, match="8 coils of \\(72, 64\\); give sensitivities"):
        coil_maps(mr_scan(known=False).scan)
