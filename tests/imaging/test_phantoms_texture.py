"""Mosaics hold what was asked: every texture, equal mean and contrast, the same picture for the same seed."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.phantoms_texture import TEXTURES, texture_mosaic


def test_a_mosaic_shows_each_texture_with_equal_mean_and_contrast():
    volume, truth = texture_mosaic(192, n_textures=5, rng=np.random.default_rng(3))
    assert volume.grid.shape == truth.shape == (1, 192, 192)
    assert volume.array.dtype == np.uint8
    for label in range(1, 6):
        part = volume.array[truth == label].astype(float)
        assert part.size > 0.08 * truth.size
        assert part.mean() == pytest.approx(128, abs=8)
        assert part.std() == pytest.approx(40, abs=10)


def test_the_same_seed_gives_the_same_mosaic():
    one, two = (texture_mosaic(64, n_textures=3, rng=np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(one[0].array, two[0].array)
    np.testing.assert_array_equal(one[1], two[1])


@pytest.mark.parametrize("name", list(TEXTURES))
def test_each_texture_has_contrast_everywhere(name: str):
    patch = TEXTURES[name](128, np.random.default_rng(0))
    assert patch.shape == (128, 128)
    for part in (patch[:64], patch[64:], patch[:, :64], patch[:, 64:]):
        assert 0.5 < part.std() / patch.std() < 1.5


def test_named_textures_are_taken_and_too_many_refused():
    volume, truth = texture_mosaic(64, n_textures=2, rng=np.random.default_rng(0), names=("grain", "cloud"))
    roughness = [
        np.abs(np.diff(np.where(truth[0] == label, volume.array[0], 128.0), axis=1)).mean() for label in (1, 2)
    ]
    assert roughness[0] > roughness[1]
    with pytest.raises(InputError, match="mosaic"):
        texture_mosaic(64, n_textures=len(TEXTURES) + 1, rng=np.random.default_rng(0))
