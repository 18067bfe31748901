import numpy as np
import pytest

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Instance, Source, Volume


def test_colour_is_a_last_axis_of_three():
    grid = Grid.of_pixels((1, 4, 5))
    assert Volume(np.zeros((1, 4, 5, 3)), grid).is_colour
    assert Volume(np.zeros((1, 4, 5)), grid).is_2d
    with pytest.raises(InputError, match="rows, columns"):
        Volume(np.zeros((1, 4, 5, 4)), grid)


def test_array_and_grid_must_have_one_shape():
    with pytest.raises(GeometryError, match="expected the grid's shape"):
        Volume(np.zeros((1, 4, 4)), Grid.of_pixels((1, 4, 5)))


def test_a_source_lists_one_instance_per_slice():
    source = Source("dicom", instances=(Instance("1.2", "1.2.3"),))
    with pytest.raises(GeometryError, match="one source instance per slice"):
        Volume(np.zeros((2, 4, 5)), Grid.of_pixels((2, 4, 5)), source=source)


def test_other_values_keep_place_and_origin():
    volume = Volume(np.zeros((1, 2, 2)), Grid.of_pixels((1, 2, 2)), "HU", "CT")
    other = volume.with_array(np.ones((1, 2, 2)), unit="a.u.")
    assert (other.unit, other.modality, other.grid) == ("a.u.", "CT", volume.grid)
    assert volume.array.sum() == 0
