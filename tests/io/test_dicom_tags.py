"""Element values as plain tuples."""

import struct

import pytest

from isocenter.io.dicom_tags import NAMES, VR_OF, WANTED, decode_value, normalise_value


def test_names_and_tags_are_one_to_one():
    assert len(NAMES) == len(WANTED) == len(VR_OF)


def test_standard_tags_are_those_of_the_dictionary():
    from pydicom.datadict import keyword_for_tag

    for name, (tag, _) in WANTED.items():
        if not (tag >> 16) % 2:
            assert keyword_for_tag(tag) == name


@pytest.mark.parametrize(
    ("name", "vr", "raw", "expected"),
    [
        ("PixelSpacing", "DS", b"0.7\\0.8 ", (0.7, 0.8)),
        ("Rows", "US", struct.pack("<H", 512), (512.0,)),
        ("PixelPaddingValue", "SS", struct.pack("<h", -2000), (-2000.0,)),
        ("ImageType", "CS", b"ORIGINAL\\PRIMARY\\", ("ORIGINAL", "PRIMARY")),
        ("NumberOfFrames", "IS", b"1A", ()),
        ("SiemensBValue", "UN", b"1000", (1000.0,)),
        ("SiemensDirection", "UN", struct.pack("<3d", 1, 0, 0), (1.0, 0.0, 0.0)),
        ("SiemensDirection", "OB", struct.pack("<3d", 0, 1, 0), (0.0, 1.0, 0.0)),
        ("GEBValue", "OB", b"1000\\8\\0\\0 ", (1000.0, 8.0, 0.0, 0.0)),
        ("KVP", "DS", b"", ()),
    ],
)
def test_values_are_decoded_by_their_representation(name, vr, raw, expected):
    assert decode_value(WANTED[name][0], vr, raw) == expected


def test_values_of_the_parser_come_out_alike():
    tag = WANTED["PixelSpacing"][0]
    assert normalise_value(tag, [0.7, 0.8]) == (0.7, 0.8)
    assert normalise_value(tag, None) == ()
    assert normalise_value(WANTED["Modality"][0], "CT") == ("CT",)
    assert normalise_value(WANTED["Rows"][0], struct.pack("<H", 7)) == (7.0,)
