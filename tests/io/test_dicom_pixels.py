"""Rescaled voxels in the smallest type that holds them."""

import hashlib

import numpy as np
import pytest

from isocenter.io.dicom_frames import read_frames
from isocenter.io.dicom_pixels import BrokenFilesError, choose_dtype, inversion_sum, is_inverted, load_frames
from isocenter.io.dicom_scan import scan_file
from isocenter.io.inputs import InputFile


def frame_of(path):
    return read_frames(scan_file(InputFile(path, path, "dicom")))[0]


def frames_in(write_dicom, tmp_path, pixels, **elements):
    return [frame_of(write_dicom(tmp_path / "a", pixels, **elements))]


@pytest.mark.parametrize(
    ("dtype", "elements", "expected"),
    [
        ("u1", {}, "u1"),
        ("u2", {"BitsStored": 12}, "i2"),
        ("u2", {}, "u2"),
        ("u2", {"BitsStored": 12, "RescaleSlope": "1", "RescaleIntercept": "-1024"}, "i2"),
        ("i2", {"RescaleSlope": "1", "RescaleIntercept": "-1024"}, "i4"),
        ("u2", {"RescaleSlope": "0.5"}, "f4"),
        ("i4", {"RescaleSlope": "4"}, "f4"),
    ],
)
def test_the_type_holds_every_value_that_the_header_allows(tmp_path, write_dicom, dtype, elements, expected):
    assert choose_dtype(frames_in(write_dicom, tmp_path, np.zeros((2, 2), dtype), **elements)) == np.dtype(expected)


def test_wide_headers_with_narrow_values_stay_narrow(tmp_path, write_dicom):
    scale = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
    narrow = load_frames([frames_in(write_dicom, tmp_path, np.array([[0, 3000], [-2000, 5]], np.int16), **scale)])
    assert narrow.array.dtype == np.int16 and narrow.array.ravel().tolist() == [-1024, 1976, -3024, -1019]
    wide = load_frames([frames_in(write_dicom, tmp_path, np.array([[-32768, 0]], np.int16), **scale)])
    assert wide.array.dtype == np.int32 and wide.array.ravel().tolist() == [-33792, -1024]


def test_a_float_volume_has_the_same_values(tmp_path, write_dicom):
    pixels = np.array([[0, 4095], [7, 1]], np.uint16)
    frames = frames_in(write_dicom, tmp_path, pixels, BitsStored=12, RescaleSlope="2.5", RescaleIntercept="-100")
    assert np.allclose(load_frames([frames], np.dtype(np.float32)).array[0, 0], pixels * 2.5 - 100)


def test_each_slice_has_its_own_scale(tmp_path, write_dicom):
    pixels = np.array([[10, 20]], np.int16)
    frames = [frame_of(write_dicom(tmp_path / str(slope), pixels, RescaleSlope=str(slope))) for slope in (0.5, 0.25)]
    assert load_frames([frames]).array[0].ravel().tolist() == [5, 10, 2.5, 5]


def test_digests_are_those_of_the_files(tmp_path, write_dicom):
    (frame,) = frames_in(write_dicom, tmp_path, np.zeros((2, 2), np.uint8))
    path = frame.header.file.path
    assert load_frames([[frame]]).digests == {path: "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()}


def test_dark_is_low_after_inverting_a_projection(tmp_path, write_dicom):
    inverse = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12}
    frames = frames_in(write_dicom, tmp_path, np.array([[0, 4095]], np.uint16), Modality="DX", **inverse)
    assert is_inverted(frames[0]) and inversion_sum(frames[0]) == 4095
    assert load_frames([frames]).array.ravel().tolist() == [4095, 0]
    kept = frames_in(write_dicom, tmp_path, np.array([[0, 4095]], np.uint16), Modality="MR", **inverse)
    assert load_frames([kept]).array.ravel().tolist() == [0, 4095]


def test_every_broken_file_is_named(tmp_path, write_dicom):
    jpegls = "1.2.840.10008.1.2.4.80"
    bad = b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0junk\xfe\xff\xdd\xe0\0\0\0\0"
    shape = {"Rows": 2, "Columns": 2, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0}
    frames = [frame_of(write_dicom(tmp_path / str(n), bad, jpegls, **shape)) for n in range(2)]
    with pytest.raises(BrokenFilesError) as caught:
        load_frames([frames])
    assert len(caught.value.problems) == 2


def test_a_palette_becomes_colour(tmp_path, write_dicom):
    names = ("Red", "Green", "Blue")
    tables = {f"{names[k]}PaletteColorLookupTableData": bytes(n * (k + 1) % 256 for n in range(256)) for k in range(3)}
    tables |= {f"{colour}PaletteColorLookupTableDescriptor": [256, 0, 8] for colour in names}
    pixels = np.array([[0, 1], [2, 200]], np.uint8)
    path = write_dicom(tmp_path / "a", pixels, PhotometricInterpretation="PALETTE COLOR", Modality="US", **tables)
    found = load_frames([[frame_of(path)]]).array[0, 0]
    assert found[0, 1].tolist() == [1, 2, 3] and found[1, 1].tolist() == [200, 144, 88]


def test_a_modality_table_gives_its_values(tmp_path, write_dicom):
    from pydicom import Dataset, Sequence

    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType, table.LUTData = [4, 0, 16], "US", [10, 20, 40, 80]
    table["LUTDescriptor"].VR = table["LUTData"].VR = "US"
    path = write_dicom(tmp_path / "a", np.array([[0, 3]], np.uint16), ModalityLUTSequence=Sequence([table]))
    assert load_frames([[frame_of(path)]]).array.ravel().tolist() == [10, 80]
