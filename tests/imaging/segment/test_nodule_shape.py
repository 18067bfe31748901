import numpy as np

from isocenter.imaging.phantoms_shapes import Canvas, Capsule, Ellipsoid
from isocenter.imaging.segment.grids import CoarseMap
from isocenter.imaging.segment.lungs import Lungs
from isocenter.imaging.segment.nodule_shape import blob_radii, in_hull, look_around, sample_linear

SHAPE, SPACING = (48, 48, 48), (1.0, 1.0, 1.0)
CENTRE = np.array([[23.5, 23.5, 23.5]])


def _scene(*solids):
    canvas = Canvas(SHAPE, SPACING, (-23.5, -23.5, -23.5), -850.0)
    for solid in solids:
        canvas.paint(solid, 30.0, fine=2)
    coarse = CoarseMap.for_grid(SHAPE, SPACING, 2.0)
    hull = np.ones(coarse.shape, np.uint8)
    none = np.zeros(coarse.shape, bool)
    return canvas.values(), Lungs(hull, hull, none, none, coarse, -850.0)


def test_a_vessel_goes_on_as_thick_as_it_is():
    hu, lungs = _scene(Capsule((-30, 0, 0), (30, 0, 0), 3.0, 3.0))
    assert look_around(hu, SPACING, CENTRE, np.array([[3.4]]), lungs)[0].neck > 0.75


def test_a_ball_alone_has_no_neck_and_is_free_all_round():
    hu, lungs = _scene(Ellipsoid((0, 0, 0), (4, 4, 4)))
    around = look_around(hu, SPACING, CENTRE, np.array([[4.0]]), lungs)[0]
    assert (around.neck, around.wall, around.free) == (0, 0, 1)


def test_a_ball_on_a_thin_vessel_has_a_thin_neck():
    hu, lungs = _scene(Ellipsoid((0, 0, 0), (5, 5, 5)), Capsule((-30, 0, 0), (30, 0, 0), 1.8, 1.8))
    assert 0.1 < look_around(hu, SPACING, CENTRE, np.array([[5.0]]), lungs)[0].neck < 0.6


def test_a_blobs_radius_is_read_off_its_edge():
    hu, lungs = _scene(Ellipsoid((0, 0, 0), (5, 5, 5)))
    assert abs(blob_radii(hu, SPACING, CENTRE, np.array([4.0]), lungs.lung_hu)[0] - 5) < 0.6


def test_linear_samples_of_a_ramp_are_exact():
    ramp = np.arange(5.0)[:, None, None] + np.zeros((5, 4, 4))
    assert np.allclose(sample_linear(ramp, np.array([[1.25, 2.0, 2.5]])), 1.25)


def test_outside_the_array_the_nearest_voxel_of_the_hull_counts():
    _, lungs = _scene()
    assert in_hull(lungs, np.array([[-5.0, 0.0, 100.0]])).all()
