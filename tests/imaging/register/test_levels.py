import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.register.levels import coarser_level, finest_level, foreground, smoother_level, take_samples


def ramp(shape=(12, 20, 30), spacing=(3.0, 1.0, 1.0)):
    grid = Grid.of_spacing(shape, spacing, (5.0, 6.0, 7.0))
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    return Volume((grid.to_world_mm(index) @ (1.0, 2.0, 3.0)).astype(np.float32), grid)


def test_a_coarser_level_keeps_every_place():
    """Means of blocks of a linear image are its values at the blocks' centres."""
    level = coarser_level(finest_level(ramp()), 3.0)
    assert level.array.shape == (12, 6, 10)
    index = np.argwhere(np.ones(level.array.shape, dtype=bool))
    places = index @ level.affine[:3, :3].T + level.affine[:3, 3]
    inner = (index > 0).all(1) & (index < np.array(level.array.shape) - 1).all(1)
    np.testing.assert_allclose(level.array.ravel()[inner], (places @ (1.0, 2.0, 3.0))[inner], atol=0.6)


def test_thick_slices_stay_while_rows_shrink():
    level = coarser_level(finest_level(ramp(spacing=(20.0, 1.0, 1.0))), 4.0)
    np.testing.assert_allclose(level.spacing_mm, (20, 4, 4))


def test_unknown_voxels_and_colours_become_numbers():
    spoiled = ramp()
    spoiled.array[3, 4, 5] = np.nan
    spoiled.array[3, 4, 6] = np.inf
    level = finest_level(spoiled)
    assert np.isfinite(level.array).all()
    assert level.array[3, 4, 5] == level.range[0]
    colour = Volume(np.full((1, 4, 4, 3), (255, 0, 0), np.uint8), Grid.of_pixels((1, 4, 4)))
    colour.array[0, 0, 0] = 0
    assert finest_level(colour).array.max() == pytest.approx(0.299 * 255, rel=1e-4)


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_an_image_without_contrast_is_refused(value):
    with pytest.raises(InputError, match="registration"):
        finest_level(ramp().with_array(np.full((12, 20, 30), value, np.float32)))


def test_samples_are_spread_and_the_same_every_time():
    level = finest_level(ramp())
    chosen = np.zeros(level.array.shape, dtype=bool)
    chosen[2:6] = True
    one, other = (take_samples(level, chosen, n_most=200) for _ in range(2))
    np.testing.assert_array_equal(one.index, other.index)
    assert len(one.values) == 200
    assert {2.0, 3.0, 4.0, 5.0} == set(one.index[:, 0])
    np.testing.assert_array_equal(one.values, level.array[tuple(one.index.astype(int).T)])
    assert len(take_samples(level, None, n_most=10**6).values) == level.array.size


def test_the_foreground_is_what_is_brighter(body):
    image = body(noise=1.0)
    level = finest_level(image)
    found = foreground(level)
    true = body().array > 40
    assert np.mean(found == true) > 0.9


def test_blur_keeps_the_mean(body):
    level = finest_level(body())
    assert smoother_level(level, 3.0).array.mean() == pytest.approx(level.array.mean(), rel=0.02)
