"""Occlusion of a model whose answer is known in closed form."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.explain.perturb import occlusion_map

RNG = np.random.default_rng(5)


def reads(box):
    """A model whose probability of class 0 is the mean of one box."""

    def predict(batch):
        p = batch[(slice(None), 0, *box)].reshape(len(batch), -1).mean(axis=1)
        return np.stack([p, 1 - p], axis=1)

    return predict


@pytest.mark.parametrize("box", [(slice(4, 8), slice(12, 16)), (slice(0, 4), slice(20, 24))])
def test_only_what_the_model_reads_matters(box):
    image = np.zeros((1, 24, 24), np.float32)
    image[(0, *box)] = 1.0
    heat = occlusion_map(reads(box), image, column=0, patch=4, stride=4)
    inside = np.zeros((24, 24), bool)
    inside[box] = True
    np.testing.assert_allclose(heat[inside], 1 - image.mean(), atol=1e-6)
    np.testing.assert_allclose(heat[~inside], 0, atol=1e-6)


def test_what_raises_one_class_lowers_the_other():
    image = RNG.random((2, 15, 17)).astype(np.float32)
    box = (slice(3, 9), slice(4, 11))
    one, other = (occlusion_map(reads(box), image, column=c, patch=5, stride=2) for c in (0, 1))
    np.testing.assert_allclose(one, -other, atol=1e-6)


def test_the_batch_size_changes_nothing_and_the_image_stays():
    image = RNG.random((1, 16, 16)).astype(np.float32)
    before = image.copy()
    box = (slice(2, 9), slice(3, 8))
    maps = [occlusion_map(reads(box), image, column=0, patch=6, stride=3, batch=b) for b in (1, 7, 100)]
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-7)
    np.testing.assert_allclose(maps[0], maps[2], atol=1e-7)
    np.testing.assert_array_equal(image, before)


def test_volumes_are_occluded_by_cubes():
    image = np.zeros((1, 6, 12, 12), np.float32)
    box = (slice(0, 4), slice(4, 8), slice(8, 12))
    image[(0, *box)] = 1
    heat = occlusion_map(reads(box), image, column=0, patch=4, stride=4)
    assert heat.shape == (6, 12, 12)
    assert heat[1, 5, 9] == heat.max() > 0


@pytest.mark.parametrize("patch, stride", [(0, 1), (4, 5), (4, 0), (40, 4)])
def test_patches_that_cannot_be_are_refused(patch, stride):
    with pytest.raises(InputError):
        occlusion_map(
            reads((slice(0, 2), slice(0, 2))), np.zeros((1, 8, 8), np.float32), column=0, patch=patch, stride=stride
        )
