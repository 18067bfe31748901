import numpy as np
import pytest

from isocenter.imaging.segment.lungs import find_lungs
from isocenter.imaging.segment.nodule_candidates import find_candidates
from isocenter.imaging.segment.nodules import find_nodules

SMALL = {"size_mm": (120.0, 170.0, 220.0), "spacing_mm": (1.5, 1.0, 1.0), "calcium": False, "vessel_mm": (1.0, 2.5)}


@pytest.fixture(scope="module")
def chest(crude_chest):
    return crude_chest(8, diameters=(6.0, 8.0, 11.0), edge_mm=0.5, **SMALL)


@pytest.fixture(scope="module")
def lungs(chest):
    return find_lungs(chest.hu, chest.spacing_mm)


def test_every_nodule_is_among_the_candidates(chest, lungs):
    places = np.array([c.centre for c in find_candidates(chest.hu, chest.spacing_mm, lungs)]) * chest.spacing_mm
    for centre, semi in chest.nodules:
        assert np.linalg.norm(places - centre, axis=1).min() < semi.max() / 2


def test_nodules_are_found_and_measured_and_vessels_are_none(chest, lungs):
    found = find_nodules(chest.hu, chest.spacing_mm, lungs)
    assert len(found) == len(chest.nodules) == 3
    for centre, semi in chest.nodules:
        near = min(found, key=lambda f: np.linalg.norm(f.ellipsoid.centre_mm - centre))
        assert np.linalg.norm(near.ellipsoid.centre_mm - centre) < 1
        assert abs(np.mean(near.ellipsoid.axial_axes_mm) - semi[1] - semi[2]) < 0.3


def test_a_chest_without_nodules_has_none(crude_chest):
    chest = crude_chest(9, diameters=(), **SMALL)
    assert find_nodules(chest.hu, chest.spacing_mm, find_lungs(chest.hu, chest.spacing_mm)) == ()


def test_what_a_nodule_hangs_on_is_named(chest, lungs):
    kinds = {f.attachment for f in find_nodules(chest.hu, chest.spacing_mm, lungs)}
    assert "isolated" in kinds
