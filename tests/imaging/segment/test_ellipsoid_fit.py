import numpy as np
import pytest

from isocenter.imaging.phantoms_shapes import Canvas, Capsule, Ellipsoid
from isocenter.imaging.segment.ellipsoid_fit import Crop, directions, fit_ellipsoid

SPACING = (1.5, 0.8, 0.8)
START = np.array([-15.0, -16.0, -16.0])


def _crop(*solids, noise=0.0, spacing=SPACING):
    shape = tuple(round(s) for s in 2 * -START / spacing)
    canvas = Canvas(shape, spacing, (START[2], START[1], START[0]), -850.0)
    for solid in solids:
        canvas.paint(solid, 30.0, fine=3)
    values = canvas.values() + np.random.default_rng(0).normal(0, noise, shape)
    return Crop(values, np.ones(shape, bool), START, spacing, spacing[0])


def _fit(crop, radius):
    return fit_ellipsoid(crop, centre_mm=np.array([0.4, -0.4, 0.3]), radius_mm=radius * 0.85, background_hu=-850.0)


@pytest.mark.parametrize("diameter", [4.0, 6.0, 10.0, 16.0])
def test_a_sphere_has_its_diameter(diameter):
    fit = _fit(_crop(Ellipsoid((0.2, 0.1, 0.0), (diameter / 2,) * 3), noise=20.0), diameter / 2)
    assert abs(np.mean(fit.axial_axes_mm) - diameter) < 0.12
    assert abs(fit.inside_hu - 30) < 40


def test_an_ellipsoid_has_its_axes_and_volume():
    body = Ellipsoid((0, 0, 0), (6.0, 4.0, 5.0), 30.0)
    fit = _fit(_crop(body, noise=20.0), 5.0)
    assert np.allclose(fit.semi_axes_mm, (4, 5, 6), atol=0.1)
    assert np.allclose(fit.axial_axes_mm, (12, 8), atol=0.2)
    assert abs(fit.volume_ml / body.volume_ml - 1) < 0.04


def test_a_vessel_through_it_does_not_swell_it():
    ball = Ellipsoid((0, 0, 0), (4.0, 4.0, 4.0))
    vessel = Capsule((-20.0, 3.0, 0.0), (20.0, 3.0, 2.0), 1.6, 1.6)
    fit = _fit(_crop(ball, vessel, noise=20.0), 4.0)
    assert abs(np.mean(fit.axial_axes_mm) - 8) < 0.3


def test_half_in_a_wall_it_keeps_its_size():
    ball = Ellipsoid((0, 0, 0), (5.0, 5.0, 5.0))
    wall = Ellipsoid((0.0, -106.0, 0.0), (1000.0, 104.0, 1000.0))
    fit = _fit(_crop(ball, wall, noise=20.0), 5.0)
    assert abs(np.mean(fit.axial_axes_mm) - 10) < 0.4


def test_hard_voxels_without_partial_volume_are_no_hindrance():
    crop = _crop(noise=0.0)
    k, j, i = (START[a] + np.arange(crop.values.shape[a]) * SPACING[a] for a in range(3))
    inside = k[:, None, None] ** 2 + j[None, :, None] ** 2 + i[None, None, :] ** 2 <= 16
    hard = Crop(np.where(inside, 0.0, -850.0), crop.usable, START, SPACING, SPACING[0])
    assert abs(np.mean(_fit(hard, 4.0).axial_axes_mm) - 8) < 0.3


def test_empty_lung_gives_none():
    assert _fit(_crop(noise=20.0), 4.0) is None


def test_directions_are_spread_evenly():
    assert np.abs(directions().mean(axis=0)).max() < 0.01
    assert np.allclose(np.linalg.norm(directions(), axis=1), 1)
