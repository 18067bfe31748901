import numpy as np

from isocenter.imaging.phantoms_anatomy import Build, make_anatomy, random_build


def test_same_seed_same_chest():
    one, other = (make_anatomy(Build(), np.random.default_rng(3)) for _ in range(2))
    assert one.vessels == other.vessels


def test_vessels_stay_inside_the_lungs_or_at_the_hilum():
    anatomy = make_anatomy(random_build(np.random.default_rng(1)), np.random.default_rng(1))
    thin = [v for v in anatomy.vessels if v.start_radius_mm < 2]
    ends = np.array([v.end_mm for v in thin]).T
    depth = np.max([-lung.distance_mm(*ends) for lung in anatomy.lungs], axis=0)
    assert len(thin) > 50
    assert (depth > 2).mean() > 0.97


def test_lungs_leave_room_for_the_heart():
    anatomy = make_anatomy(Build(), np.random.default_rng(0))
    x, y, z = (np.array([c * 0.92]) for c in Build().heart_mm)
    assert all(lung.distance_mm(x, y, z)[0] > 0 for lung in anatomy.lungs)
