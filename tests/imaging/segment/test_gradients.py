"""Gradients of a plane, and of a blurred edge, against their formulas."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.imaging.segment.gradients import blur, gradient, gradient_magnitude


def test_a_plane_has_its_slope_per_step():
    k, j, i = np.mgrid[:6, :7, :8].astype(np.float32)
    slopes = gradient(6 * k + 2 * j - i, steps=(3.0, 2.0, 1.0))
    for part, expected in zip(slopes, (2.0, 1.0, -1.0), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-5)


def test_an_axis_of_one_voxel_has_no_slope_and_does_not_blur():
    picture = np.random.default_rng(0).random((1, 20, 20)).astype(np.float32)
    assert not gradient(picture, steps=(1, 1, 1))[0].any()
    expected = ndimage.gaussian_filter(picture[0], 1.5, mode="nearest")
    np.testing.assert_allclose(blur(picture, sigma=1.5, steps=(1, 1, 1))[0], expected, atol=1e-4)


def test_the_steepest_place_of_a_blurred_edge_has_the_gaussians_height():
    edge = np.zeros((1, 5, 60), np.float32)
    edge[..., 30:] = 100
    steepness = gradient_magnitude(edge, sigma=4.0, steps=(1, 1, 1))[0, 2]
    # A central difference averages the slope over two pixels.
    assert steepness.max() == pytest.approx(100 / (4 * np.sqrt(2 * np.pi)), rel=0.02)
    assert int(np.argmax(steepness)) in (29, 30)
