import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.imaging.features.landmarks import LANDMARK_POINTS, measure_landmarks, voxel_step_mm

GRID = Grid.of_spacing((40, 200, 200), (5.0, 0.5, 0.5))


def points(**places: tuple[float, float, float]) -> dict[str, np.ndarray]:
    return {name: np.array(place) for name, place in places.items()}


def test_a_voxel_is_as_long_as_the_direction_says():
    assert voxel_step_mm(np.array([1.0, 0, 0]), GRID) == pytest.approx(0.5)
    assert voxel_step_mm(np.array([0, 0, -3.0]), GRID) == pytest.approx(5.0)
    assert voxel_step_mm(np.array([1.0, 0, 1]), GRID) == pytest.approx(np.hypot(0.5, 5) / np.sqrt(2))


def test_distance_and_angle_are_those_of_geometry():
    value, unit, spread = measure_landmarks("distance", points(a=(0, 0, 0), b=(30, 40, 0)), GRID)
    assert (value, unit, spread) == (50, "mm", pytest.approx(0.5))
    right = points(a=(0, 30, 0), vertex=(0, 0, 0), b=(20, 0, 0))
    value, unit, spread = measure_landmarks("angle", right, GRID)
    assert (value, unit) == (pytest.approx(90), "deg") and 1 < spread < 3


def test_the_cobb_angle_does_not_ask_which_end_of_a_line_came_first():
    tilt = np.radians(20)
    upper = {"upper_a": (0, 0, 0), "upper_b": (40, 0, 0)}
    lower = {"lower_a": (0, 0, -100), "lower_b": (40 * np.cos(tilt), 0, -100 + 40 * np.sin(tilt))}
    turned = {"lower_a": lower["lower_b"], "lower_b": lower["lower_a"]}
    for other in (lower, turned):
        assert measure_landmarks("cobb_angle", points(**upper, **other), GRID)[0] == pytest.approx(20)


def test_published_widths_give_published_ratios():
    heart = points(
        heart_right=(-42, 0, 10), heart_left=(98, 0, -20), thorax_right=(-140, 0, 0), thorax_left=(140, 0, 0)
    )
    assert measure_landmarks("cardiothoracic_ratio", heart, GRID)[0] == pytest.approx(0.5)
    head = points(horn_right=(-22, 0, 0), horn_left=(22, 0, 0), skull_right=(-64, 5, 0), skull_left=(64, 5, 0))
    value, unit, spread = measure_landmarks("evans_index", head, GRID)
    assert (value, unit) == (pytest.approx(0.34375), "1") and 0.003 < spread < 0.006


def test_the_midline_shift_is_the_way_from_the_line_whatever_its_tilt():
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    places = {"anterior": (0, -80, 30), "posterior": (0, 80, 30), "middle": (6.5, 10, 30)}
    turned = {name: turn @ np.array(place) for name, place in places.items()}
    assert measure_landmarks("midline_shift", turned, GRID)[0] == pytest.approx(6.5)
    on_line = points(anterior=(0, -80, 30), posterior=(0, 80, 30), middle=(0, 0, 30))
    value, _, spread = measure_landmarks("midline_shift", on_line, GRID)
    assert value == 0 and spread == pytest.approx(0.5)


def test_marks_half_a_voxel_off_stay_within_the_uncertainty():
    rng = np.random.default_rng(0)
    marked = points(horn_right=(-22, 0, 0), horn_left=(22, 0, 0), skull_right=(-64, 0, 0), skull_left=(64, 0, 0))
    truth, _, spread = measure_landmarks("evans_index", marked, GRID)
    moved = [
        {name: place + rng.uniform(-0.25, 0.25, 3) for name, place in marked.items()} for _ in range(200)
    ]  # fmt: skip
    errors = [abs(measure_landmarks("evans_index", each, GRID)[0] - truth) for each in moved]
    assert np.mean(np.array(errors) <= spread) > 0.95


def test_wrong_names_and_points_are_refused():
    with pytest.raises(InputError, match="expected one of distance"):
        measure_landmarks("length", {}, GRID)
    with pytest.raises(InputError, match="expects the points a, b"):
        measure_landmarks("distance", points(a=(0, 0, 0)), GRID)
    for name, names in LANDMARK_POINTS.items():
        if name not in ("distance", "cobb_angle"):
            with pytest.raises(InputError, match="one place"):
                measure_landmarks(name, {point: np.zeros(3) for point in names}, GRID)
