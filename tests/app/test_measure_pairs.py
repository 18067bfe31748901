import numpy as np
import pytest

from isocenter.app.measure_pairs import EXTRAS, measure_extra
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import LabelMap
from isocenter.core.volume import Volume

SHAPE = (6, 60, 80)
GRID = Grid.of_spacing(SHAPE, (3.0, 1.0, 1.0), (10.0, 20.0, 30.0))


def labels_of(**boxes: tuple[slice, slice, slice]) -> LabelMap:
    array = np.zeros(SHAPE, np.int32)
    for name, box in boxes.items():
        array[box] = int(name[1:])
    return LabelMap(array, GRID)


TWO = labels_of(_1=np.s_[1:4, 10:20, 10:30], _2=np.s_[1:4, 10:20, 40:50])
HU = Volume(np.zeros(SHAPE, np.int16), GRID, "HU", "CT")


def values(spec: str, volume: Volume = HU, labels: LabelMap = TWO, **options) -> dict[tuple[str, str], float]:
    return {(label, row.name): row.value for label, row in measure_extra(spec, volume, labels, **options)}


def test_the_distance_of_two_labels_is_that_of_surfaces_and_of_centres():
    found = values("distance=1,2")
    assert found == {("1-2", "surface_distance"): 10, ("1-2", "centre_distance"): pytest.approx(25)}


def test_widths_give_ratios_whichever_place_the_mask_has():
    array = np.zeros(SHAPE, np.int32)
    array[2, 5:55, 5:75] = 2
    array[2, 20:30, 30:51] = 1
    labels = LabelMap(array, GRID)
    for name in ("evans", "cardiothoracic"):
        ((label, row),) = measure_extra(f"{name}=1,2", HU, labels)
        assert (label, row.unit) == ("1-2", "1")
        assert row.value == pytest.approx(21 / 70, abs=0.01)


def test_the_halved_product_is_given_for_each_label():
    # A rectangle of 20 x 10: its diagonal times the chord across it is (20² + 10²) x 10 / 20.
    found = values("abc2")
    assert set(found) == {("1", "abc2_volume"), ("2", "abc2_volume")}
    assert found["1", "abc2_volume"] == pytest.approx(500 / 20 * 10 * 9 / 2000, rel=0.06)


def test_calcium_inside_a_label_has_score_volume_and_with_a_factor_mass():
    array = np.zeros(SHAPE, np.int16)
    array[2, 12:16, 12:14] = 400
    array[2, 12:16, 60:64] = 400  # outside every label
    hu = Volume(array, GRID, "HU", "CT")
    found = values("calcium", hu, calcium_factor=0.8)
    assert found["1", "agatston_score"] == 32
    assert found["1", "calcium_volume"] == 24
    assert found["1", "calcium_mass"] == pytest.approx(0.8 * 400 * 0.024)
    assert found["2", "agatston_score"] == 0
    assert ("1", "calcium_mass") not in values("calcium", hu)
    with pytest.raises(InputError, match="HU"):
        values("calcium", Volume(array, GRID))


def test_a_shifted_septum_and_tilted_vertebrae_are_measured():
    rows, columns = np.indices(SHAPE[1:])
    array = np.zeros(SHAPE, np.int32)
    array[2][((rows - 30) / 28) ** 2 + ((columns - 40) / 20) ** 2 <= 1] = 2
    array[2, 26:34, 44:47] = 1
    assert values("midline=1,2", labels=LabelMap(array, GRID))["1-2", "midline_shift"] == pytest.approx(5, abs=0.6)
    tilted = np.zeros(SHAPE, np.int32)
    tilted[2][(np.abs(rows - 12) < 7) & (np.abs(columns - 40) < 20)] = 1
    slant = rows - 42 - np.tan(np.radians(15)) * (columns - 40)
    tilted[2][(np.abs(slant) < 7) & (np.abs(columns - 40) < 20)] = 2
    assert values("cobb=1,2", labels=LabelMap(tilted, GRID))["1-2", "cobb_angle"] == pytest.approx(15, abs=1.5)


def test_every_extra_is_known_to_the_dispatcher():
    for name, pair in EXTRAS.items():
        if pair is not None:
            with pytest.raises(InputError, match=f"{name}=A,B"):
                values(name)


def test_unknown_names_and_labels_are_refused():
    with pytest.raises(InputError, match="expected one of abc2"):
        values("volume")
    with pytest.raises(InputError, match=r"\(1, 2\), got 7"):
        values("distance=1,7")
    with pytest.raises(InputError, match="A,B"):
        values("distance=1,2,3")
