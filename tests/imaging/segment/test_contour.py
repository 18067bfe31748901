"""Moving contours against scikit-image's, and against bodies with known borders."""

import numpy as np
import pytest
from skimage.segmentation import morphological_chan_vese

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.contour import active_contour, grow_to_edges, two_mean_contour


def ball(radius=12, size=40, spread=25.0) -> tuple[Volume, np.ndarray]:
    k, j, i = np.mgrid[:size, :size, :size] - size / 2
    truth = k**2 + j**2 + i**2 <= radius**2
    image = 100 * truth + np.random.default_rng(0).normal(0, spread, truth.shape)
    return Volume(image.astype(np.float32), Grid.of_spacing(truth.shape, (1.0, 1.0, 1.0))), truth


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


@pytest.mark.parametrize("smoothing", [0, 1, 2])
def test_each_round_is_scikit_images(smoothing):
    volume, _ = ball()
    start = np.zeros(volume.array.shape, bool)
    start[14:26, 12:24, 16:30] = True
    for array, begin in ((volume.array, start), (volume.array[20:21], start[20:21])):
        ours = two_mean_contour(array, begin, iterations=4, smoothing=smoothing)
        shape = array.shape if array.shape[0] > 1 else array.shape[1:]
        theirs = morphological_chan_vese(
            array.reshape(shape).astype(float), 4, init_level_set=begin.reshape(shape), smoothing=smoothing
        )
        np.testing.assert_array_equal(ours.reshape(shape), theirs.astype(bool))


@pytest.mark.parametrize("kind", ["chan-vese", "geodesic"])
@pytest.mark.parametrize("seed", [(), ((22, 20, 18),)])
def test_a_ball_in_noise_is_found(kind, seed):
    volume, truth = ball()
    assert dice(active_contour(volume, kind=kind, seed=seed), truth) > 0.975


@pytest.mark.parametrize("kind", ["chan-vese", "geodesic", "snake"])
def test_a_disc_of_one_slice_is_found(kind):
    volume, truth = ball(spread=10)
    flat = Volume(volume.array[20:21], Grid.of_pixels((1, 40, 40)))
    assert dice(active_contour(flat, kind=kind), truth[20:21]) > 0.93


def test_with_a_seed_only_its_piece_is_kept():
    volume, truth = ball(radius=6)
    twice = volume.with_array(np.maximum(volume.array, np.roll(volume.array, 14, axis=2)))
    both = active_contour(twice)
    one = active_contour(twice, seed=((20, 20, 20),))
    assert both.sum() > 1.8 * one.sum()
    assert dice(one, truth) > 0.9


def test_a_balloon_stops_at_edges_and_not_before():
    volume, truth = ball(spread=5)
    start = np.zeros(truth.shape, bool)
    start[19:22, 19:22, 19:22] = True
    few = grow_to_edges(volume, start, iterations=3, smoothing=1)
    many = grow_to_edges(volume, start, iterations=200, smoothing=1)
    assert few.sum() < 0.2 * truth.sum()
    assert dice(many, truth) > 0.97


def test_bad_input_is_named():
    volume, _ = ball()
    with pytest.raises(InputError, match="one slice"):
        active_contour(volume, kind="snake")
    with pytest.raises(InputError, match="iterations"):
        active_contour(volume, iterations=0)
    with pytest.raises(InputError, match="constant"):
        active_contour(volume.with_array(np.zeros(volume.array.shape, np.float32)))
