"""Class activation finds the place that the logit comes from, and the box holds the share that it says."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.explain.cam import class_map, region_bounds, region_box


def bump(shape=(60, 80), centre=(20, 50), sigma=6.0):
    rows, columns = np.indices(shape)
    return np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * sigma**2)).astype(np.float32)


def test_the_peak_lies_where_the_class_is_active():
    cam = np.zeros((1, 3, 8, 8), np.float32)
    cam[0, 1, 2, 5] = 4.0
    heat = class_map({"cam": cam}, 1, shape=(64, 64))
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    assert heat.max() == 1.0 and heat.min() == 0.0
    assert (abs(row - 19.5), abs(column - 43.5)) <= (1, 1)  # centre of cell (2, 5) of 8-pixel cells


def test_what_all_classes_share_does_not_count():
    """A softmax does not change when every logit rises alike, so neither does the map."""
    rng = np.random.default_rng(0)
    cam = rng.normal(size=(1, 3, 7, 7)).astype(np.float32)
    common = 10 * rng.normal(size=(1, 1, 7, 7)).astype(np.float32)
    one, other = (class_map({"cam": c}, 2, shape=(28, 28)) for c in (cam, cam + common))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_maps_with_the_last_layer_give_the_same_as_an_exported_activation():
    rng = np.random.default_rng(1)
    maps, weights = rng.normal(size=(1, 5, 6, 6)).astype(np.float32), rng.normal(size=(3, 5)).astype(np.float32)
    cam = np.einsum("cd,ndhw->nchw", weights, maps)
    np.testing.assert_allclose(
        class_map({"maps": maps}, 0, shape=(12, 12), weights=weights),
        class_map({"cam": cam}, 0, shape=(12, 12)),
        atol=1e-5,
    )


def test_an_image_that_speaks_against_the_class_gives_an_empty_map():
    heat = class_map({"cam": -np.ones((1, 1, 4, 4), np.float32)}, 0, shape=(8, 8))
    assert not heat.any()


def test_a_network_without_maps_is_named():
    with pytest.raises(InputError, match="occlusion"):
        class_map({"logits": np.zeros((1, 3))}, 0, shape=(8, 8))
    with pytest.raises(InputError, match="below 3"):
        class_map({"cam": np.zeros((1, 3, 2, 2))}, 3, shape=(8, 8))


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_the_region_is_the_circle_that_holds_the_share_of_a_gaussian(share):
    """A disc of radius r around a 2-D Gaussian holds 1 - exp(-r²/2σ²) of it."""
    sigma = 8.0
    (top, left), (bottom, right) = region_box(bump((128, 128), (60, 70), sigma), share)
    radius = sigma * np.sqrt(-2 * np.log(1 - share))
    assert (bottom - top) / 2 == pytest.approx(radius, abs=1.6)
    assert (right - left) / 2 == pytest.approx(radius, abs=1.6)
    assert ((top + bottom - 1) / 2, (left + right - 1) / 2) == pytest.approx((60, 70), abs=1)


def test_two_regions_are_kept_apart_while_one_holds_the_share():
    heat = bump(centre=(15, 15)) + 0.5 * bump(centre=(45, 65))
    (_, _), (bottom, right) = region_box(heat, 0.5)
    assert bottom < 35 and right < 45


def test_a_volume_has_a_box_of_three_axes():
    heat = np.zeros((10, 12, 14), np.float32)
    heat[3:5, 4:8, 6:7] = 1
    assert region_bounds(heat) == ((3, 4, 6), (5, 8, 7))


def test_a_flat_map_has_the_whole_image():
    assert region_box(np.zeros((4, 5))) == ((0, 0), (4, 5))
    assert region_box(np.ones((4, 5))) == ((0, 0), (4, 5))


@pytest.mark.parametrize(
    "heat, share", [(np.full((3, 3), np.nan), 0.5), (np.ones((3, 3)), 0.0), (np.ones((2, 3, 3)), 0.5)]
)
def test_maps_that_cannot_be_are_refused(heat, share):
    with pytest.raises(InputError):
        region_box(heat, share)
