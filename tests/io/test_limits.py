"""The limits hold before anything is allocated."""

import gzip
import io
import tracemalloc
import zlib

import pytest

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.limits import (
    GIB,
    LIMITS,
    MIB,
    Limits,
    check_enough_bytes,
    check_file_size,
    check_frame,
    check_shape,
    inflate_file,
    inflate_stream,
)


def test_the_defaults_are_those_that_the_documentation_names():
    assert (LIMITS.frame_pixels, LIMITS.frame_bytes, LIMITS.object_bytes) == (100_000_000, 512 * MIB, 2 * GIB)
    assert (LIMITS.file_bytes, LIMITS.inflate_bytes, LIMITS.inflate_ratio) == (4 * GIB, GIB, 200)
    assert (LIMITS.sequence_depth, LIMITS.elements, LIMITS.archive_members) == (64, 200_000, 100_000)


def test_an_empty_and_an_endless_file_are_refused():
    check_file_size(1)
    with pytest.raises(FormatError, match="0 bytes"):
        check_file_size(0)
    with pytest.raises(LimitError, match=r"4\.0 GiB"):
        check_file_size(4 * GIB + 1)


def test_a_frame_at_the_limit_passes_and_one_pixel_more_does_not():
    assert check_frame(10_000, 10_000) == 100_000_000
    for rows, columns, size in ((10_000, 10_001, 1), (65_535, 65_535, 2), (10_000, 10_000, 6)):
        with pytest.raises(LimitError):
            check_frame(rows, columns, size)
    with pytest.raises(FormatError):
        check_frame(0, 5)


def test_a_volume_is_counted_without_overflow():
    assert check_shape((300, 512, 512), 2) == 300 * 512 * 512 * 2
    with pytest.raises(LimitError):
        check_shape((2**31, 2**31, 2**31), 8)
    for shape in ((), (3, 0), (3, -1)):
        with pytest.raises(FormatError):
            check_shape(shape, 1)


def test_missing_bytes_are_told_with_both_numbers():
    check_enough_bytes(10, 10)
    with pytest.raises(FormatError, match=r"10 bytes .* got 9"):
        check_enough_bytes(10, 9)


@pytest.mark.parametrize("n_members", [1, 3])
@pytest.mark.parametrize("chunk", [1, 7, 10**6])
def test_inflating_gives_what_was_packed(n_members, chunk):
    class Slow(io.BytesIO):
        def read(self, n: int | None = -1) -> bytes:
            return super().read(chunk)

    text = bytes(range(256)) * 9
    packed = gzip.compress(text) * n_members
    assert inflate_stream(Slow(packed)) == text * n_members
    assert inflate_stream(Slow(packed), expected_bytes=100) == text[:100]
    assert inflate_stream(Slow(packed + b"\0" * 9), expected_bytes=10**4) == (text * n_members)[: 10**4]


def test_zlib_and_bare_deflate_are_inflated():
    text = b"abc" * 500
    assert inflate_stream(io.BytesIO(zlib.compress(text))) == text
    bare = zlib.compressobj(wbits=-15)
    assert inflate_stream(io.BytesIO(bare.compress(text) + bare.flush()), raw=True) == text


def test_damaged_and_cut_streams_are_named():
    packed = gzip.compress(bytes(range(256)) * 50)
    for cut, expected in ((20, None), (8, None), (8, 256 * 50), (1, 256 * 50)):
        with pytest.raises(FormatError, match="cut short"):
            inflate_stream(io.BytesIO(packed[:-cut]), expected_bytes=expected)
    checksum = packed[:-8] + b"\0\0\0\0" + packed[-4:]
    for expected in (None, 256 * 50):
        with pytest.raises(FormatError, match="damaged"):
            inflate_stream(io.BytesIO(checksum), expected_bytes=expected)
    assert inflate_stream(io.BytesIO(checksum), expected_bytes=100) == bytes(range(100))
    with pytest.raises(FormatError, match="damaged"):
        inflate_stream(io.BytesIO(packed[:12] + b"\xff\xff\xff" + packed[15:]))


@pytest.mark.parametrize("tail", [b"", b"\0" * 600, gzip.compress(b"more", mtime=0)])
def test_large_streams_come_out_the_same_by_either_decoder(tail):
    text = bytes(range(256)) * 8 * 1024
    packed = gzip.compress(text, 1) + tail
    for expected in (len(text), len(text) - 1, len(text) + 9):
        whole = text + (b"more" if tail[:2] == b"\x1f\x8b" else b"")
        assert inflate_stream(io.BytesIO(packed), expected_bytes=expected) == whole[:expected]
    broken = bytearray(packed)
    broken[len(gzip.compress(text, 1)) // 2] ^= 4
    with pytest.raises(FormatError):
        inflate_stream(io.BytesIO(bytes(broken)), expected_bytes=len(text))


def test_a_size_that_no_stream_can_hold_allocates_nothing():
    lying = gzip.compress(b"abc")[:-4] + (900 * MIB).to_bytes(4, "little")
    tracemalloc.start()
    with pytest.raises(FormatError):
        inflate_stream(io.BytesIO(lying), expected_bytes=900 * MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MIB


def test_a_bomb_stops_early_and_small():
    bomb = zlib.compress(bytes(40 * MIB))
    tracemalloc.start()
    with pytest.raises(LimitError, match="bomb"):
        inflate_stream(io.BytesIO(bomb))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * LIMITS.ratio_floor


def test_what_a_header_promises_bounds_the_output_not_the_ratio(tmp_path):
    path = tmp_path / "mask.gz"
    path.write_bytes(gzip.compress(bytes(20 * MIB)))
    assert len(inflate_file(path, expected_bytes=20 * MIB)) == 20 * MIB
    with pytest.raises(LimitError, match="uncompressed"):
        inflate_file(path, expected_bytes=GIB + 1)


def test_other_limits_can_be_given():
    with pytest.raises(LimitError):
        inflate_stream(io.BytesIO(zlib.compress(bytes(100))), limits=Limits(inflate_bytes=99))
