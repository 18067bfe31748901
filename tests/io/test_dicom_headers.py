"""Source headers for reports."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.io.dicom import read_series
from isocenter.io.dicom_headers import read_headers

AFFINE = Grid.of_spacing((3, 2, 2), (2, 1, 1)).affine


def test_one_header_per_slice_in_slice_order_without_pixels(tmp_path, write_stack):
    paths = write_stack(tmp_path, np.zeros((3, 2, 2), np.int16), AFFINE)
    (volume,) = read_series(paths[::-1])
    headers = read_headers(volume)
    assert [float(header.ImagePositionPatient[2]) for header in headers] == [0, 2, 4]
    assert [header.SOPInstanceUID for header in headers] == [one.sop_uid for one in volume.source.instances]
    assert all("PixelData" not in header for header in headers)


def test_an_image_of_another_kind_has_none():
    with pytest.raises(InputError, match="DICOM"):
        read_headers(Volume(np.zeros((1, 2, 2)), Grid.of_pixels((1, 2, 2))))
