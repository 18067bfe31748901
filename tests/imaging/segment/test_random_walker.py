"""Random walks against scikit-image's, against the potential of a resistor chain, and on bodies."""

import numpy as np
import pytest
from skimage.segmentation import random_walker as peer_walker

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.random_walker import meeting_chances, random_walker, walk_to_markers


def ball(radius=9, size=28, spread=25.0) -> tuple[Volume, np.ndarray]:
    k, j, i = np.mgrid[:size, :size, :size] - size / 2
    truth = k**2 + j**2 + i**2 <= radius**2
    image = 100 * truth + np.random.default_rng(0).normal(0, spread, truth.shape)
    return Volume(image.astype(np.float32), Grid.of_spacing(truth.shape, (1.0, 1.0, 1.0))), truth


def dice(one: np.ndarray, two: np.ndarray) -> float:
    return 2 * float((one & two).sum()) / max(1, int(one.sum()) + int(two.sum()))


def test_chances_are_the_potential_along_a_chain():
    array = np.array([[[0.0, 1.0, 1.5, 2.0, 2.0, 3.0]]])
    markers = np.array([[[1, 0, 0, 0, 0, 2]]])
    weights = np.exp(-3 * np.diff(array[0, 0] / array.std()) ** 2) + 1e-6
    resistance = np.cumsum(1 / weights)
    expected = 1 - np.concatenate(([0], resistance)) / resistance[-1]
    chance = meeting_chances(array, markers, numbers=[1], beta=30.0, steps=np.ones(3))[0]
    np.testing.assert_allclose(chance[0, 0], expected, atol=2e-3)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("shape", [(14, 16, 18), (1, 40, 44)])
def test_labels_and_chances_are_scikit_images(shape):
    rng = np.random.default_rng(2)
    array = np.cumsum(rng.normal(size=shape), axis=-1)
    array /= array.std()
    markers = np.zeros(shape, np.int32)
    for number in (1, 2, 3):
        markers[tuple(rng.integers(0, n, 4) for n in shape)] = number
    ours = walk_to_markers(array, markers, beta=20.0, steps=np.ones(3))
    squeezed = array[0] if shape[0] == 1 else array
    theirs = peer_walker(squeezed, markers.reshape(squeezed.shape), beta=20.0, mode="bf", return_full_prob=True)
    chances = meeting_chances(array, markers, numbers=[1, 2, 3], beta=20.0, steps=np.ones(3))
    for chance, expected in zip(chances, theirs, strict=True):
        np.testing.assert_allclose(chance.reshape(expected.shape), expected, atol=5e-3)
    assert (ours.reshape(squeezed.shape) == theirs.argmax(axis=0) + 1).mean() > 0.99


def test_chances_of_all_markers_add_up_to_one():
    volume, _ = ball()
    markers = np.zeros(volume.array.shape, np.int32)
    markers[14, 14, 14], markers[0], markers[-1] = 1, 2, 3
    total = sum(meeting_chances(volume.array, markers, numbers=[1, 2, 3], beta=20.0, steps=np.ones(3)))
    np.testing.assert_allclose(total, 1, atol=0.01)


@pytest.mark.parametrize("seed", [(), ((14, 14, 14),), ((12, 15, 13),)])
def test_a_ball_in_noise_is_found(seed):
    volume, truth = ball()
    labels = random_walker(volume, seed=seed)
    assert set(np.unique(labels)) == {0, 1}
    assert dice(labels == 1, truth) > 0.98


def test_every_seed_has_its_number():
    volume, truth = ball(radius=5)
    twice = volume.with_array(np.maximum(volume.array, np.roll(volume.array, 12, axis=2)))
    labels = random_walker(twice, seed=((26, 14, 14), (14, 14, 14)))
    assert dice(labels == 2, truth & (np.arange(28) < 20)) > 0.9
    assert labels[14, 14, 26] == 1


def test_the_result_does_not_know_the_unit_and_turns_with_the_image():
    volume, _ = ball()
    labels = random_walker(volume)
    assert (random_walker(volume.with_array(volume.array * 9 - 1024)) == labels).mean() > 0.9999
    flipped = random_walker(volume.with_array(volume.array[::-1, :, ::-1].copy()))
    assert (flipped[::-1, :, ::-1] == labels).mean() > 0.999


def test_what_a_reach_cuts_off_does_not_matter():
    volume, truth = ball()
    near = random_walker(volume, seed=((14, 14, 14),), reach_mm=11.5)
    assert dice(near == 1, truth) > 0.98
    wide = Volume(np.pad(volume.array, 6, mode="edge"), Grid.of_spacing((40, 40, 40), (1.0, 1.0, 1.0)))
    assert dice(random_walker(wide, seed=((20, 20, 20),), reach_mm=11.5)[6:-6, 6:-6, 6:-6] == 1, near == 1) > 0.99


def test_bad_input_is_named():
    volume, _ = ball()
    with pytest.raises(InputError, match="constant"):
        random_walker(volume.with_array(np.ones(volume.array.shape, np.float32)))
    with pytest.raises(InputError, match="--beta"):
        random_walker(volume, beta=-1.0)
    with pytest.raises(InputError, match="markers"):
        walk_to_markers(volume.array, np.zeros(volume.array.shape, int), beta=1.0, steps=np.ones(3))
    alone = walk_to_markers(volume.array, np.full(volume.array.shape, 4), beta=1.0, steps=np.ones(3))
    assert (alone == 4).all()


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_another_unit_changes_scikit_images_labels_and_not_ours():
    volume, truth = ball(radius=6, size=18, spread=30)
    markers = np.zeros(truth.shape, np.int32)
    markers[7:11, 7:11, 7:11], markers[0] = 1, 2

    def both(factor: float) -> tuple[np.ndarray, np.ndarray]:
        array = volume.array.astype(np.float64) * factor
        theirs = peer_walker(array, markers, beta=130, mode="cg_j", tol=1e-4)
        return walk_to_markers(array, markers, beta=130.0, steps=np.ones(3)), theirs

    (ours, theirs), (ours_scaled, theirs_scaled) = both(0.01), both(1.0)
    np.testing.assert_array_equal(ours == 1, ours_scaled == 1)
    assert dice(theirs == 1, theirs_scaled == 1) < 0.8
