"""Floods against scikit-image's, and bodies whose number and shape are known."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.morphology import local_minima, reconstruction
from skimage.segmentation import watershed as peer_watershed

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.watershed import deep_minima, flood, split_touching, watershed


def relief(shape=(24, 30, 36), levels=1000) -> np.ndarray:
    rough = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=shape), 2)
    return np.round((rough - rough.min()) / np.ptp(rough) * levels).astype(np.int32)


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


def discs(centres, radius=12, shape=(1, 64, 96), spread=0.0) -> tuple[Volume, np.ndarray]:
    k, j, i = np.mgrid[: shape[0], : shape[1], : shape[2]]
    truth = np.zeros(shape, np.int32)
    nearest = np.full(shape, np.inf)
    for number, (row, column) in enumerate(centres, 1):
        far = (j - row) ** 2 + (i - column) ** 2 + (k - shape[0] // 2) ** 2
        truth[(far <= radius**2) & (far < nearest)] = number
        nearest = np.minimum(nearest, far)
    image = 100 * (truth > 0) + np.random.default_rng(1).normal(0, spread, shape)
    return Volume(image.astype(np.float32), Grid.of_spacing(shape, (1.0, 1.0, 1.0))), truth


def test_the_flood_equals_scikit_images():
    heights = relief()
    markers = deep_minima(heights, depth=60)
    ours, theirs = flood(heights, markers), peer_watershed(heights, markers)
    # Where two floods arrive at the same level and time, either may be first.
    assert (ours == theirs).mean() > 0.998


def test_the_flood_stays_in_its_mask():
    heights = relief((1, 40, 40))
    mask = heights > 300
    markers = deep_minima(heights, depth=60, mask=mask)
    ours = flood(heights, markers, mask=mask)
    assert not ours[~mask].any()
    assert (ours == peer_watershed(heights, markers, mask=mask)).mean() > 0.995


@pytest.mark.parametrize("depth", [4.5, 39.5, 149.5])
def test_there_are_as_many_deep_minima_as_in_the_filled_relief(depth):
    heights = relief().astype(float)
    faces = ndimage.generate_binary_structure(3, 1)
    filled = reconstruction(heights + depth, heights, method="erosion", footprint=faces)
    _, expected = ndimage.label(local_minima(filled, faces), faces)
    assert deep_minima(heights, depth=depth).max() == expected


def test_touching_discs_come_apart():
    volume, truth = discs([(32, 34), (32, 54)], spread=10)
    labels = watershed(volume)
    assert labels.max() == 2
    for number in (1, 2):
        assert max(dice(labels == label, truth == number) for label in (1, 2)) > 0.97


def test_one_round_body_stays_one():
    volume, truth = discs([(32, 40)], shape=(25, 64, 80), spread=15)
    labels = watershed(volume)
    assert labels.max() == 1
    assert dice(labels > 0, truth > 0) > 0.98


def test_seeds_number_the_bodies_in_their_order():
    volume, truth = discs([(32, 30), (32, 66)], spread=10)
    labels = watershed(volume, seed=((66, 32), (30, 32)))
    assert dice(labels == 1, truth == 2) > 0.97
    assert dice(labels == 2, truth == 1) > 0.97


def test_basins_leave_nothing_out():
    volume, _ = discs([(32, 30), (32, 66)])
    labels = watershed(volume, markers="basins", depth=5.0)
    assert labels.min() == 1
    assert labels.max() >= 3


def test_the_result_does_not_know_the_unit_of_intensity_and_turns_with_the_image():
    volume, _ = discs([(32, 34), (32, 54)], spread=10)
    labels = watershed(volume)
    scaled = watershed(volume.with_array(volume.array * 3 - 500))
    assert (labels == scaled).mean() > 0.999
    flipped = watershed(volume.with_array(volume.array[:, :, ::-1].copy()))
    assert ((flipped[:, :, ::-1] > 0) == (labels > 0)).mean() > 0.999


def test_bad_input_is_named():
    flat = Volume(np.ones((1, 8, 8), np.float32), Grid.of_pixels((1, 8, 8)))
    with pytest.raises(InputError, match="constant"):
        watershed(flat)
    with pytest.raises(InputError, match="marker"):
        flood(np.zeros((1, 4, 4)), np.zeros((1, 4, 4), np.int32))
    with pytest.raises(InputError, match="shape"):
        flood(np.zeros((1, 4, 4)), np.zeros((1, 4, 5), np.int32))
    assert not split_touching(np.zeros((3, 3, 3), bool), steps=np.ones(3)).any()
