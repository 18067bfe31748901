import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.geometry import ScanGeometry
from isocenter.imaging.reconstruct.scans import KspaceScan, ProjectionScan, require_not_negative

GEOMETRY = ScanGeometry(np.array([0.0, 90.0]), 5, 1.0, (8, 8), 1.0)


@pytest.mark.parametrize(
    ("sinogram", "says"),
    [
        (np.zeros((5, 2)), "one row per angle"),
        (np.full((2, 5), np.nan), "10 of 10 are NaN"),
        (np.zeros((2, 5), complex), "real numbers"),
        (np.full((2, 5), 1e30), "up to 1e\\+15"),
        (np.array([["a"] * 5] * 2), "real numbers"),
    ],
)
def test_a_sinogram_that_does_not_fit_is_refused(sinogram, says):
    with pytest.raises(InputError, match=says):
        ProjectionScan(sinogram, GEOMETRY)


def test_only_an_emission_scan_has_a_factor_or_a_background():
    assert not ProjectionScan(np.ones((2, 5)), GEOMETRY).is_emission
    assert ProjectionScan(np.ones((2, 5)), GEOMETRY, background=2.0).is_emission
    with pytest.raises(InputError, match="0 or more"):
        ProjectionScan(np.ones((2, 5)), GEOMETRY, factor=-np.ones((2, 5)))


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ((np.ones((8, 8), complex), np.ones((8, 8))), "coil axis"),
        ((np.ones((2, 8, 8), complex), np.ones((8, 9))), "mask: expected"),
        ((np.ones((2, 8, 8), complex), np.zeros((8, 8))), "got none"),
        ((np.zeros((2, 8, 8), complex), np.ones((8, 8))), "all samples under the mask are zero"),
        ((np.full((2, 8, 8), np.inf), np.ones((8, 8))), "NaN or infinite"),
        ((np.ones((2, 4, 4), complex), np.ones((4, 4))), "at least 8 x 8"),
        ((np.ones((2, 8, 8), complex), np.ones((8, 8)), np.ones((3, 8, 8))), "one per coil"),
        ((np.ones((2, 8, 8), complex), np.ones((8, 8)), np.zeros((2, 8, 8))), "all are zero"),
    ],
)
def test_a_kspace_that_does_not_fit_is_refused(arrays, says):
    with pytest.raises(InputError, match=says):
        KspaceScan(*arrays)


def test_what_lies_outside_the_mask_is_not_looked_at():
    mask = np.eye(8) > 0
    scan = KspaceScan(np.ones((1, 8, 8), complex), mask)
    assert scan.kspace.sum() == 8 and scan.is_single_coil


def test_numbers_below_zero_are_refused_by_name():
    require_not_negative(weight=None, iterations=0, relaxation=0.5)
    for number in (-1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="weight: expected"):
            require_not_negative(iterations=3, weight=number)


@pytest.mark.parametrize(("beam", "angles"), [(None, [10.0, 190.0, -170.0]), ((50.0, 80.0), [10.0, 370.0])])
def test_views_from_one_side_are_refused(beam, angles):
    geometry = ScanGeometry(np.array(angles), 5, 1.0, (8, 8), 1.0, beam)
    with pytest.raises(InputError, match="at one angle, 10"):
        ProjectionScan(np.ones((len(angles), 5)), geometry)


def test_opposite_fans_are_two_sides():
    geometry = ScanGeometry(np.array([10.0, 190.0]), 5, 1.0, (8, 8), 1.0, (50.0, 80.0))
    assert ProjectionScan(np.ones((2, 5)), geometry).geometry.is_fan


def test_more_iterations_than_anybody_waits_for_are_refused():
    require_not_negative(iterations=10_000, weight=1e9)
    with pytest.raises(InputError, match="iterations: expected a number from 0 to 10000"):
        require_not_negative(iterations=10_001)
