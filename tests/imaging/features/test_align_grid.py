import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.features.align_grid import Axis, aligned_axis, interpolate

SHAPE = (9, 23, 31)


def lines() -> tuple[Axis, Axis, Axis]:
    return (
        aligned_axis(9, old_mm=3.0, new_mm=2.0),
        aligned_axis(23, old_mm=0.977, new_mm=2.0),
        aligned_axis(31, old_mm=0.977, new_mm=2.0),
    )


def everything(axes: tuple[Axis, Axis, Axis]) -> tuple[slice, slice, slice]:
    return slice(0, axes[0].count), slice(0, axes[1].count), slice(0, axes[2].count)


def test_counts_are_ceilings_but_for_rounding():
    assert aligned_axis(60, old_mm=3.0, new_mm=2.0).count == 90
    assert aligned_axis(61, old_mm=3.0, new_mm=2.0).count == 92
    assert aligned_axis(204, old_mm=0.9765625, new_mm=2.0).count == 100
    assert aligned_axis(1, old_mm=1.0, new_mm=5.0).count == 1


def test_both_grids_share_their_middle():
    for axis, size in zip(lines(), SHAPE, strict=True):
        assert np.isclose((axis.places[0] + axis.places[-1]) / 2, (size - 1) / 2)


def test_without_a_new_spacing_nothing_moves():
    assert aligned_axis(5, old_mm=2.5, new_mm=None) == Axis(0.0, 1.0, 5)


@pytest.mark.parametrize("order", [1, 3])
def test_values_are_those_of_scipy_on_an_edge_padded_array(order):
    array = np.random.default_rng(0).normal(0, 300, SHAPE)
    axes = lines()
    places = np.meshgrid(*(axis.places + 8 for axis in axes), indexing="ij")
    theirs = ndimage.map_coordinates(np.pad(array, 8, mode="edge"), places, order=order, mode="nearest")
    ours = interpolate(array, axes, everything(axes), order=order)
    assert np.abs(ours - theirs).max() < (1e-9 if order == 1 else 0.02)
    inner = (slice(2, -2), slice(2, -2), slice(2, -2))
    assert np.abs(ours - theirs)[inner].max() < (1e-9 if order == 1 else 1e-3)


@pytest.mark.parametrize("order", [1, 3])
def test_a_box_holds_what_interpolating_everything_gives(order):
    array = np.random.default_rng(1).normal(0, 300, (9, 90, 100))
    axes = (aligned_axis(9, old_mm=3.0, new_mm=2.0), *(aligned_axis(n, old_mm=0.9, new_mm=2.0) for n in (90, 100)))
    box = (slice(3, 6), slice(17, 25), slice(20, 29))
    whole = interpolate(array, axes, everything(axes), order=order)
    assert np.allclose(interpolate(array, axes, box, order=order), whole[box], atol=1e-9)


def test_a_plane_stays_a_plane():
    k, j, i = np.indices(SHAPE)
    axes = lines()
    ours = interpolate(2.0 * k - 3.0 * j + i, axes, everything(axes), order=1)
    z, y, x = np.meshgrid(*(np.clip(axis.places, 0, n - 1) for axis, n in zip(axes, SHAPE, strict=True)), indexing="ij")
    assert np.allclose(ours, 2 * z - 3 * y + x)
