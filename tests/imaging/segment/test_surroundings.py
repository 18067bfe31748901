"""A click amid what looks alike: blobs of known place in a body that differs little from them."""

import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.graph_cut import graph_cut
from isocenter.imaging.segment.random_walker import random_walker
from isocenter.imaging.segment.surroundings import amid_its_like, block_means, coarse_factors, spread_blocks
from isocenter.imaging.segment.watershed import watershed


def body(shape=(24, 44, 48), radius=7.0, at=(12, 22, 20), noise=8.0) -> tuple[Volume, np.ndarray]:
    """A ball (or disc) of 60 in a body of 0 in air of -1000."""
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    truth = (k - at[0]) ** 2 + (j - at[1]) ** 2 + (i - at[2]) ** 2 <= radius**2
    tissue = ((j - shape[1] / 2) / 20) ** 2 + ((i - shape[2] / 2) / 22) ** 2 <= 1
    array = np.where(truth, 60.0, np.where(tissue, 0.0, -1000.0)) + np.random.default_rng(0).normal(0, noise, shape)
    return Volume(array.astype(np.float32), Grid.of_spacing(shape, (1.0, 1.0, 1.0))), truth


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


@pytest.mark.parametrize(
    "given", [{}, {"noise": 15.0}, {"at": (2, 22, 20)}, {"shape": (1, 44, 48), "at": (0, 22, 20), "noise": 6.0}]
)
@pytest.mark.parametrize("method", [watershed, graph_cut, random_walker])
def test_one_click_in_a_blob_amid_its_like_gives_the_blob(method, given):
    volume, truth = body(**given)
    k, j, i = given.get("at", (12, 22, 20))
    assert dice(method(volume, seed=((i, j, k),)) > 0, truth) > 0.85


def test_cores_lie_inside_and_the_beyond_outside():
    volume, truth = body()
    found = amid_its_like(volume, [(12, 22, 20)])
    assert truth[found == 1].all() and (found == 1).any()
    assert not truth[found == 2].any()
    assert (found == 2).mean() > 0.7


def test_what_fills_its_class_has_a_core_but_no_surroundings():
    k, j, i = np.mgrid[:25, :25, :25] - 12
    truth = k**2 + j**2 + i**2 <= 8**2
    array = (100.0 * truth + np.random.default_rng(0).normal(0, 5, truth.shape)).astype(np.float32)
    found = amid_its_like(Volume(array, Grid.of_pixels(truth.shape)), [(12, 12, 12)])
    assert set(np.unique(found)) == {0, 1}
    assert truth[found == 1].all()


def test_two_places_in_one_thing_share_no_core():
    volume, _ = body()
    assert set(np.unique(amid_its_like(volume, [(12, 22, 18), (12, 22, 22)]))) == {0, 3}


def test_a_constant_image_has_no_surroundings():
    assert not amid_its_like(Volume(np.ones((4, 8, 8)), Grid.of_pixels((4, 8, 8))), [(1, 2, 3)]).any()


def test_blocks_are_even_sided_means_and_spread_back():
    volume = Volume(np.arange(3 * 5 * 4, dtype=np.int16).reshape(3, 5, 4), Grid.of_spacing((3, 5, 4), (2.0, 1.0, 1.0)))
    assert coarse_factors(volume, most=60) == (1, 1, 1)
    factors = coarse_factors(volume, most=20)
    assert factors == (1, 2, 2)
    small = block_means(volume, factors)
    assert small.array.shape == (3, 3, 2)
    assert small.grid.spacing_mm.tolist() == [2.0, 2.0, 2.0]
    assert small.array[0, 0, 0] == volume.array[0, :2, :2].mean()
    assert small.array[2, 2, 1] == volume.array[2, 4:, 2:].mean()
    back = spread_blocks(small.array, factors, volume.grid.shape)
    assert back.shape == volume.grid.shape
    assert (back[1, 2:4, :2] == small.array[1, 1, 0]).all()
