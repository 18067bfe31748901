import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.register.core_weights import core_level, core_weights, filled_body, rim_level, weighted_samples
from isocenter.imaging.register.levels import finest_level


def ball(radius=12, size=40):
    axis = np.arange(size) - size // 2
    k, j, i = np.meshgrid(axis, axis, axis, indexing="ij")
    distance = np.sqrt(k**2 + j**2 + i**2)
    array = np.where(distance <= radius, 100.0, 0.0).astype(np.float32)
    array[distance <= 4] = 0
    return finest_level(Volume(array, Grid.of_spacing(array.shape, (1.0, 1.0, 1.0)))), distance


def test_weights_rise_from_the_skin_to_the_depth():
    level, distance = ball()
    weights = core_weights(level)
    assert (weights[distance > 13] == 0).all()
    assert (weights[distance < 6] == 1).all()
    assert 0 < weights[20, 20, 20 + 11] < 0.3


def test_caves_are_filled():
    level, distance = ball()
    assert filled_body(level)[distance <= 4].all()


def test_the_rim_holds_both_sides_of_the_skin():
    level, distance = ball()
    rim = rim_level(level).array > 0
    assert rim[distance <= 13].all()
    assert not rim[distance > 16].any()


def test_samples_carry_their_weights():
    level, distance = ball()
    samples = weighted_samples(level, core_level(level), n_most=5000)
    index = tuple(samples.index.astype(int).T)
    assert (distance[index] <= 13).all()
    deep = distance[index] < 6
    assert samples.weights[deep].min() > samples.weights[distance[index] > 11].max()


def test_an_image_without_a_body_is_sampled_everywhere():
    array = np.zeros((20, 20, 20), dtype=np.float32)
    array[10, 10, 10] = 1
    level = finest_level(Volume(array, Grid.of_spacing(array.shape, (1.0, 1.0, 1.0))))
    assert len(weighted_samples(level, core_level(level), n_most=4000).values) == 4000
