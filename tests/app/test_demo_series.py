import numpy as np
import pydicom
import pytest

from isocenter.app.demo_series import make_uid, write_phantom_series
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume


def _volume(unit="HU"):
    array = np.arange(3 * 8 * 6, dtype=np.float32).reshape(3, 8, 6) - 1024
    return Volume(array, Grid.of_spacing((3, 8, 6), (2.0, 0.8, 0.7), (-10.0, 5.0, 30.0)), unit, "CT")


def test_the_series_holds_the_values_and_the_place(tmp_path):
    volume = _volume()
    for number, path in enumerate(write_phantom_series(volume, tmp_path)):
        image = pydicom.dcmread(path)
        assert np.array_equal(image.pixel_array + float(image.RescaleIntercept), volume.array[number])
        assert image.ImagePositionPatient == [-10.0, 5.0, 30.0 + 2 * number]
        assert image.ImageOrientationPatient == [1, 0, 0, 0, 1, 0]
        assert image.PixelSpacing == [0.8, 0.7]


def test_identifiers_come_from_the_content(tmp_path):
    one, other = (write_phantom_series(_volume(), tmp_path / name) for name in "ab")
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]
    assert make_uid("a") != make_uid("b")
    assert len(make_uid("a")) <= 64


def test_only_hounsfield_units_are_written(tmp_path):
    with pytest.raises(InputError, match="HU"):
        write_phantom_series(_volume("a.u."), tmp_path)
