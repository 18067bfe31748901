import numpy as np

from isocenter.imaging.phantoms_shapes import Canvas, Capsule, Ellipsoid
from isocenter.imaging.segment.grids import CoarseMap
from isocenter.imaging.segment.lungs import Lungs
from isocenter.imaging.segment.nodule_candidates import find_candidates, hull_box

SHAPE, SPACING = (60, 60, 60), (1.0, 1.0, 1.0)


def _scene(*solids):
    canvas = Canvas(SHAPE, SPACING, (-29.5, -29.5, -29.5), -850.0)
    for solid in solids:
        canvas.paint(solid, 30.0, fine=2)
    coarse = CoarseMap.for_grid(SHAPE, SPACING, 2.0)
    hull = np.zeros(coarse.shape, np.uint8)
    hull[2:-2, 2:-2, 2:-2] = 1
    none = np.zeros(coarse.shape, bool)
    return canvas.values(), Lungs(hull, hull, none, none, coarse, -850.0)


def test_a_ball_is_one_round_candidate_of_its_size():
    hu, lungs = _scene(Ellipsoid((5, -4, 3), (4, 4, 4)))
    best = find_candidates(hu, SPACING, lungs)[0]
    assert np.allclose(best.centre, (32.5, 25.5, 34.5), atol=1.2)
    assert 2.5 < best.radius_mm < 6
    assert best.roundness > 0.7


def test_a_long_vessel_is_not_round():
    hu, lungs = _scene(Capsule((-60, 0, 0), (60, 0, 0), 2.5, 2.5))
    middle = [c for c in find_candidates(hu, SPACING, lungs) if abs(c.centre[2] - 29.5) < 15]
    assert all(c.roundness < 0.5 for c in middle)


def test_empty_lung_has_no_candidates():
    assert find_candidates(*_with_noise(20.0)) == ()


def test_the_hulls_box_holds_the_hull():
    _, lungs = _scene()
    assert [(s.start, s.stop) for s in hull_box(lungs, margin_mm=0.0)] == [(4, 56)] * 3


def _with_noise(noise_hu):
    hu, lungs = _scene()
    return hu + np.random.default_rng(0).normal(0, noise_hu, SHAPE).astype(np.float32), SPACING, lungs
