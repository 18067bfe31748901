import numpy as np
import pytest

from isocenter.imaging.phantoms_projection import (
    Ellipse,
    coil_sensitivities,
    draw_ellipses,
    project_ellipses,
    shepp_logan,
)
from isocenter.imaging.reconstruct.geometry import ScanGeometry


def test_an_ellipse_has_its_area():
    drawn = draw_ellipses((Ellipse(2.0, (3.0, -4.0), (15.0, 9.0), 20.0),), (60, 70), pixel_mm=0.8)
    assert drawn.sum() * 0.8**2 == pytest.approx(2 * np.pi * 15 * 9, rel=0.003)


def test_every_parallel_view_holds_the_whole_mass():
    geometry = ScanGeometry(np.array([0.0, 33.0, 90.0, 170.0]), 301, 0.25, (60, 60), 1.0)
    views = project_ellipses((Ellipse(2.0, (3.0, -4.0), (15.0, 9.0), 20.0),), geometry)
    np.testing.assert_allclose(views.sum(axis=1) * 0.25, 2 * np.pi * 15 * 9, rtol=0.002)


def test_a_ray_through_the_centre_is_as_long_as_the_disc():
    for beam in (None, (100.0, 150.0)):
        geometry = ScanGeometry(np.array([0.0, 77.0]), 3, 1.0, (60, 60), 1.0, beam)
        assert project_ellipses((Ellipse(0.5, (0.0, 0.0), (20.0, 20.0)),), geometry)[:, 1] == pytest.approx(20.0)


def test_a_disc_at_the_upper_right_is_drawn_and_seen_there():
    disc = (Ellipse(1.0, (10.0, 15.0), (3.0, 3.0)),)
    drawn = draw_ellipses(disc, (61, 61), pixel_mm=1.0)
    assert drawn[30 - 15, 30 + 10] == 1
    geometry = ScanGeometry(np.array([0.0, 90.0]), 61, 1.0, (61, 61), 1.0)
    assert project_ellipses(disc, geometry).argmax(axis=1).tolist() == [40, 45]


def test_the_head_lies_between_nothing_and_its_skull():
    head = draw_ellipses(shepp_logan(30.0), (64, 64), pixel_mm=1.0)
    assert head.min() == pytest.approx(0, abs=1e-6) and head.max() == pytest.approx(1)


def test_squares_of_sensitivities_sum_to_one_and_each_coil_is_brightest_on_its_side():
    coils = coil_sensitivities(4, (40, 40))
    np.testing.assert_allclose((np.abs(coils) ** 2).sum(axis=0), 1, atol=1e-5)
    assert np.abs(coils[0])[:, 30:].mean() > 2 * np.abs(coils[0])[:, :10].mean()
    assert np.abs(coils[1])[:10].mean() > 2 * np.abs(coils[1])[30:].mean()
