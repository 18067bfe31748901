"""Edges of bodies whose borders are formulas, and scikit-image's Canny."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.feature import canny

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.edges import find_edges


def ball(spacing=(1.0, 1.0, 1.0), radius_mm=12.0, size_mm=40.0, spread=10.0) -> tuple[Volume, np.ndarray]:
    """A ball in noise, and how far each voxel is from its surface in mm."""
    axes = [(np.arange(round(size_mm / s)) - (round(size_mm / s) - 1) / 2) * s for s in spacing]
    k, j, i = np.meshgrid(*axes, indexing="ij")
    far = np.sqrt(k**2 + j**2 + i**2) - radius_mm
    image = 100.0 * (far <= 0) + np.random.default_rng(0).normal(0, spread, far.shape)
    return Volume(image.astype(np.float32), Grid.of_spacing(far.shape, spacing)), far


def slice_of(volume: Volume) -> Volume:
    middle = volume.array[volume.array.shape[0] // 2][None]
    return Volume(middle, Grid.of_pixels(middle.shape))


@pytest.mark.parametrize("method", ["canny", "log"])
def test_edges_lie_on_the_surface_of_a_ball_and_cover_it(method):
    volume, far = ball()
    edges = find_edges(volume, method=method)
    assert np.mean(np.abs(far[edges]) <= 1.5) > 0.98
    to_edge = ndimage.distance_transform_edt(~edges)
    assert np.mean(to_edge[np.abs(far) <= 0.5] <= 1.5) > 0.93


def test_thick_slices_move_no_edge():
    volume, far = ball((3.0, 1.0, 1.0), spread=5.0)
    edges = find_edges(volume)
    middle = far.shape[0] // 2
    assert np.mean(np.abs(far[middle - 2 : middle + 2][edges[middle - 2 : middle + 2]]) <= 1.5) > 0.98
    # Along the slices an edge is known to a slice.
    assert np.mean(np.abs(far[edges]) <= 3.0) > 0.98


def test_canny_finds_scikit_images_edges():
    picture = slice_of(ball(spread=20.0)[0])
    ours = find_edges(picture, low=4.0, high=10.0)[0]
    # Its Sobel operator weighs eight times the slope per pixel.
    theirs = canny(picture.array[0], 1.5, low_threshold=32, high_threshold=80, mode="nearest")
    wide = np.ones((3, 3))
    assert np.mean(ndimage.binary_dilation(theirs, wide)[ours]) > 0.98
    assert np.mean(ndimage.binary_dilation(ours, wide)[theirs]) > 0.98


def test_edges_are_one_voxel_thick():
    volume, _ = ball(spread=0.0)
    edges = find_edges(volume)
    middle = volume.array.shape[0] // 2
    along = edges[middle, middle]
    assert along.sum() == 2


def test_a_step_between_two_voxels_is_drawn_once():
    array = np.zeros((1, 20, 20), np.float32)
    array[:, :, 10:] = 50
    edges = find_edges(Volume(array, Grid.of_pixels(array.shape)))
    assert edges[0].sum(axis=1).tolist() == [1] * 20


def test_the_result_does_not_know_the_unit_of_intensity():
    volume, _ = ball(spread=15.0)
    changed = find_edges(volume.with_array(-4 * volume.array + 7)) != find_edges(volume)
    assert changed.sum() <= 0.01 * find_edges(volume).sum()


def test_a_constant_image_has_no_edge_and_limits_must_be_ordered():
    flat = Volume(np.ones((3, 9, 9), np.float32), Grid.of_pixels((3, 9, 9)))
    assert not find_edges(flat).any()
    volume, _ = ball()
    with pytest.raises(InputError, match="low"):
        find_edges(volume, low=5.0, high=2.0)
