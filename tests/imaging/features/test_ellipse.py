"""An ellipse fitted to its own points is itself; its circumference is the elliptic integral."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ellipe

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.imaging.features.ellipse import Ellipse, ellipse_mask, fit_ellipse, fit_ellipse_to_mask
from isocenter.imaging.features.outline import edge_points


@settings(max_examples=50, deadline=None)
@given(
    st.floats(-500, 500), st.floats(-500, 500), st.floats(5, 300), st.floats(0.3, 0.97), st.floats(-89, 89)
)  # fmt: skip
def test_an_ellipse_is_found_from_its_points(row: float, column: float, major: float, ratio: float, angle: float):
    true = Ellipse((row, column), (major, major * ratio), angle)
    found = fit_ellipse(true.points(50))
    np.testing.assert_allclose(found.centre, true.centre, atol=1e-5 * major)
    np.testing.assert_allclose(found.semi_axes, true.semi_axes, rtol=1e-5)
    assert abs((found.angle_deg - angle + 90) % 180 - 90) < 1e-3


@pytest.mark.parametrize("ratio", [0.5, 0.7, 0.8, 1.0])
def test_the_circumference_is_the_elliptic_integral(ratio: float):
    ellipse = Ellipse((0, 0), (100, 100 * ratio), 0)
    assert ellipse.perimeter == pytest.approx(400 * ellipe(1 - ratio**2), rel=1e-8)
    rim = ellipse.points(20000)
    assert np.linalg.norm(rim - np.roll(rim, 1, axis=0), axis=1).sum() == pytest.approx(ellipse.perimeter, rel=1e-6)
    assert ellipse.area == pytest.approx(np.pi * 1e4 * ratio)


@pytest.mark.parametrize("pixel_mm", [(0.25, 0.25), (0.2, 0.35), (0.4, 0.15)])
def test_a_mask_on_oblong_pixels_gives_millimetres(pixel_mm: tuple[float, float]):
    true = Ellipse((52.0, 61.0), (45.0, 34.0), -25)
    shape = (int(110 / pixel_mm[0]), int(130 / pixel_mm[1]))
    picture = ellipse_mask(true, shape, pixel_mm=pixel_mm)
    mask = Mask(picture[None], Grid.of_spacing((1, *shape), (1.0, *pixel_mm)))
    found = fit_ellipse_to_mask(mask)
    assert abs(found.perimeter - true.perimeter) < 0.1
    np.testing.assert_allclose(found.centre, true.centre, atol=0.05)
    np.testing.assert_allclose(found.semi_axes, true.semi_axes, atol=0.05)
    assert abs(found.angle_deg - true.angle_deg) < 0.3


def test_without_a_pixel_size_there_are_no_millimetres():
    mask = Mask(ellipse_mask(Ellipse((20, 20), (12, 9), 0), (40, 40))[None], Grid.of_pixels((1, 40, 40)))
    with pytest.raises(UnknownSpacingError):
        fit_ellipse_to_mask(mask)
    assert fit_ellipse(edge_points(mask.array[0])).semi_axes[0] == pytest.approx(12, abs=0.2)


def test_noise_on_the_outline_hardly_moves_the_fit():
    true = Ellipse((200, 260), (150, 110), 40)
    noisy = true.points(400) + np.random.default_rng(0).normal(0, 2, (400, 2))
    assert fit_ellipse(noisy).perimeter == pytest.approx(true.perimeter, rel=0.01)


def test_the_fit_of_noisy_points_equals_opencvs_direct_method():
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0, 3, (200, 2))
        points = Ellipse((200, 260), (150, 110), 40).points(200) + noise
        (x, y), axes, _ = cv2.fitEllipseDirect(points[:, ::-1].astype(np.float32))
        found = fit_ellipse(points)
        np.testing.assert_allclose(found.centre, (y, x), atol=0.02)
        np.testing.assert_allclose(sorted(2 * np.array(found.semi_axes)), sorted(axes), atol=0.05)


def test_part_of_a_rim_still_gives_an_ellipse():
    true = Ellipse((200, 260), (150, 110), 10)
    assert fit_ellipse(true.points(360)[:250]).semi_axes == pytest.approx(true.semi_axes, rel=1e-6)


@pytest.mark.parametrize(
    "points",
    [np.zeros((5, 2)), np.ones((9, 2)), np.column_stack((np.arange(9.0), 2 * np.arange(9.0))), np.full((8, 2), np.nan)],
)
def test_points_that_no_ellipse_fits_are_refused(points: np.ndarray):
    with pytest.raises(InputError, match="ellipse"):
        fit_ellipse(points)
