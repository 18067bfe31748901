"""How large an input may be, and the checks that say so before anything is allocated."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, Final

from isocenter.core.errors import FormatError, LimitError

MIB: Final = 1024**2
GIB: Final = 1024**3
_CHUNK: Final = 1 * MIB
# Deflate makes at most 258 bytes of two bits: what promises more is not believed, and nothing is allocated for it.
_DENSEST: Final = 1032


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an input may be.

    frame_pixels     rows x columns of one frame
    frame_bytes      one decoded frame
    object_bytes     one decoded volume or cine
    file_bytes       one file as it lies on disk
    inflate_bytes    what one compressed stream may become
    inflate_ratio    output : input of a compressed stream whose size no header states
    ratio_floor      output below which the ratio is not looked at: blank images compress a thousandfold
    archive_members  entries of a zip
    archive_bytes    all entries of a zip together, unpacked
    video_frames     frames of a film
    """

    frame_pixels: int = 100_000_000
    frame_bytes: int = 512 * MIB
    object_bytes: int = 2 * GIB
    file_bytes: int = 4 * GIB
    inflate_bytes: int = 1 * GIB
    inflate_ratio: int = 200
    ratio_floor: int = 16 * MIB
    sequence_depth: int = 64
    elements: int = 200_000
    archive_members: int = 100_000
    archive_bytes: int = 4 * GIB
    video_frames: int = 20_000


LIMITS: Final = Limits()


def check_file_size(n_bytes: int, *, limits: Limits = LIMITS) -> None:
    """Raise FormatError for an empty file and LimitError for one over the limit."""
    if n_bytes == 0:
        raise FormatError("expected an image, the file is empty (0 bytes); copy it again from its source")
    if n_bytes > limits.file_bytes:
        raise LimitError(f"expected at most {_size(limits.file_bytes)}, the file has {_size(n_bytes)}; split it")


def check_frame(rows: int, columns: int, bytes_per_pixel: int = 1, *, limits: Limits = LIMITS) -> int:
    """The bytes of one decoded frame; LimitError where it is over the limit, FormatError where a side is not positive.

    bytes_per_pixel   all samples of a pixel together
    """
    if min(rows, columns) < 1:
        raise FormatError(f"expected rows and columns, the header says {rows} x {columns}; export the image again")
    n_bytes = rows * columns * bytes_per_pixel
    if rows * columns > limits.frame_pixels or n_bytes > limits.frame_bytes:
        raise LimitError(
            f"expected at most {limits.frame_pixels // 10**6} megapixels and {_size(limits.frame_bytes)} a frame, "
            f"the header says {rows} x {columns} ({_size(n_bytes)}); make the image smaller"
        )
    return n_bytes


def check_shape(shape: Sequence[int], bytes_per_voxel: int, *, limits: Limits = LIMITS) -> int:
    """The bytes of a decoded array; LimitError over the limit, FormatError where a side is not positive."""
    sides = tuple(int(n) for n in shape)
    if not sides or min(sides) < 1:
        raise FormatError(f"expected positive sizes, the header says {sides}; export the image again")
    n_bytes = prod(sides) * bytes_per_voxel
    if n_bytes > limits.object_bytes:
        raise LimitError(
            f"expected at most {_size(limits.object_bytes)} decoded, the header says {sides}: {_size(n_bytes)}; crop it"
        )
    return n_bytes


def check_enough_bytes(needed: int, present: int) -> None:
    """Raise FormatError where a file holds fewer bytes than its header promises."""
    if present < needed:
        raise FormatError(
            f"expected {needed} bytes of pixels as the header says, got {present}: the file is cut short; copy it again"
        )


def inflate_stream(
    stream: BinaryIO, *, expected_bytes: int | None = None, raw: bool = False, limits: Limits = LIMITS
) -> bytearray:
    """The bytes that a gzip or zlib stream (`raw`: bare deflate) holds, never more than the limits allow.

    expected_bytes   what a header promises (already checked): inflating stops there, and the ratio is not asked, for
                     a true mask of 80 MB lies in 80 kB; a short stream gives fewer bytes. Without it the ratio
                     bounds the output.

    Raises FormatError where the checksum does not fit or the end is missing, LimitError for a bomb.
    """
    if expected_bytes is not None and expected_bytes > limits.inflate_bytes:
        raise LimitError(
            f"expected at most {_size(limits.inflate_bytes)} of compressed pixels, the header says "
            f"{_size(expected_bytes)}; store it uncompressed"
        )
    if expected_bytes is not None and expected_bytes >= _CHUNK and not raw:
        whole = _inflate_at_once(stream, expected_bytes)
        if whole is not None:
            return whole
    wanted = limits.inflate_bytes + 1 if expected_bytes is None else expected_bytes
    inflated = bytearray()
    state = _Inflating(raw)
    while len(inflated) < wanted and not state.finished:
        inflated += state.step(stream, min(_CHUNK, wanted - len(inflated)))
        if expected_bytes is None:
            _check_inflation(state.n_in, len(inflated), limits)
    if not state.finished:
        state.step(stream, 1)  # over the end mark, where zlib compares the checksum
    if state.cut_short and len(inflated) >= (expected_bytes or 0):
        raise FormatError("expected compressed data to their end, they are cut short; copy the file again")
    return inflated


def _inflate_at_once(stream: BinaryIO, expected_bytes: int) -> bytearray | None:
    """The same by the faster decoder (two to three times) where the stream is one sound gzip member of that size.

    None where it is anything else; the stream then stands where it stood, and the careful way finds the words.
    """
    import imagecodecs

    start = stream.tell()
    packed = stream.read(expected_bytes + _CHUNK)
    stated = int.from_bytes(packed[-4:], "little")  # RFC 1952, 2.3.1: ISIZE
    if packed[:2] == b"\x1f\x8b" and stated == expected_bytes <= _DENSEST * len(packed):
        inflated = bytearray(expected_bytes)
        try:
            if len(imagecodecs.gzip_decode(packed, out=inflated)) == expected_bytes:
                return inflated
        except RuntimeError:  # damaged, or several members: the careful way says which
            del inflated
    stream.seek(start)
    return None


class _Inflating:
    """A compressed stream on its way: gzip members follow one another, what comes behind them is dropped."""

    def __init__(self, raw: bool) -> None:
        self.window = -zlib.MAX_WBITS if raw else zlib.MAX_WBITS | 32
        self.inflater = zlib.decompressobj(self.window)
        self.pending = b""
        self.n_in = 0
        self.finished = self.cut_short = False

    def step(self, stream: BinaryIO, n_bytes: int) -> bytes:
        """At most so many more bytes."""
        chunk = self.pending or stream.read(_CHUNK)
        if not chunk:
            self.finished = self.cut_short = True
            return b""
        try:
            part = self.inflater.decompress(chunk, n_bytes)
        except zlib.error as error:
            raise FormatError("expected compressed data, they are damaged; copy the file again") from error
        self.n_in += len(chunk) - len(self.inflater.unconsumed_tail) - len(self.inflater.unused_data)
        self.pending = self.inflater.unconsumed_tail
        if self.inflater.eof:
            self._next_member(self.inflater.unused_data or stream.read(_CHUNK))
        return part

    def _next_member(self, following: bytes) -> None:
        self.pending = following
        self.finished = not following.startswith(b"\x1f")
        self.inflater = zlib.decompressobj(self.window)


def _check_inflation(n_in: int, n_out: int, limits: Limits) -> None:
    """Raise LimitError where a stream of unstated size grows too far."""
    too_dense = n_out > limits.ratio_floor and n_out > limits.inflate_ratio * max(n_in, 1)
    if n_out > limits.inflate_bytes or too_dense:
        raise LimitError(
            f"expected data that grow at most {limits.inflate_ratio}-fold and to {_size(limits.inflate_bytes)}, "
            f"got more than {_size(n_out)} from {_size(n_in)}; it looks like a decompression bomb"
        )


def inflate_file(path: Path, *, expected_bytes: int | None = None, limits: Limits = LIMITS) -> bytearray:
    """The bytes that a gzip file holds, as `inflate_stream` bounds them."""
    with path.open("rb") as stream:
        return inflate_stream(stream, expected_bytes=expected_bytes, limits=limits)


def _size(n_bytes: int) -> str:
    """A size for people: 512 bytes, 3.2 MiB, 12.0 GiB."""
    if n_bytes < 10_000:
        return f"{n_bytes} bytes"
    return f"{n_bytes / MIB:.1f} MiB" if n_bytes < GIB else f"{n_bytes / GIB:.1f} GiB"
