"""Mosaics come apart into slices at the places that the protocol states."""

import re

import numpy as np
import pytest

from isocenter.core.errors import FormatError
from isocenter.io.dicom import read_series
from isocenter.io.dicom_mosaic import read_mosaic
from isocenter.io.dicom_scan import scan_file
from isocenter.io.inputs import InputFile

ELEMENTS = {
    "Modality": "MR", "Manufacturer": "SIEMENS", "ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [-20, -30, 5], "PixelSpacing": [2, 3],
    "SpacingBetweenSlices": "4",
}  # fmt: skip


def write_mosaic(write_dicom, path, pixels, count):
    from pydicom import dcmread

    write_dicom(path, pixels, **ELEMENTS)
    dataset = dcmread(path)
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", count)
    dataset.save_as(path)
    return path


def test_tiles_become_slices_one_step_apart(tmp_path, write_dicom):
    pixels = np.arange(4 * 6, dtype=np.uint16).reshape(4, 6)
    path = write_mosaic(write_dicom, tmp_path / "a", pixels, 3)
    (volume,) = read_series([path])
    assert volume.array.shape == (3, 2, 3)
    assert np.array_equal(volume.array[1], pixels[:2, 3:]) and np.array_equal(volume.array[2], pixels[2:, :3])
    # The whole picture's corner lies half a picture minus half a tile further out.
    assert np.allclose(volume.grid.affine[:3, 3], (-20 + 3 * 1.5, -30 + 2 * 1, 5))
    assert np.allclose(volume.grid.affine[:3, 0], (0, 0, 4))
    assert len({instance.sop_uid for instance in volume.source.instances}) == 1


def test_a_mosaic_without_its_count_is_refused(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((4, 4), np.uint16), **ELEMENTS)
    with pytest.raises(FormatError, match="mosaic"):
        read_mosaic(scan_file(InputFile(path, path, "dicom")), 4, 4)


def test_tiles_that_do_not_divide_the_picture_are_refused(tmp_path, write_dicom):
    path = write_mosaic(write_dicom, tmp_path / "a", np.zeros((5, 5), np.uint16), 4)
    with pytest.raises(FormatError, match="2 x 2 equal tiles"):
        read_mosaic(scan_file(InputFile(path, path, "dicom")), 5, 5)


def protocol_centres(path):
    """Slice centres (LPS mm) from the text of the Siemens protocol, an independent statement in the same file."""
    from pydicom import dcmread

    text = dcmread(path, stop_before_pixels=True)[0x00291020].value.decode("latin-1")
    found = {}
    pattern = r"sSliceArray\.asSlice\[(\d+)\]\.sPosition\.d(Sag|Cor|Tra)\s*=\s*(\S+)"
    for number, axis, value in re.findall(pattern, text):
        found.setdefault(int(number), np.zeros(3))[["Sag", "Cor", "Tra"].index(axis)] = float(value)
    return np.array([found[number] for number in sorted(found)])


@pytest.mark.data
@pytest.mark.parametrize("order", ["axasc35", "axdesc36", "sagasc35"])
def test_real_mosaics_lie_where_the_protocol_says(data_dir, order):
    paths = sorted((data_dir / "dicom_series" / f"dcmqa_mosaic_{order}").iterdir())
    (cine,) = read_series(paths)
    n, rows, columns = cine.grid.shape
    centres = cine.grid.to_world_mm(np.array([(k, rows / 2, columns / 2) for k in range(n)]))
    stated = protocol_centres(paths[0])
    distances = np.linalg.norm(centres[:, None] - stated[None], axis=2)
    assert distances.min(axis=1).max() < 1e-3 and sorted(distances.argmin(axis=1)) == list(range(n))
    assert cine.axis == "time" and np.allclose(np.diff(cine.times_s), 3.0, atol=0.02)
    times = [float(time) for time in dict(cine.facts.parameters)["slice_times_s"].split()]
    rising = np.argsort(distances.argmin(axis=1))[0] == 0
    assert (times[0] < times[-1]) == (rising if order != "axdesc36" else not rising)
