"""One series as volumes and cines, whatever is broken in it."""

import shutil

import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError
from isocenter.io.dicom import read_series

AFFINE = np.array([[0, 0, 0.5, -10], [0, 0.5, 0, 20], [3.0, 0, 0, 7], [0, 0, 0, 1]])


def voxels(n=5):
    return np.arange(n * 12, dtype=np.int16).reshape(n, 3, 4)


def test_a_series_is_its_array_on_its_grid(tmp_path, write_stack):
    paths = write_stack(tmp_path, voxels(), AFFINE, RescaleSlope="1", RescaleIntercept="-1000")
    (volume,) = read_series(paths[::-1])
    assert np.array_equal(volume.array, voxels() - 1000) and volume.unit == "HU"
    assert np.allclose(volume.grid.affine, AFFINE) and volume.grid.position_known
    assert [one.sop_uid for one in volume.source.instances] == [f"2.25.77{k}" for k in range(5)]
    assert (volume.source.study_uid, volume.source.series_uid) == ("2.25.1", "2.25.2")
    assert len(volume.source.digests) == len(volume.source.paths) == 5


def test_a_float_volume_on_demand(tmp_path, write_stack):
    (volume,) = read_series(write_stack(tmp_path, voxels(), AFFINE), dtype=np.float32)
    assert volume.array.dtype == np.float32 and np.array_equal(volume.array, voxels())


def test_byte_equal_copies_are_ignored_with_a_note(tmp_path, write_stack):
    paths = write_stack(tmp_path / "a", voxels(), AFFINE)
    (tmp_path / "b").mkdir()
    copies = [shutil.copy(path, tmp_path / "b") for path in paths[:2]]
    (volume,) = read_series([*paths, *copies])
    assert volume.array.shape == (5, 3, 4) and "duplicate-files-ignored: 2" in volume.facts.notes


def test_another_content_under_one_uid_is_a_failure(tmp_path, write_stack):
    paths = write_stack(tmp_path / "a", voxels(), AFFINE)
    other = write_stack(tmp_path / "b", voxels() + 1, AFFINE)[0]
    failures = []
    (volume,) = read_series([*paths, other], failures=failures)
    assert np.array_equal(volume.array, voxels())
    assert failures[0].path == other and "SOP instance" in failures[0].problem


def test_a_broken_slice_is_named_and_the_rest_is_read(tmp_path, write_stack):
    paths = write_stack(tmp_path, voxels(7), AFFINE)
    paths[3].write_bytes(paths[3].read_bytes()[:-4])
    failures = []
    volumes = read_series(paths, failures=failures)
    assert [volume.array.shape[0] for volume in volumes] == [3, 3]
    assert [failure.path for failure in failures] == [paths[3]] and "cut short" in failures[0].problem
    assert {note for volume in volumes for note in volume.facts.notes} >= {"missing-slices: 1", "series-part: 2 of 2"}


def test_a_slice_that_breaks_in_its_decoder_is_left_out(tmp_path, write_stack, write_dicom):
    import imagecodecs

    def encapsulated(data):
        data += b"\0" * (len(data) % 2)
        item = b"\xfe\xff\x00\xe0"
        return item + bytes(4) + item + len(data).to_bytes(4, "little") + data + b"\xfe\xff\xdd\xe0" + bytes(4)

    paths = []
    for k in range(5):
        encoded = bytearray(imagecodecs.jpegls_encode(np.full((8, 8), k, np.uint8)))
        if k == 4:
            encoded[-12:] = b"\xff\xff\xff\xff\xff\xd9" * 2
        place = {
            "ImagePositionPatient": [0, 0, 2 * k],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [1, 1],
        }
        shape = {"Rows": 8, "Columns": 8, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
        syntax = "1.2.840.10008.1.2.4.80"
        paths.append(write_dicom(tmp_path / str(k), encapsulated(bytes(encoded)), syntax, **place, **shape))
    failures = []
    (volume,) = read_series(paths, failures=failures)
    assert volume.array[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert [failure.path for failure in failures] == [paths[4]]
    assert "broken-files-left-out: 1" in volume.facts.notes


def test_without_a_list_the_first_problem_is_raised(tmp_path, write_stack):
    paths = write_stack(tmp_path, voxels(), AFFINE)
    paths[3].write_bytes(b"")
    with pytest.raises(FormatError, match="empty"):
        read_series(paths)


def test_volumes_over_time_are_a_cine(tmp_path, write_stack):
    paths = []
    for moment in range(3):
        own = {"Modality": "MR", "AcquisitionTime": f"10000{2 * moment}", "InstanceNumber": moment + 1}
        some = write_stack(tmp_path / str(moment), voxels(2) + 100 * moment, AFFINE, **own)
        paths += some
    from pydicom import dcmread

    for number, path in enumerate(paths):
        dataset = dcmread(path)
        dataset.SOPInstanceUID = f"2.25.9{number}"
        dataset.save_as(path)
    (cine,) = read_series(paths)
    assert isinstance(cine, Cine) and cine.axis == "time" and cine.times_s.tolist() == [0, 2, 4]
    assert np.array_equal(cine.array, np.stack([voxels(2) + 100 * moment for moment in range(3)]))
    assert [one.sop_uid for one in cine.frame(1).source.instances] == ["2.25.92", "2.25.93"]


def test_not_a_number_is_refused(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint32), Modality="OT")
    from pydicom import dcmread

    dataset = dcmread(path)
    dataset.FloatPixelData = np.array([[np.nan, 1], [2, 3]], "<f4").tobytes()
    del dataset.PixelData
    dataset.save_as(path)
    with pytest.raises(FormatError, match="NaN"):
        read_series([path])
