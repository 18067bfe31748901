"""Local limits against scikit-image's, and bodies on a ramp that no single limit can part."""

import numpy as np
import pytest
from skimage.filters import threshold_local, threshold_sauvola

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.adaptive import adaptive_threshold, local_limits, tile_limits
from isocenter.imaging.segment.threshold import otsu_limit


def on_a_ramp(shape=(1, 96, 96), spread=6.0) -> tuple[Volume, np.ndarray]:
    k, j, i = np.mgrid[: shape[0], : shape[1], : shape[2]]
    truth = np.zeros(shape, bool)
    for row, column in ((20, 20), (24, 70), (48, 46), (74, 24), (72, 74)):
        truth |= (j - row) ** 2 + (i - column) ** 2 + (k - shape[0] // 2) ** 2 <= 12**2
    image = 80 * truth + 1.5 * i + 0.8 * j + np.random.default_rng(0).normal(0, spread, shape)
    return Volume(image.astype(np.float32), Grid.of_spacing(shape, (1.0, 1.0, 1.0))), truth


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


@pytest.mark.parametrize("shape", [(1, 96, 96), (24, 96, 96)])
def test_tiles_find_bodies_on_a_ramp_where_one_limit_cannot(shape):
    volume, truth = on_a_ramp(shape)
    assert dice(adaptive_threshold(volume), truth) > 0.97
    assert dice(volume.array > otsu_limit(volume.array), truth) < 0.75


def test_on_an_even_background_the_tiles_agree_with_otsu():
    truth = on_a_ramp()[1]
    image = (100 * truth + np.random.default_rng(1).normal(0, 8, truth.shape)).astype(np.float32)
    assert dice(adaptive_threshold(Volume(image, Grid.of_pixels(truth.shape))), truth) > 0.99


def test_local_means_are_scikit_images():
    array = np.random.default_rng(2).normal(size=(1, 40, 50))
    np.testing.assert_allclose(
        local_limits(array, size=11)[0], threshold_local(array[0], 11, "mean", mode="reflect"), atol=1e-5
    )


def test_sauvolas_limits_are_scikit_images():
    array = np.random.default_rng(3).random((1, 40, 50)) * 200
    half_range = np.ptp(array) / 2
    ours = local_limits(array, size=15, k=0.3)[0]
    theirs = threshold_sauvola(array[0], 15, k=0.3, r=half_range)
    inner = (slice(8, -8),) * 2
    np.testing.assert_allclose(ours[inner], theirs[inner], rtol=1e-5)


def test_an_offset_shifts_every_limit():
    volume, _ = on_a_ramp()
    np.testing.assert_array_equal(
        adaptive_threshold(volume, method="mean", size=31, offset=10.0),
        volume.array > local_limits(volume.array, size=31) + np.float32(10),
    )


def test_the_limits_follow_a_change_of_unit():
    volume, _ = on_a_ramp()
    np.testing.assert_allclose(
        tile_limits(volume.array * 4 - 7), tile_limits(volume.array) * 4 - 7, rtol=1e-3, atol=0.5
    )


def test_bad_input_is_named():
    volume, _ = on_a_ramp()
    with pytest.raises(InputError, match="constant"):
        adaptive_threshold(volume.with_array(np.ones(volume.array.shape, np.float32)))
    for size in (1, 0, -3):
        with pytest.raises(InputError, match="--size"):
            adaptive_threshold(volume, size=size)
    with pytest.raises(InputError, match="odd"):
        adaptive_threshold(volume, method="mean", size=10)
