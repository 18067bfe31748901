"""Every denoiser, for every kind of noise, on volumes: with nothing said but the image."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging import denoise

METHODS = [denoise.bm3d, denoise.nlm, denoise.bilateral, denoise.anisotropic, denoise.tv, denoise.wavelet]


def scene(size: int = 128) -> np.ndarray:
    j, i = np.mgrid[:size, :size] / size
    image = 0.15 + 0.2 * i
    for value, y, x, radius in ((0.9, 0.3, 0.3, 0.17), (0.6, 0.7, 0.35, 0.15), (0.02, 0.55, 0.75, 0.18)):
        image = np.where(np.hypot(j - y, i - x) < radius, value, image)
    return image[None]


def noisy_of(kind: str, image: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(0)
    if kind == "gaussian":
        return image + rng.normal(0, 0.1, image.shape)
    if kind == "poisson":
        return rng.poisson(image * 30) / 30
    if kind == "rician":
        return np.hypot(image + rng.normal(0, 0.1, image.shape), rng.normal(0, 0.1, image.shape))
    return image * (1 + rng.normal(0, 0.25, image.shape))


@pytest.mark.parametrize("kind", ["gaussian", "poisson", "rician", "speckle"])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_noise_of_any_kind_is_lowered_by_5_db(method, kind: str):
    truth = scene()
    noisy = noisy_of(kind, truth)
    found = method(Volume(noisy, Grid.of_pixels(noisy.shape))).array
    assert np.square(found - truth).mean() < 10**-0.5 * np.square(noisy - truth).mean()


def test_the_bias_of_magnitude_images_goes():
    truth = np.where(scene() > 0.3, 0.6, 0.05)
    found = denoise.bm3d(Volume(noisy_of("rician", truth), Grid.of_pixels(truth.shape)), noise="rician").array
    dark = truth == 0.05
    assert noisy_of("rician", truth)[dark].mean() > 0.13
    assert found[dark].mean() < 0.09


def test_whole_numbers_keep_their_range_and_hounsfield_units_their_sign():
    eight = np.clip(255 * noisy_of("gaussian", scene()), 0, 255).astype(np.uint8)
    found = denoise.wavelet(Volume(eight, Grid.of_pixels(eight.shape))).array
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 255
    units = (1000 * noisy_of("gaussian", scene()) - 1000).astype(np.int16)
    volume = Volume(units, Grid.of_spacing(units.shape, (1, 1, 1)), "HU", "CT")
    found = denoise.tv(volume)
    assert found.array.min() < -900
    assert (found.unit, found.grid) == ("HU", volume.grid)


def test_colours_are_denoised_and_constants_left_alone():
    colour = np.stack([noisy_of("gaussian", scene(48))] * 3, axis=-1)
    assert denoise.nlm(Volume(colour, Grid.of_pixels((1, 48, 48)))).array.shape == (1, 48, 48, 3)
    flat = np.full((3, 20, 20), -5.0)
    for method in METHODS:
        np.testing.assert_allclose(method(Volume(flat, Grid.of_pixels(flat.shape)), sigma=1.0).array, flat, atol=1e-5)
        np.testing.assert_allclose(method(Volume(flat, Grid.of_pixels(flat.shape))).array, flat, atol=1e-5)


def test_what_cannot_be_denoised_is_refused():
    array = scene(16)
    array[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="NaN"):
        denoise.bm3d(Volume(array, Grid.of_pixels(array.shape)))
    with pytest.raises(InputError, match="sigma"):
        denoise.tv(Volume(scene(16), Grid.of_pixels((1, 16, 16))), sigma=-1.0)
