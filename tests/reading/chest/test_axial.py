import itertools

import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.reading.chest.axial import axial_view

SPACING = np.array([2.0, 0.8, 0.7])


def _turned(order, signs):
    """A volume whose values are a function of world place, stored with its axes in another order and direction."""
    world_of_axis = {0: 2, 1: 1, 2: 0}
    shape = np.array([4, 5, 6])[list(order)]
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (which, sign) in enumerate(zip(order, signs, strict=True)):
        affine[world_of_axis[which], axis] = sign * SPACING[which]
    grid = Grid(tuple(shape), affine)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    return Volume(grid.to_world_mm(index) @ np.array([1.0, 100.0, 10000.0]), grid, "HU", "CT")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (-1, -1, -1)])
def test_any_storage_order_gives_head_back_left(order, signs):
    volume = _turned(order, signs)
    axial = axial_view(volume)
    assert np.allclose(axial.spacing_mm, SPACING)
    assert (np.diag(axial.grid.affine[[2, 1, 0], :3]) > 0).all()
    for at in ((0, 0, 0), (3, 2, 5)):
        x, y, z = axial.grid.to_world_mm(np.array(at))
        assert np.isclose(axial.array[at], x + 100 * y + 10000 * z)


def test_a_mask_goes_back_to_where_its_voxels_came_from():
    volume = _turned((1, 2, 0), (-1, 1, -1))
    axial = axial_view(volume)
    box = (slice(1, 3), slice(2, 4), slice(0, 2))
    mask = axial.source_mask(np.ones((2, 2, 2), bool), box)
    assert np.array_equal(np.sort(volume.array[mask.array]), np.sort(axial.array[box].ravel()))


def test_an_index_goes_back_too():
    volume = _turned((2, 0, 1), (1, -1, 1))
    axial = axial_view(volume)
    index = axial.source_index(np.array([1, 2, 3])).astype(int)
    assert volume.array[tuple(index)] == axial.array[1, 2, 3]
