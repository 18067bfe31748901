"""Ringing and rings that were put in go out, and little else goes with them."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.errors import InputError
from isocenter.imaging.artefacts import reduce_gibbs, reduce_rings


def cut_spectrum(fine: np.ndarray, size: int) -> np.ndarray:
    """What a scanner makes of an object: the low part of its spectrum alone."""
    full = np.fft.fftshift(np.fft.fft2(fine))
    start = (fine.shape[0] - size) // 2
    low = full[start : start + size, start : start + size]
    return np.fft.ifft2(np.fft.ifftshift(low)).real * (size / fine.shape[0]) ** 2


def ellipses(size: int) -> np.ndarray:
    j, i = (np.mgrid[:size, :size] + 0.5) / size - 0.5
    outer = (j / 0.36) ** 2 + (i / 0.3) ** 2 < 1
    inner = ((j - 0.05) / 0.12) ** 2 + ((i + 0.03) / 0.15) ** 2 < 1
    return np.where(inner, 0.4, np.where(outer, 1.0, 0.0))


def test_ringing_falls_by_half_away_from_the_edge():
    fine = ellipses(1024)
    rung = cut_spectrum(fine, 128)
    # The same field of view in 128 pixels: pixel n of the cut spectrum lies at fine pixel 8 n.
    truth = ellipses(1024)[::8, ::8]
    blurred = ndimage.gaussian_filter(fine, 8)[::8, ::8]
    edges = ndimage.binary_dilation(np.abs(blurred - truth) > 0.02, iterations=1)
    near = ndimage.binary_dilation(edges, iterations=6) & ~edges
    before = np.abs(rung - truth)[near].mean()
    after = np.abs(reduce_gibbs(rung[None])[0] - truth)[near].mean()
    assert before > 0.01
    assert after < 0.5 * before


def test_a_smooth_picture_without_ringing_hardly_changes():
    j, i = np.mgrid[:64, :64] / 64
    smooth = np.sin(2 * np.pi * j) * np.cos(4 * np.pi * i)
    assert np.abs(reduce_gibbs(smooth[None])[0] - smooth).max() < 0.05
    np.testing.assert_allclose(reduce_gibbs(np.full((2, 9, 10), 7.0)), 7.0, rtol=1e-6)


def rings(size: int, center: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    j, i = np.mgrid[:size, :size]
    distance = np.hypot(j - center[0], i - center[1])
    profile = np.zeros(size)
    profile[rng.choice(np.arange(4, size // 2 - 4), 10, replace=False)] = rng.normal(0, 60, 10)
    return np.interp(distance, np.arange(size), profile)


@pytest.mark.parametrize(("center", "size", "left"), [(None, 128, 0.35), ((60.0, 70.0), 128, 0.35), (None, 256, 0.1)])
def test_rings_go_and_anatomy_stays(center, size: int, left: float):
    rng = np.random.default_rng(0)
    clean = 1000 * ndimage.gaussian_filter(ellipses(size), 1) + rng.normal(0, 5, (size, size))
    added = rings(size, center or ((size - 1) / 2, (size - 1) / 2), rng)
    found = reduce_rings((clean + added)[None], center_px=center)[0]
    assert np.square(found - clean).mean() < left * np.square(added).mean()


@pytest.mark.parametrize("off", [(0.0, 0.0), (3.0, -2.0), (-5.5, 4.5)])
def test_the_centre_of_rotation_is_found_near_the_middle(off):
    rng = np.random.default_rng(3)
    clean = 1000 * ndimage.gaussian_filter(ellipses(128), 1) + rng.normal(0, 5, (128, 128))
    center = (63.5 + off[0], 63.5 + off[1])
    spoiled = (clean + rings(128, center, rng))[None]
    assert np.array_equal(reduce_rings(spoiled), reduce_rings(spoiled, center_px=center))


def test_where_there_is_no_ring_hardly_anything_is_taken_off():
    rng = np.random.default_rng(4)
    clean = 1000 * ndimage.gaussian_filter(ellipses(128), 1) + rng.normal(0, 5, (128, 128))
    assert np.sqrt(np.square(reduce_rings(clean[None])[0] - clean).mean()) < 0.5  # a tenth of the noise


def test_a_constant_picture_stays():
    np.testing.assert_allclose(reduce_rings(np.full((2, 20, 31), -1000.0)), -1000)


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="centre"):
        reduce_rings(np.zeros((1, 9, 9)), center_px=(20, 2))
    with pytest.raises(InputError, match="width"):
        reduce_rings(np.zeros((1, 9, 9)), width_px=0)
    for reduce in (reduce_rings, reduce_gibbs):
        with pytest.raises(InputError, match="slices"):
            reduce(np.zeros((9, 9)))
    with pytest.raises(InputError, match="at least 8"):
        reduce_gibbs(np.zeros((1, 7, 9)))
