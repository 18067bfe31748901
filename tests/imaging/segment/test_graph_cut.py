"""Graph cuts: the exact optimum of their own cost, and bodies in noise."""

import itertools

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.graph_cut import border_costs, cut, graph_cut, markers_to_guess


def ball(radius=10, size=32, spread=40.0) -> tuple[Volume, np.ndarray]:
    k, j, i = np.mgrid[:size, :size, :size] - size / 2
    truth = k**2 + j**2 + i**2 <= radius**2
    image = 100 * truth + np.random.default_rng(0).normal(0, spread, truth.shape)
    return Volume(image.astype(np.float32), Grid.of_spacing(truth.shape, (1.0, 1.0, 1.0))), truth


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


def energy(mask: np.ndarray, odds: np.ndarray, costs: list[np.ndarray]) -> float:
    total = -float(odds[mask].sum())
    for axis, part in enumerate(costs):
        front = tuple(slice(0, -1) if a == axis else slice(None) for a in range(3))
        total += float(part[front][np.diff(mask.astype(int), axis=axis) != 0].sum())
    return total


def test_no_other_labelling_costs_less():
    rng = np.random.default_rng(1)
    odds = rng.normal(0, 1, (1, 3, 4))
    costs = border_costs(rng.normal(size=(1, 3, 4)), smoothness=0.8, steps=np.ones(3))
    found = cut(odds, costs)
    best = min(
        energy(np.reshape(bits, (1, 3, 4)).astype(bool), odds, costs) for bits in itertools.product((0, 1), repeat=12)
    )
    assert energy(found, odds, costs) == pytest.approx(best, abs=0.05)


def test_hard_voxels_stay_where_they_must():
    odds = np.full((1, 3, 3), 5.0)
    hard = np.zeros((1, 3, 3), int)
    hard[0, 0, 0] = 2
    assert not cut(odds, [np.zeros((1, 3, 3), np.float32)] * 3, hard=hard)[0, 0, 0]
    assert cut(-odds, [np.zeros((1, 3, 3), np.float32)] * 3, hard=np.where(hard, 1, 0))[0, 0, 0]


@pytest.mark.parametrize("seed", [(), ((16, 16, 16),), ((16, 16, 16), (12, 18, 15))])
def test_a_ball_in_heavy_noise_is_found(seed):
    volume, truth = ball()
    found = graph_cut(volume, seed=seed)
    assert dice(found, truth) > 0.97
    # The peak of the two histograms' overlap costs a threshold far more.
    assert dice(volume.array > 50, truth) < 0.7


def test_a_disc_of_one_slice_is_found():
    volume, truth = ball(spread=25)
    flat = Volume(volume.array[16:17], Grid.of_pixels((1, 32, 32)))
    assert dice(graph_cut(flat), truth[16:17]) > 0.97


def test_the_reach_bounds_the_cut():
    volume, truth = ball()
    found = graph_cut(volume, seed=((16, 16, 16),), reach_mm=6)
    k, j, i = np.nonzero(found)
    assert ((k - 16) ** 2 + (j - 16) ** 2 + (i - 16) ** 2).max() <= 36
    assert dice(graph_cut(volume, seed=((16, 16, 16),), reach_mm=12), truth) > 0.97


def test_a_face_counts_by_its_area():
    thick = border_costs(np.zeros((3, 3, 3)), smoothness=1.0, steps=np.array((4.0, 1.0, 1.0)))
    assert thick[1][0, 0, 0] == pytest.approx(4 * thick[0][0, 0, 0])


def test_the_result_does_not_know_the_unit_and_turns_with_the_image():
    volume, _ = ball()
    found = graph_cut(volume)
    assert (graph_cut(volume.with_array(volume.array * 3 + 50)) == found).mean() > 0.999
    assert (graph_cut(volume.with_array(volume.array[:, ::-1].copy()))[:, ::-1] == found).mean() > 0.999


def test_bad_input_is_named():
    volume, _ = ball()
    with pytest.raises(InputError, match="constant"):
        graph_cut(volume.with_array(np.ones(volume.array.shape, np.float32)))
    with pytest.raises(InputError, match="--smoothness"):
        graph_cut(volume, smoothness=-1.0)
    with pytest.raises(InputError, match="one kind"):
        markers_to_guess(np.ones((1, 3, 3), int), 1, np.zeros((1, 3, 3)), np.ones(3))
