import numpy as np
import pytest

from isocenter.imaging.reconstruct.calibration import calibration_region, calibration_spectrum, shortest_side


def lines(n: int, step: int, low: int, high: int) -> np.ndarray:
    mask = np.zeros((n, 40), bool)
    mask[::step] = True
    mask[low:high] = True
    return mask


def test_the_fully_sampled_lines_are_found_along_either_axis():
    mask = lines(50, 4, 17, 32)
    assert calibration_region(mask) == (slice(16, 33), slice(0, 40))
    assert calibration_region(mask.T) == (slice(0, 40), slice(16, 33))


def test_a_block_in_scattered_samples_is_found():
    mask = np.random.default_rng(0).random((64, 60)) < 0.2
    mask[24:40, 22:38] = True
    rows, columns = calibration_region(mask)
    assert mask[rows, columns].all()
    assert rows.stop - rows.start >= 14 and columns.stop - columns.start >= 14


def test_without_a_centre_there_is_none():
    mask = np.ones((20, 20), bool)
    mask[10, 10] = False
    assert shortest_side(calibration_region(mask)) == 0
    assert calibration_region(np.ones((20, 30), bool)) == (slice(0, 20), slice(0, 30))


def test_noise_alone_gives_eigenvalues_around_its_power():
    rng = np.random.default_rng(1)
    noise = (rng.standard_normal((3, 24, 150)) + 1j * rng.standard_normal((3, 24, 150))) / 2**0.5
    values, vectors, n_patches = calibration_spectrum(noise, 4)
    assert np.mean(values) / n_patches == pytest.approx(1, rel=0.1)
    assert (np.diff(values) >= 0).all() and vectors.shape == (48, 48)
