"""The flat scan says what pydicom says, and nothing where it is unsure."""

import struct

import numpy as np
import pytest

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.dicom_parser import parse_header
from isocenter.io.dicom_scan import check_nesting, scan_file
from isocenter.io.inputs import InputFile


def as_input(path):
    return InputFile(path, path, "dicom")


def stated(header):
    """Values that are there; the sign of a padding value without VR is known to the parser only."""
    values = {name: value for name, value in header.values.items() if value}
    if "PixelPaddingValue" in values:
        values["PixelPaddingValue"] = (values["PixelPaddingValue"][0] % 65536,)
    return values


def nested(depth):
    """A data set of so many sequences inside one another, explicit little endian, undefined lengths."""
    sequence = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    return (sequence + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)) * depth


def test_the_scan_finds_values_and_pixels(tmp_path, write_dicom):
    pixels = np.arange(12, dtype=np.int16).reshape(3, 4)
    header = scan_file(
        as_input(write_dicom(tmp_path / "a", pixels, RescaleIntercept="-1024", PixelSpacing=["0.5", "0.7"]))
    )
    assert not header.parsed
    assert header.number("RescaleIntercept") == -1024
    assert header.numbers("PixelSpacing", 2) == (0.5, 0.7)
    assert (header.count("Rows", 0), header.count("Columns", 0)) == (3, 4)
    span = header.pixels
    data = (tmp_path / "a").read_bytes()[span.offset : span.offset + span.length]
    assert data == pixels.tobytes()


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
def test_scan_and_parser_agree_on_a_file(tmp_path, write_dicom, syntax):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16), syntax, ImageType=["ORIGINAL", "PRIMARY"])
    flat, parsed = scan_file(as_input(path)), parse_header(as_input(path))
    assert not flat.parsed and parsed.parsed
    assert stated(flat) == stated(parsed)
    assert (flat.syntax, flat.pixels) == (parsed.syntax, parsed.pixels)


@pytest.mark.data
@pytest.mark.parametrize("folder", ["dicom_series", "dicom_exotic"])
def test_scan_and_parser_agree_on_every_real_file(data_dir, folder):
    compared = 0
    for path in sorted(
        p for p in (data_dir / folder).rglob("*") if p.is_file() and p.suffix not in (".gz", ".csv", ".md")
    ):
        try:
            flat = scan_file(as_input(path))
        except (FormatError, LimitError):
            continue
        if flat.parsed:
            continue
        parsed = parse_header(as_input(path))
        assert stated(flat) == stated(parsed), path.name
        assert (flat.syntax, flat.pixels) == (parsed.syntax, parsed.pixels), path.name
        compared += 1
    assert compared > {"dicom_series": 150, "dicom_exotic": 100}[folder]


def test_sequences_of_undefined_length_are_stepped_over(tmp_path, write_dicom):
    from pydicom import Dataset, Sequence

    item = Dataset()
    item.ReferencedSOPInstanceUID = "2.25.9"
    deep = Dataset()
    deep.ReferencedImageSequence = Sequence([item])
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.int16), ReferencedStudySequence=Sequence([deep, deep]))
    header = scan_file(as_input(path))
    assert not header.parsed and header.pixels is not None


def test_cut_pixels_are_refused_with_both_numbers(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((8, 8), np.int16))
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(FormatError, match="expected 128 bytes of pixels as the header says, got 123"):
        scan_file(as_input(path))


def test_deep_nesting_is_refused():
    with pytest.raises(LimitError, match="64 nested sequences"):
        check_nesting(nested(65), 0, explicit=True)
    check_nesting(nested(64), 0, explicit=True)


def test_deep_nesting_is_refused_before_any_parser_recurses(tmp_path):
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
    path = tmp_path / "deep"
    path.write_bytes(b"\0" * 128 + b"DICM" + meta + nested(5000))
    with pytest.raises(LimitError):
        scan_file(as_input(path))


def test_a_fraction_of_a_row_is_no_number_of_rows(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.int16), NumberOfFrames="1")
    data = path.read_bytes().replace(b"IS\x02\x001 ", b"IS\x02\x00.5")
    path.write_bytes(data)
    with pytest.raises(FormatError, match="whole number"):
        scan_file(as_input(path)).count("NumberOfFrames", 1)
