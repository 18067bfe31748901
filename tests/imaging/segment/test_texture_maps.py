"""Texture maps against scikit-image and closed formulas."""

import numpy as np
import pytest
from skimage.feature import graycomatrix, local_binary_pattern

from isocenter.imaging.segment.texture_maps import (
    GABOR_WAVELENGTHS,
    binary_pattern_maps,
    gabor_maps,
    grey_pair_maps,
    level_limits,
    texture_maps,
)


def noise(size: int = 48) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(size, size)).astype(np.float32)


@pytest.mark.parametrize("number", range(len(GABOR_WAVELENGTHS)))
def test_a_wave_answers_in_the_map_of_its_length_and_direction(number: int):
    columns = np.arange(128)
    wave = np.cos(2 * np.pi * columns / GABOR_WAVELENGTHS[number])[None].repeat(128, axis=0)
    maps = gabor_maps(wave)[:, 64, 64]
    assert maps.argmax() == 6 * number
    assert maps[6 * number] == pytest.approx(np.sqrt(0.5), rel=0.01)


def test_binary_patterns_are_those_of_scikit_image():
    picture = np.random.default_rng(0).integers(0, 4000, (48, 48))
    peer = local_binary_pattern(picture, 8, 1, method="uniform").astype(int)
    ours = binary_pattern_maps(picture)[:10].argmax(axis=0)
    # Interpolation on the diagonals is OpenCV's, of 1/32 pixel: a few ties fall the other way.
    assert (ours == peer)[2:-2, 2:-2].mean() > 0.97


def test_each_pixel_shows_one_pattern_per_radius_and_one_pair_per_neighbour():
    picture = noise()
    assert (binary_pattern_maps(picture).reshape(2, 10, 48, 48).sum(axis=1) == 1).all()
    assert (grey_pair_maps(picture, level_limits(picture)).reshape(8, 10, 48, 48).sum(axis=1) == 1).all()


def test_the_mean_of_pair_maps_is_the_co_occurrence_matrix():
    picture = noise(200)
    limits = level_limits(picture)
    level = np.searchsorted(limits, picture).astype(np.uint8)
    matrix = graycomatrix(level, [1], [0], levels=4, symmetric=True, normed=True)[:, :, 0, 0]
    ours = grey_pair_maps(picture, limits)[:10, :, :-1].mean(axis=(1, 2))
    pairs = [(a, b) for a in range(4) for b in range(a, 4)]
    wanted = [matrix[a, b] * (1 if a == b else 2) for a, b in pairs]
    np.testing.assert_allclose(ours, wanted, atol=1e-6)


def test_levels_hold_as_many_values_each():
    limits = level_limits(np.random.default_rng(1).gamma(1, size=10_000))
    counts = np.bincount(np.searchsorted(limits, np.random.default_rng(1).gamma(1, size=10_000)))
    assert counts.min() > 2400
    assert level_limits(np.ones(10)).tolist() == [1]


def test_all_maps_come_in_three_groups():
    picture = noise(32)
    assert [group.shape for group in texture_maps(picture, level_limits(picture))] == [
        (30, 32, 32), (20, 32, 32), (80, 32, 32),
    ]  # fmt: skip
