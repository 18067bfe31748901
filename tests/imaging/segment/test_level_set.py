"""Level sets on bodies with known volume."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.level_set import level_set, n_rounds


def test_large_rooms_take_fewer_rounds_so_that_none_takes_minutes():
    assert [n_rounds(n) for n in (100, 4_000_000, 8_000_000, 10**9)] == [300, 300, 150, 50]


def ball(spacing=(1.0, 1.0, 1.0), radius=9.0, size_mm=30.0, spread=20.0) -> tuple[Volume, np.ndarray]:
    axes = [(np.arange(round(size_mm / s)) - (round(size_mm / s) - 1) / 2) * s for s in spacing]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    truth = k**2 + j**2 + i**2 <= radius**2
    image = 100 * truth + np.random.default_rng(0).normal(0, spread, truth.shape)
    return Volume(image.astype(np.float32), Grid.of_spacing(truth.shape, spacing)), truth


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


@pytest.mark.parametrize(("kind", "least"), [("threshold", 0.98), ("geodesic", 0.93)])
def test_a_ball_in_noise_is_found(kind, least):
    volume, truth = ball()
    assert dice(level_set(volume, kind=kind), truth) > least
    assert dice(level_set(volume, kind=kind, seed=((15, 15, 15),)), truth) > least


def test_thick_slices_are_as_wide_as_they_are():
    volume, truth = ball((3.0, 1.0, 1.0))
    assert dice(level_set(volume), truth) > 0.97


def test_a_disc_of_one_slice_is_found():
    volume, truth = ball()
    flat = Volume(volume.array[15:16], Grid.of_pixels((1, 30, 30)))
    assert dice(level_set(flat), truth[15:16]) > 0.97


def test_a_dark_body_is_found_from_a_seed_and_the_unit_does_not_matter():
    volume, truth = ball()
    dark = volume.with_array(-5 * volume.array - 300)
    assert dice(level_set(dark, seed=((15, 15, 15),)), truth) > 0.98


def test_bad_input_is_named():
    volume, _ = ball()
    with pytest.raises(InputError, match="constant"):
        level_set(volume.with_array(np.ones(volume.array.shape, np.float32)))
    with pytest.raises(InputError, match="4 voxels"):
        level_set(Volume(np.random.default_rng(0).random((2, 9, 9)), Grid.of_pixels((2, 9, 9))))
    with pytest.raises(InputError, match="--curvature"):
        level_set(volume, curvature=-1.0)
