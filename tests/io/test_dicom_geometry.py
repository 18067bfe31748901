"""Stacks of slices: regular parts, affines, tilt."""

import numpy as np
import pytest

from isocenter.core.errors import GeometryError
from isocenter.io.dicom_geometry import cluster_distances, fit_stack, normal_of, split_regular

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def test_the_normal_of_an_axial_plane_points_to_the_head():
    assert np.allclose(normal_of(AXIAL), (0, 0, 1))


def test_equal_places_fall_together_in_ascending_order():
    groups = cluster_distances(np.array([5.0, 0.0, 5.001, 2.5]))
    assert [group.tolist() for group in groups] == [[1], [3], [0, 2]]


def test_an_even_stack_stays_whole():
    assert split_regular(np.arange(40) * 0.625) == [slice(0, 40)]


def test_positions_written_with_one_decimal_stay_whole():
    assert split_regular(np.round(np.arange(200) * 0.625, 1)) == [slice(0, 200)]


def test_a_missing_slice_parts_the_stack():
    distances = np.delete(np.arange(10) * 3.0, 4)
    assert split_regular(distances) == [slice(0, 4), slice(4, 9)]


def test_a_missing_slice_near_the_end_leaves_a_single_slice():
    assert split_regular(np.array([18.1, 23.1, 28.1, 38.1])) == [slice(0, 3), slice(3, 4)]


def test_a_change_of_spacing_begins_a_new_part_without_losing_a_slice():
    distances = np.array([0.0, 5, 10, 15, 25, 35, 45])
    parts = split_regular(distances)
    assert parts == [slice(0, 4), slice(4, 7)]


def test_erratic_spacing_is_refused_by_name():
    with pytest.raises(GeometryError, match="even spacing"):
        split_regular(np.cumsum([0.0, 1, 3, 1.5, 4, 2.2, 5, 1.2, 3.3, 2.1]))


def test_the_affine_hits_the_first_and_the_last_slice():
    positions = np.array([[10.0, 20, 30 + 2.5 * k] for k in range(5)])
    affine = fit_stack(positions, AXIAL, spacing_mm=(0.7, 0.6), step_mm=None).affine
    assert np.allclose((affine @ (4, 0, 0, 1))[:3], positions[-1])
    assert np.allclose((affine @ (0, 1, 0, 1))[:3] - positions[0], (0, 0.7, 0))
    assert np.allclose((affine @ (0, 0, 1, 1))[:3] - positions[0], (0.6, 0, 0))


def test_a_tilted_gantry_is_named_and_kept_exact():
    positions = np.array([[0.0, 0.0, 5.0 * k] for k in range(4)])
    tilted = (1.0, 0.0, 0.0, 0.0, np.cos(np.radians(14)), -np.sin(np.radians(14)))
    geometry = fit_stack(positions, tilted, spacing_mm=(0.5, 0.5), step_mm=None)
    assert geometry.notes == ("gantry-tilt: 14.0 deg",)
    assert np.allclose((geometry.affine @ (3, 0, 0, 1))[:3], positions[3])


def test_slices_beside_the_line_are_refused():
    positions = np.array([[0.0, 0, 0], [4.0, 0, 5], [0.0, 0, 10]])
    with pytest.raises(GeometryError, match="straight line"):
        fit_stack(positions, AXIAL, spacing_mm=(0.5, 0.5), step_mm=None)


def test_a_single_slice_takes_the_thickness_of_the_header():
    geometry = fit_stack(np.zeros((1, 3)), AXIAL, spacing_mm=(1, 1), step_mm=4.0)
    assert np.allclose(geometry.affine[:3, 0], (0, 0, 4)) and geometry.notes == ()
