import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging.features.distances import (
    angle_between_lines_deg,
    angle_deg,
    centroid_mm,
    distance_between_mm,
    line_profile,
    mask_gap_mm,
)

GRID = Grid.of_spacing((6, 20, 30), (3.0, 2.0, 1.0), (5.0, -4.0, 100.0))


def box(corner: tuple[int, int, int], size: tuple[int, int, int]) -> Mask:
    array = np.zeros(GRID.shape, bool)
    array[tuple(slice(start, start + length) for start, length in zip(corner, size, strict=True))] = True
    return Mask(array, GRID)


def test_a_distance_is_that_of_pythagoras():
    assert distance_between_mm(np.array([1.0, 2, 3]), np.array([3.0, 5, 9])) == 7.0


def test_angles_are_those_of_the_clock():
    hours = np.array([[np.sin(a), np.cos(a), 0.0] for a in np.radians([0, 90, 150])])
    centre = np.zeros(3)
    assert angle_deg(hours[0], centre, hours[1]) == pytest.approx(90)
    assert angle_deg(hours[0], centre, hours[2]) == pytest.approx(150)
    line = np.stack((centre, hours[0]))
    assert angle_between_lines_deg(line, np.stack((centre, hours[2]))) == pytest.approx(30)
    assert angle_between_lines_deg(line, line[::-1]) == pytest.approx(0, abs=1e-6)


def test_the_gap_between_boxes_is_counted_from_surface_to_surface():
    assert mask_gap_mm(box((1, 2, 2), (2, 4, 4)), box((1, 2, 12), (2, 4, 4))) == 6.0
    assert mask_gap_mm(box((1, 2, 2), (2, 4, 4)), box((1, 10, 2), (2, 4, 4))) == 8.0
    assert mask_gap_mm(box((1, 2, 2), (2, 4, 4)), box((1, 10, 12), (2, 4, 4))) == 10.0
    assert mask_gap_mm(box((1, 2, 2), (2, 4, 4)), box((1, 2, 6), (2, 4, 4))) == 0.0
    assert mask_gap_mm(box((1, 2, 2), (2, 4, 4)), box((2, 3, 3), (2, 4, 4))) == 0.0


def test_the_gap_is_the_same_from_either_side():
    first, second = box((0, 0, 0), (1, 2, 3)), box((4, 15, 20), (2, 3, 9))
    assert mask_gap_mm(first, second) == pytest.approx(mask_gap_mm(second, first))


def test_the_centre_of_a_box_lies_in_its_middle():
    np.testing.assert_allclose(centroid_mm(box((1, 2, 2), (2, 4, 5))), (5 + 4, -4 + 7, 100 + 4.5))


def test_a_profile_through_a_ramp_is_a_straight_line():
    ramp = GRID.to_world_mm(np.stack(np.indices(GRID.shape), axis=-1)) @ (1.0, 2.0, 3.0)
    volume = Volume(ramp.astype(np.float32), GRID)
    start, end = np.array([6.0, 0.0, 101.0]), np.array([30.0, 20.0, 110.0])
    found = line_profile(volume, start_mm=start, end_mm=end)
    assert found.distances_mm[-1] == pytest.approx(np.linalg.norm(end - start))
    share = found.distances_mm / found.distances_mm[-1]
    expected = start @ (1.0, 2.0, 3.0) + share * ((end - start) @ (1.0, 2.0, 3.0))
    np.testing.assert_allclose(found.values, expected, rtol=1e-5)


def test_what_has_no_length_or_leaves_the_image_is_refused():
    volume = Volume(np.zeros(GRID.shape, np.float32), GRID)
    place = np.array([6.0, 0.0, 101.0])
    with pytest.raises(InputError, match="some length"):
        line_profile(volume, start_mm=place, end_mm=place)
    with pytest.raises(InputError, match="leaves it"):
        line_profile(volume, start_mm=place, end_mm=place + 1000)
    with pytest.raises(InputError, match="one place"):
        angle_deg(place, place, place + 1)
    with pytest.raises(InputError, match="finite"):
        distance_between_mm(place, np.array([np.nan, 0, 0]))
    empty = Mask(np.zeros(GRID.shape, bool), GRID)
    with pytest.raises(InputError, match="empty"):
        centroid_mm(empty)
    with pytest.raises(InputError, match="voxels in each"):
        mask_gap_mm(empty, box((0, 0, 0), (1, 1, 1)))
