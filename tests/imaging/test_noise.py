"""Noise that was added is found again: its kind and its level; and the moments against drawn samples."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.noise import KINDS, NoiseModel, estimate_noise, estimate_sigma


def scene(size: int = 256) -> np.ndarray:
    """Discs of several brightnesses on a ramp, 0 to 1, (1, size, size)."""
    j, i = np.mgrid[:size, :size] / size
    image = 0.15 + 0.2 * i
    for value, y, x, radius in (
        (0.9, 0.3, 0.3, 0.17),
        (0.6, 0.7, 0.35, 0.15),
        (0.02, 0.55, 0.75, 0.18),
        (0.4, 0.2, 0.7, 0.1),
    ):
        image = np.where(np.hypot(j - y, i - x) < radius, value, image)
    return image[None]


def add(image: np.ndarray, kind: str, level: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    if kind == "gaussian":
        return image + rng.normal(0, level, image.shape)
    if kind == "poisson":
        return rng.poisson(image / level) * level
    if kind == "rician":
        return np.hypot(image + rng.normal(0, level, image.shape), rng.normal(0, level, image.shape))
    return image * (1 + rng.normal(0, level, image.shape))


LEVELS = [("gaussian", 0.03), ("gaussian", 0.1), ("poisson", 0.003), ("poisson", 0.02), ("rician", 0.05),
          ("rician", 0.1), ("speckle", 0.1), ("speckle", 0.25)]  # fmt: skip


@pytest.mark.parametrize(("kind", "level"), LEVELS)
@pytest.mark.parametrize("scale", [1.0, 4000.0])
def test_kind_and_level_are_found(kind: str, level: float, scale: float):
    found = estimate_noise(add(scene(), kind, level) * scale)
    assert found.kind == kind
    unit = 1.0 if kind == "speckle" else scale
    assert found.level == pytest.approx(level * unit, rel=0.1)


def test_a_stated_kind_and_level_are_taken():
    noisy = add(scene(), "gaussian", 0.05)
    assert estimate_noise(noisy, kind="speckle", level=0.3).level == 0.3
    assert estimate_noise(noisy, kind="poisson").kind == "poisson"


def test_values_cut_off_at_0_are_seen_as_cut_off():
    dark = np.where(scene() > 0.5, 0.8, 0.0)
    found = estimate_noise(np.maximum(add(dark, "gaussian", 0.1), 0))
    assert (found.kind, found.low, found.high) == ("gaussian", 0.0, np.inf)
    assert found.level == pytest.approx(0.1, rel=0.12)


@pytest.mark.parametrize("kind", KINDS)
def test_moments_are_those_of_drawn_samples(kind: str):
    signal = np.array([0.0, 0.05, 0.3, 0.9])
    model = NoiseModel(kind, 0.1, 0.0 if kind == "gaussian" else -np.inf, 1.0 if kind == "gaussian" else np.inf)
    drawn = add(np.repeat(signal[:, None], 200_000, 1), kind, 0.1)
    drawn = np.clip(drawn, model.low, model.high)
    mean, deviation = model.moments(signal)
    np.testing.assert_allclose(mean, drawn.mean(axis=1), atol=2e-3)
    np.testing.assert_allclose(deviation, drawn.std(axis=1), atol=2e-3)


def test_structure_does_not_pass_for_noise_and_padding_not_for_its_absence():
    image = 1000 * add(scene(), "gaussian", 0.02)
    assert estimate_sigma(image) == pytest.approx(20, rel=0.1)
    padded = np.pad(image, [(0, 0), (200, 200), (200, 200)])
    assert estimate_sigma(padded) == pytest.approx(20, rel=0.15)


def test_an_image_without_noise_or_too_small_has_none():
    assert estimate_sigma(np.full((1, 50, 50), 3.0)) == 0
    assert estimate_noise(np.full((1, 50, 50), 3.0)).level == 0
    assert estimate_noise(np.zeros((1, 2, 2))).level == 0
    assert estimate_noise(np.zeros((5, 1, 90))).level == 0


def test_what_is_no_noise_is_refused():
    with pytest.raises(InputError, match="noise: expected one of"):
        NoiseModel("salt", 0.1)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="level"):
        NoiseModel("gaussian", np.nan)


def test_magnitudes_with_a_dark_ground_are_told_from_noise_that_would_be_negative():
    # A small dark hole in bright things: nearly all deviations are those of Gaussian noise.
    j, i = np.mgrid[:256, :256] / 256
    image = np.where(np.hypot(j - 0.5, i - 0.5) < 0.1, 0.0, 0.4 + 0.5 * scene())
    for level in (0.06, 0.12):
        assert estimate_noise(add(image, "rician", level)).kind == "rician"
        assert estimate_noise(add(image, "gaussian", level)).kind == "gaussian"
        assert estimate_noise(np.maximum(add(image, "gaussian", level), 0)).kind == "gaussian"


def test_pictures_of_8_bits_are_not_counts_for_their_whole_numbers():
    for kind, level in (("gaussian", 0.04), ("speckle", 0.1)):
        rounded = np.clip(np.rint(255 * add(0.3 + 0.3 * scene(), kind, level)), 0, 255).astype(np.uint8)
        assert estimate_noise(rounded).kind == kind
    counts = np.random.default_rng(0).poisson(200 * scene())
    assert estimate_noise(counts).kind == "poisson"
    assert estimate_noise(counts).level == pytest.approx(1, rel=0.1)


def test_in_a_unit_that_goes_below_0_noise_stays_gaussian():
    hounsfield = np.where(scene() > 0.3, 40.0, -950.0) + 20 * scene()
    for sigma in (0.5, 15.0, 60.0):
        assert (
            estimate_noise(hounsfield + np.random.default_rng(0).normal(0, sigma, hounsfield.shape)).kind == "gaussian"
        )
