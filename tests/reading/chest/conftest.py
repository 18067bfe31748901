"""A block of lung with one ball of 10 mm in it."""

import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.phantoms_shapes import Canvas, Ellipsoid
from isocenter.imaging.segment.ellipsoid_fit import FittedEllipsoid
from isocenter.imaging.segment.grids import CoarseMap
from isocenter.imaging.segment.lungs import Lungs
from isocenter.imaging.segment.nodule_candidates import Candidate
from isocenter.imaging.segment.nodule_shape import Surroundings
from isocenter.imaging.segment.nodules import NoduleFit
from isocenter.reading.chest.axial import axial_view

SHAPE = (40, 48, 48)


@pytest.fixture
def axial():
    canvas = Canvas(SHAPE, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), -850.0)
    canvas.paint(Ellipsoid((20.0, 24.0, 30.0), (5.0, 5.0, 5.0)), 30.0)
    return axial_view(Volume(canvas.values(), Grid.of_spacing(SHAPE, (1.0, 1.0, 1.0)), "HU", "CT"))


@pytest.fixture
def nodule():
    fit = FittedEllipsoid(np.array([30.0, 24.0, 20.0]), np.eye(3) / 25, 30.0, -850.0, 0.4, 0.99, 1.0, 10.0)
    return NoduleFit(fit, Surroundings(0.0, 0.0, 1.0), Candidate((30.0, 24.0, 20.0), 5.0, 0.9, 0.9))


@pytest.fixture
def lungs():
    coarse = CoarseMap.for_grid(SHAPE, (1.0, 1.0, 1.0), 2.0)
    hull = np.ones(coarse.shape, np.uint8)
    none = np.zeros(coarse.shape, bool)
    return Lungs(hull, hull, none, ~none, coarse, -850.0)
