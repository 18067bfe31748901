"""Stored values of frames: every compression gives back what went in."""

import struct

import imagecodecs
import numpy as np
import pytest

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.dicom_decode import (
    Layout,
    decode_frame,
    native_frame,
    read_layout,
    split_fragments,
    stored_range,
    to_rgb,
    trim_bits,
)
from isocenter.io.dicom_scan import scan_file
from isocenter.io.inputs import InputFile

PREFIX = "1.2.840.10008.1.2"


def layout_of(pixels, syntax=f"{PREFIX}.1", **changes):
    colour = pixels.ndim == 3
    known = {
        "rows": pixels.shape[0], "columns": pixels.shape[1], "samples": 3 if colour else 1,
        "bits_allocated": pixels.dtype.itemsize * 8, "bits_stored": pixels.dtype.itemsize * 8,
        "signed": pixels.dtype.kind == "i", "frames": 1, "photometric": "RGB" if colour else "MONOCHROME2",
        "planar": False, "floating": False, "syntax": syntax,
    }  # fmt: skip
    return Layout(**{**known, **changes})


@pytest.fixture
def ramp():
    return (np.arange(48 * 32, dtype=np.int16).reshape(48, 32) * 3 - 1000).astype(np.int16)


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        ("4.70", lambda a: imagecodecs.ljpeg_encode(a.view(np.uint16), bitspersample=16)),
        ("4.80", lambda a: imagecodecs.jpegls_encode(a.view(np.uint16))),
        ("4.90", lambda a: imagecodecs.jpeg2k_encode(a.view(np.uint16), codecformat="j2k", reversible=True, level=0)),
        ("4.201", lambda a: imagecodecs.htj2k_encode(a.view(np.uint16), reversible=True)),
    ],
)
def test_lossless_compression_gives_back_signed_values(ramp, syntax, encode):
    assert np.array_equal(decode_frame(layout_of(ramp, f"{PREFIX}.{syntax}"), bytes(encode(ramp))), ramp)


def test_run_lengths_give_back_values():
    pixels = np.repeat(np.arange(8, dtype=np.uint8)[:, None], 8, axis=1)
    packed = b"".join(bytes([257 - 8, row]) for row in range(8))
    encoded = struct.pack("<16I", 1, 64, *[0] * 14) + packed
    assert np.array_equal(decode_frame(layout_of(pixels, f"{PREFIX}.5"), encoded), pixels)


def test_a_run_length_bomb_is_refused_before_decoding():
    bomb = layout_of(np.zeros((2, 2), np.uint8), f"{PREFIX}.5", rows=9000, columns=9000)
    with pytest.raises(FormatError, match="cut short"):
        decode_frame(bomb, struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\x00" * 20)


def test_a_stream_of_another_size_is_refused_before_decoding(ramp):
    encoded = bytes(imagecodecs.jpegls_encode(ramp.view(np.uint16)))
    with pytest.raises(FormatError, match="the stream says 48 x 32"):
        decode_frame(layout_of(ramp, f"{PREFIX}.4.80", rows=10), encoded)


def test_an_unknown_compression_is_refused_by_its_number(ramp):
    with pytest.raises(FormatError, match=r"1\.2\.840\.10008\.1\.2\.4\.100"):
        decode_frame(layout_of(ramp, f"{PREFIX}.4.100"), b"")


def test_overlay_bits_above_the_stored_bits_vanish():
    stored = np.array([[0xF123, 0x0FFF]], np.uint16)
    assert trim_bits(stored, layout_of(stored, bits_stored=12)).tolist() == [[0x123, 0xFFF]]


def test_the_sign_is_carried_up_from_the_stored_bits():
    stored = np.array([[0x0FFF, 0x07FF]], np.uint16).view(np.int16)
    assert trim_bits(stored, layout_of(stored, bits_stored=12)).tolist() == [[-1, 2047]]


def test_planar_colour_and_one_bit_pixels_unfold():
    colour = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    planar = np.moveaxis(colour, -1, 0).tobytes()
    assert np.array_equal(native_frame(layout_of(colour, planar=True), memoryview(planar), 0), colour)
    bits = layout_of(np.zeros((2, 3), np.uint8), bits_allocated=1, bits_stored=1, frames=2)
    # Frame 1 begins at bit 6 of byte 0 (PS3.5 8.1.1).
    assert native_frame(bits, memoryview(b"\x80\x0f"), 1).tolist() == [[0, 1, 1], [1, 1, 1]]


def test_half_sampled_chroma_is_spread():
    layout = layout_of(np.zeros((1, 2, 3), np.uint8), photometric="YBR_FULL_422")
    frame = native_frame(layout, memoryview(bytes([10, 20, 128, 128])), 0)
    assert frame.tolist() == [[[10, 128, 128], [20, 128, 128]]]
    assert to_rgb(frame, layout).tolist() == [[[10, 10, 10], [20, 20, 20]]]


def test_luma_and_chroma_become_the_colours_of_the_standard():
    red = np.array([[[76, 85, 255]]], np.uint8)
    assert np.abs(to_rgb(red, layout_of(red, photometric="YBR_FULL")).astype(int) - (254, 0, 0)).max() <= 1


def test_deep_colour_is_reduced_to_its_upper_bits():
    deep = np.full((1, 1, 3), 0xAB12, np.uint16)
    assert to_rgb(deep, layout_of(deep)).tolist() == [[[0xAB] * 3]]


def test_too_few_bytes_for_a_frame_are_refused():
    with pytest.raises(FormatError, match="expected 18 bytes"):
        native_frame(layout_of(np.zeros((3, 3), np.int16)), memoryview(b"\0" * 17), 0)


def test_fragments_of_one_frame_are_joined():
    item = b"\xfe\xff\x00\xe0"
    data = item + b"\0\0\0\0" + item + b"\x02\0\0\0ab" + item + b"\x02\0\0\0cd" + b"\xfe\xff\xdd\xe0\0\0\0\0"
    assert split_fragments(memoryview(data), 1) == [b"abcd"]
    with pytest.raises(FormatError, match="cut short"):
        split_fragments(memoryview(data[:17]), 1)


def test_the_stored_range_follows_bits_and_sign():
    assert stored_range(layout_of(np.zeros((1, 1), np.int16), bits_stored=12)) == (-2048, 2047)
    assert stored_range(layout_of(np.zeros((1, 1), np.uint8))) == (0, 255)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"Rows": 65535, "Columns": 65535}, LimitError, "megapixels"),
        ({"NumberOfFrames": "2147483647"}, LimitError, "2.0 GiB"),
        ({"NumberOfFrames": "-3"}, FormatError, "at least one frame"),
        ({"BitsAllocated": 0}, FormatError, "bits per sample"),
        ({"BitsStored": 20}, FormatError, "bits stored"),
        ({"PhotometricInterpretation": "FANCY"}, FormatError, "unknown kind"),
        ({"Rows": 0}, FormatError, "rows and columns"),
    ],
)
def test_impossible_layouts_are_refused_by_name(tmp_path, write_dicom, changes, error, match):
    path = write_dicom(tmp_path / "a", np.zeros((4, 4), np.uint16), **changes)
    with pytest.raises(error, match=match):
        read_layout(scan_file(InputFile(path, path, "dicom")))
