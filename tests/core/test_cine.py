import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Instance, Source


def test_a_frame_is_a_volume_with_its_own_instance():
    instances = tuple(Instance("1.2", "1.2.3", frame) for frame in (1, 2, 3))
    array = np.arange(3 * 4 * 5).reshape(3, 1, 4, 5)
    cine = Cine(array, np.arange(3) / 25, Grid.of_pixels((1, 4, 5)), source=Source("dicom", instances=instances))
    second = cine.frame(1)
    np.testing.assert_array_equal(second.array, array[1])
    assert second.source.instances == (instances[1],)


def test_there_is_one_time_per_frame():
    with pytest.raises(InputError, match="expected 3 times"):
        Cine(np.zeros((3, 1, 4, 5)), np.zeros(2), Grid.of_pixels((1, 4, 5)))
