"""Finer grids: places stay places, interpolation is scipy's, and back-projection keeps the measured means."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.errors import InputError, LimitError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.upsample import upsample


def volume_of(array: np.ndarray, spacing=(3.0, 0.5, 0.7)) -> Volume:
    return Volume(array, Grid.of_spacing(array.shape[:3], spacing, (10.0, -20.0, 30.0)), "HU", "CT")


def world(volume: Volume) -> np.ndarray:
    index = np.moveaxis(np.indices(volume.grid.shape), 0, -1)
    return volume.grid.to_world_mm(index)


@pytest.mark.parametrize("method", ["bspline", "lanczos", "back-projection"])
@pytest.mark.parametrize("factor", [2.0, (1.0, 3.0, 2.0)])
def test_a_ramp_over_the_patient_stays_that_ramp(method, factor):
    coarse = volume_of(np.zeros((12, 16, 18)))
    truth = volume_of(world(coarse) @ np.array((2.0, -1.0, 0.5)))
    fine = upsample(truth, factor=factor, method=method)
    inner = (slice(8, -8),) if factor == 2.0 else (slice(None),)
    cut = (*inner, slice(10, -10), slice(10, -10))
    expected = (world(fine) @ np.array((2.0, -1.0, 0.5)))[cut]
    tolerance = 0.12 if method == "lanczos" or factor != 2.0 else 0.02
    if factor != 2.0:
        fine_k = (slice(3, -3), slice(12, -12), slice(10, -10))
        expected, cut = (world(fine) @ np.array((2.0, -1.0, 0.5)))[fine_k], fine_k
    np.testing.assert_allclose(fine.array[cut], expected, atol=tolerance)


def test_the_field_of_view_keeps_its_corners():
    coarse = volume_of(np.zeros((4, 6, 8)))
    fine = upsample(coarse, factor=(2, 4, 2))
    assert fine.grid.shape == (8, 24, 16)
    for corner in ((-0.5, -0.5, -0.5), (3.5, 5.5, 7.5)):
        outer = (np.array(corner) + 0.5) * (2, 4, 2) - 0.5
        np.testing.assert_allclose(fine.grid.to_world_mm(outer), coarse.grid.to_world_mm(np.array(corner)))


def test_the_spline_is_scipys():
    array = np.random.default_rng(0).normal(size=(6, 9, 11))
    expected = ndimage.zoom(array, 2, order=3, mode="reflect", grid_mode=True)
    np.testing.assert_allclose(upsample(volume_of(array)).array, expected, atol=1e-4)


def test_back_projection_keeps_the_means_and_comes_nearer_to_the_truth():
    j, i = np.mgrid[:96, :96] / 96
    truth = (np.hypot(j - 0.5, i - 0.45) < 0.3).astype(float) + 0.5 * (np.hypot(j - 0.3, i - 0.7) < 0.12)
    measured = volume_of(truth.reshape(48, 2, 48, 2).mean(axis=(1, 3))[None])
    found = upsample(measured, method="back-projection").array[0]
    np.testing.assert_allclose(found.reshape(48, 2, 48, 2).mean(axis=(1, 3)), measured.array[0], atol=2e-3)
    plain = upsample(measured, method="bspline").array[0]
    assert np.square(found - truth).mean() < 0.99 * np.square(plain - truth).mean()


@pytest.mark.parametrize("method", ["bspline", "lanczos", "back-projection"])
def test_constants_stay_and_pictures_get_no_slices(method):
    flat = volume_of(np.full((1, 7, 9), 4, np.int16))
    fine = upsample(flat, method=method)
    assert fine.grid.shape == (1, 14, 18)
    np.testing.assert_allclose(fine.array, 4, atol=1e-5)
    colour = np.random.default_rng(1).integers(0, 255, (1, 6, 6, 3)).astype(np.uint8)
    fine = upsample(volume_of(colour), method=method).array
    assert fine.shape == (1, 12, 12, 3)
    assert fine.min() >= 0
    assert fine.max() <= 255


def test_what_makes_no_sense_is_refused():
    volume = volume_of(np.zeros((2, 4, 4)))
    with pytest.raises(InputError, match="at least 1"):
        upsample(volume, factor=0.5)
    with pytest.raises(InputError, match="whole"):
        upsample(volume, factor=1.5, method="back-projection")
    with pytest.raises(LimitError, match="smaller factor"):
        upsample(volume, factor=1000)
