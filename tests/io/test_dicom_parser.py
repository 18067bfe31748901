"""Files that the flat scan leaves to pydicom."""

import struct
import zlib

import numpy as np
import pytest

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.dicom import read_series
from isocenter.io.dicom_parser import collected_warnings, parse_header, plain_values, read_dataset
from isocenter.io.dicom_scan import scan_file
from isocenter.io.inputs import InputFile

DEFLATED = "1.2.840.10008.1.2.1.99"


def as_input(path):
    return InputFile(path, path, "dicom")


def deflate(path, body):
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(DEFLATED)) + DEFLATED.encode()
    packer = zlib.compressobj(wbits=-15)
    path.write_bytes(b"\0" * 128 + b"DICM" + meta + packer.compress(body) + packer.flush())
    return path


def body_of(path):
    """The data set of a file, without preamble and meta group."""
    data = path.read_bytes()
    return data[data.index(b"\x08\x00\x16\x00UI") :]


def test_a_deflated_file_holds_the_same_voxels(tmp_path, write_dicom):
    pixels = np.arange(64, dtype=np.uint16).reshape(8, 8)
    path = deflate(tmp_path / "b", body_of(write_dicom(tmp_path / "a", pixels)))
    (volume,) = read_series([path])
    assert np.array_equal(volume.array[0], pixels)


def test_a_deflate_bomb_is_refused(tmp_path):
    body = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 40_000_000) + b"\0" * 40_000_000
    with pytest.raises(LimitError, match="bomb"):
        scan_file(as_input(deflate(tmp_path / "a", body)))


def test_big_endian_voxels_are_turned(tmp_path, write_dicom):
    from pydicom import dcmread, dcmwrite

    pixels = np.arange(6, dtype=np.uint16).reshape(2, 3) * 300
    dataset = dcmread(write_dicom(tmp_path / "a", pixels))
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.2"
    dataset.PixelData = pixels.astype(">u2").tobytes()
    dcmwrite(tmp_path / "b", dataset, enforce_file_format=True, implicit_vr=False, little_endian=False)
    (volume,) = read_series([tmp_path / "b"])
    assert np.array_equal(volume.array[0], pixels)


def test_a_file_without_preamble_is_read(tmp_path, write_dicom):
    pixels = np.arange(4, dtype=np.uint16).reshape(2, 2)
    path = tmp_path / "b"
    path.write_bytes(body_of(write_dicom(tmp_path / "a", pixels)))
    (volume,) = read_series([path])
    assert np.array_equal(volume.array[0], pixels)


def test_pixels_cut_short_are_refused(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((8, 8), np.uint16))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(FormatError, match="cut short"):
        parse_header(as_input(path))


def test_warnings_become_a_count(tmp_path):
    import warnings

    with collected_warnings() as messages:
        warnings.warn("something about a value", UserWarning, stacklevel=1)
    assert messages == ["UserWarning"]


def test_functional_groups_are_merged_per_frame(tmp_path, write_dicom):
    from pydicom import Dataset, Sequence

    def item(**elements):
        made = Dataset()
        for name, value in elements.items():
            setattr(made, name, value)
        return made

    shared = item(PixelMeasuresSequence=Sequence([item(PixelSpacing=[2, 2], SliceThickness=3)]))
    shared.PlaneOrientationSequence = Sequence([item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])
    frames = []
    for index in range(2):
        own = item(PlanePositionSequence=Sequence([item(ImagePositionPatient=[0, 0, 3.0 * index])]))
        own.PixelValueTransformationSequence = Sequence([item(RescaleSlope="2", RescaleIntercept=str(index))])
        frames.append(own)
    elements = {
        "SharedFunctionalGroupsSequence": Sequence([shared]),
        "PerFrameFunctionalGroupsSequence": Sequence(frames),
    }
    path = write_dicom(tmp_path / "a", np.ones((2, 2, 2), np.uint16), Modality="MR", NumberOfFrames=2, **elements)
    header = scan_file(as_input(path))
    assert [group["ImagePositionPatient"][2] for group in header.groups] == [0, 3]
    (volume,) = read_series([path])
    assert volume.array[:, 0, 0].tolist() == [2, 3] and np.allclose(volume.grid.spacing_mm, (3, 2, 2))
    assert [instance.frame for instance in volume.source.instances] == [1, 2]


def test_header_values_reach_no_log(tmp_path, write_dicom, caplog):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16), BodyPartExamined="CHEST")
    path.write_bytes(path.read_bytes().replace(b"CHEST", b"ches^"))
    header = parse_header(as_input(path))
    assert not caplog.records and header.text("BodyPartExamined") == "ches^"


def test_plain_values_skip_what_cannot_be_parsed(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16), PixelSpacing=[1, 1])
    path.write_bytes(path.read_bytes().replace(b"1.0\\1.0 ", b"1.0\\x.0 "))
    with collected_warnings():
        dataset, _ = read_dataset(as_input(path))
        assert plain_values(dataset)["PixelSpacing"] == ()
