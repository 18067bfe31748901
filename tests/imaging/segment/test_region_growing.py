"""A click finds a body: balls of known size, blurred, in noise, with a bridge to a neighbour."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.region_growing import region_growing


def ball(spacing=(1.0, 1.0, 1.0), radius=11.0, size_mm=36.0, spread=20.0, blur=0.0) -> tuple[Volume, np.ndarray]:
    axes = [(np.arange(round(size_mm / s)) - (round(size_mm / s) - 1) / 2) * s for s in spacing]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    truth = k**2 + j**2 + i**2 <= radius**2
    image = gaussian_filter(100.0 * truth, blur) if blur else 100.0 * truth
    image = image + np.random.default_rng(0).normal(0, spread, truth.shape)
    return Volume(image.astype(np.float32), Grid.of_spacing(truth.shape, spacing)), truth


def middle(volume: Volume) -> tuple[tuple[int, int, int]]:
    k, j, i = (n // 2 for n in volume.grid.shape)
    return ((i, j, k),)


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


@pytest.mark.parametrize(
    ("case", "least"),
    [({"spread": 0.0}, 0.985), ({}, 0.985), ({"spread": 5.0, "blur": 1.2}, 0.95), ({"spacing": (4.0, 1.0, 1.0)}, 0.96)],
)
def test_a_click_finds_a_ball(case, least):
    volume, truth = ball(**case)
    found = region_growing(volume, seed=middle(volume))
    assert dice(found.mask, truth) > least
    assert found.notes == ()


def test_without_a_click_it_starts_in_the_largest_bright_body():
    volume, truth = ball()
    assert dice(region_growing(volume).mask, truth) > 0.985


def test_a_dark_body_and_another_unit_change_nothing():
    volume, truth = ball()
    other = volume.with_array(1000 - 12 * volume.array)
    assert dice(region_growing(other, seed=middle(volume)).mask, truth) > 0.985


def test_one_slice_is_grown_in_its_plane():
    volume, truth = ball()
    flat = Volume(volume.array[18:19], Grid.of_pixels((1, 36, 36)))
    assert dice(region_growing(flat, seed=((18, 18),)).mask, truth[18:19]) > 0.97


def test_two_clicks_find_two_bodies():
    volume, truth = ball(radius=5, spread=10)
    twice = volume.with_array(np.maximum(volume.array, np.roll(volume.array, 12, axis=2)))
    found = region_growing(twice, seed=((17, 17, 17), (29, 17, 17)))
    assert dice(found.mask, truth | np.roll(truth, 12, axis=2)) > 0.97


def with_a_bridge() -> tuple[Volume, np.ndarray]:
    """A ball, joined by a rod of 5 voxels to a slab at the image's border."""
    volume, truth = ball(radius=9, spread=8)
    array = volume.array.copy()
    others = np.zeros(truth.shape, bool)
    others[15:20, 15:20, 18:] = others[:, :, 32:] = True
    array[others & ~truth] += 100
    return volume.with_array(array), truth


def test_a_leak_is_closed_and_told():
    volume, truth = with_a_bridge()
    found = region_growing(volume, seed=((17, 17, 17),))
    assert dice(found.mask, truth) > 0.85
    assert len(found.notes) == 1
    assert "leaked" in found.notes[0]
    assert "mm" in found.notes[0]


def test_without_the_guard_the_leak_is_told():
    volume, _ = with_a_bridge()
    found = region_growing(volume, seed=((17, 17, 17),), neck_mm=0.0)
    assert found.mask[17, 17, 34]
    assert "border" in found.notes[0]


def test_the_reach_is_told_when_it_ended_the_growth():
    volume, _ = ball()
    found = region_growing(volume, seed=middle(volume), reach_mm=5)
    assert found.reached_limit
    assert "reach" in found.notes[0]


def test_given_limits_are_taken_as_they_are():
    volume, truth = ball(spread=0)
    np.testing.assert_array_equal(region_growing(volume, seed=middle(volume), low=50, high=150).mask, truth)
    assert region_growing(volume, seed=middle(volume), low=50).mask.sum() == truth.sum()
    with pytest.raises(InputError, match="--low"):
        region_growing(volume, seed=middle(volume), low=200)


def test_millimetres_need_a_spacing_and_a_constant_image_has_no_middle():
    volume, _ = ball()
    pixels = Volume(volume.array, Grid.of_pixels(volume.grid.shape))
    with pytest.raises(UnknownSpacingError):
        region_growing(pixels, seed=middle(volume), reach_mm=5)
    with pytest.raises(InputError, match="constant"):
        region_growing(volume.with_array(np.ones(volume.array.shape, np.float32)))
    with pytest.raises(InputError, match="--neck-mm"):
        region_growing(volume, seed=middle(volume), neck_mm=-1)


def test_a_thin_vessel_is_followed():
    array = np.random.default_rng(0).normal(0, 3, (5, 40, 40)).astype(np.float32)
    array[2, 20, 5:35] = 100
    found = region_growing(Volume(array, Grid.of_pixels(array.shape)), seed=((10, 20, 2),))
    assert found.mask[2, 20, 5:35].all()


@pytest.mark.parametrize("number", range(6))
def test_noise_of_a_fifth_of_the_step_does_not_end_the_growth_in_one_slice(number):
    rng = np.random.default_rng(number)
    j, i = np.meshgrid(np.arange(120), np.arange(130), indexing="ij")
    disc = (j - 55) ** 2 + (i - 70) ** 2 <= 30**2
    picture = np.clip(70 + 100 * disc + rng.normal(0, 20, disc.shape), 0, 255).astype(np.uint8)
    found = region_growing(Volume(picture[None], Grid.of_pixels((1, 120, 130))), seed=((70, 55),))
    assert dice(found.mask[0], disc) > 0.97


def test_a_body_of_the_same_gray_behind_a_wide_neck_is_cut_off():
    """A ball of radius 22 that hangs by a neck of radius 7 to a slab at the border: deeper than its gap is wide."""
    axes = [np.arange(n) for n in (50, 50, 90)]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    ball_of_22 = (k - 25) ** 2 + (j - 25) ** 2 + (i - 24) ** 2 <= 22**2
    neck = ((k - 25) ** 2 + (j - 25) ** 2 <= 49) & (i > 24)
    image = 60.0 * (ball_of_22 | neck | (i > 56)) + np.random.default_rng(3).normal(0, 6, k.shape)
    found = region_growing(Volume(image.astype(np.float32), Grid.of_spacing(k.shape, (1, 1, 1))), seed=((24, 25, 25),))
    assert dice(found.mask, ball_of_22) > 0.93
    assert "leaked" in found.notes[0]
