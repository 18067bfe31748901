import numpy as np
import pytest

from isocenter.core.card import PrepareStep
from isocenter.core.errors import InputError
from isocenter.learning.augment import OPERATIONS, augment


def scene():
    j, i = np.mgrid[:48, :64]
    image = (np.sin(j / 5) + np.cos(i / 7)).astype(np.float32)[np.newaxis]
    mask = (((j - 20) ** 2 + (i - 30) ** 2) <= 100).astype(np.float32)[np.newaxis]
    return image, mask


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_keeps_shape_and_input_and_can_be_made_again(name):
    image, mask = scene()
    before = image.copy(), mask.copy()
    first = augment(image, mask, [PrepareStep(name)], np.random.default_rng(7))
    again = augment(image, mask, [PrepareStep(name)], np.random.default_rng(7))
    assert np.array_equal(image, before[0]) and np.array_equal(mask, before[1])
    assert first[0].shape == image.shape and first[0].dtype == np.float32 and np.isfinite(first[0]).all()
    assert first[1] is not None and again[1] is not None
    assert np.array_equal(first[0], again[0]) and np.array_equal(first[1], again[1])
    other = augment(image, mask, [PrepareStep(name)], np.random.default_rng(8))
    assert name == "flip" or not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("name", ["flip", "affine"])
def test_the_mask_moves_with_the_image(name):
    _, mask = scene()
    image, moved = augment(mask, mask, [PrepareStep(name)], np.random.default_rng(3))
    assert moved is not None
    assert np.abs(image - moved).max() < 1e-6
    assert not np.array_equal(moved, mask)


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"flip", "affine"}))
def test_light_and_noise_leave_the_mask_alone(name):
    image, mask = scene()
    changed, same = augment(image, mask, [PrepareStep(name)], np.random.default_rng(3))
    assert np.array_equal(same, mask)
    assert not np.array_equal(changed, image)


def test_a_flip_twice_is_none():
    image, mask = scene()
    steps = [PrepareStep("flip", {"vertical": 1}), PrepareStep("flip", {"vertical": 1})]
    assert np.array_equal(augment(image, mask, steps, np.random.default_rng(0))[0], image)


def test_probability_decides_how_often():
    image, _ = scene()
    step = [PrepareStep("flip", {"p": 0.3})]
    changed = [not np.array_equal(augment(image, None, step, np.random.default_rng(s))[0], image) for s in range(300)]
    assert 0.2 < np.mean(changed) < 0.4


def test_unknown_steps_and_options_are_refused():
    image, _ = scene()
    with pytest.raises(InputError, match="augment: expected one of"):
        augment(image, None, [PrepareStep("twist")], np.random.default_rng(0))
    with pytest.raises(InputError, match="augment flip"):
        augment(image, None, [PrepareStep("flip", {"angle": 3})], np.random.default_rng(0))
