"""Parts of a stack go back to their places, and only what was missing is made up."""

from dataclasses import replace

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.gaps import join_parts


def ramp(n_slices: int = 9) -> Volume:
    """Brightness that rises by 10 from slice to slice, sheared as by a tilted gantry; too small for optical flow."""
    array = np.add.outer(10 * np.arange(n_slices), np.arange(14 * 18).reshape(14, 18)).astype(np.int16)
    affine = Grid.of_spacing(array.shape, (3.0, 0.7, 0.7), (5, -8, 40)).affine.copy()
    affine[1, 0] = 0.9
    return Volume(array, Grid(array.shape, affine), "HU", "CT")


def part(volume: Volume, start: int, stop: int) -> Volume:
    affine = volume.grid.affine.copy()
    affine[:3, 3] = volume.grid.to_world_mm((start, 0, 0))
    facts = replace(volume.facts, notes=("series-part: 1 of 2", "missing-slices: 1"))
    grid = Grid((stop - start, *volume.grid.shape[1:]), affine)
    return replace(volume, array=volume.array[start:stop], grid=grid, facts=facts)


@pytest.mark.parametrize("cuts", [[(0, 4), (5, 9)], [(5, 9), (0, 4)], [(0, 3), (4, 6), (8, 9)], [(0, 1), (2, 9)]])
def test_what_rises_evenly_comes_back_whole(cuts):
    whole = ramp()
    joined = join_parts([part(whole, *cut) for cut in cuts])
    np.testing.assert_allclose(joined.grid.affine, whole.grid.affine, atol=1e-9)
    np.testing.assert_allclose(joined.array, whole.array, atol=1e-3)
    present = {k for cut in cuts for k in range(*cut)}
    missing = [k for k in range(9) if k not in present]
    assert joined.facts.notes == ("missing-slices: 1", *(f"slice-interpolated: {k} (missing)" for k in missing))


def test_what_does_not_lie_on_one_grid_is_refused():
    whole = ramp()
    low, high = part(whole, 0, 4), part(whole, 5, 9)
    moved = high.grid.affine.copy()
    moved[2, 3] += 1.5
    with pytest.raises(InputError, match="uneven places"):
        join_parts([low, replace(high, grid=Grid(high.grid.shape, moved))])
    with pytest.raises(InputError, match="same rows"):
        join_parts([low, replace(high, array=high.array[:, :9], grid=Grid((4, 9, 18), high.grid.affine))])
    with pytest.raises(InputError, match="6 of 9"):
        join_parts([part(whole, 0, 2), part(whole, 8, 9)])
    with pytest.raises(InputError, match="fewer slices missing"):
        join_parts([low, part(whole, 3, 9)])
