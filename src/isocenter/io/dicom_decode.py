"""The stored values of a DICOM frame, whatever compressed it."""

import io
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from isocenter.core.errors import FormatError
from isocenter.io.dicom_scan import NATIVE, Header
from isocenter.io.limits import check_enough_bytes, check_frame, check_shape, inflate_stream

_RLE: Final = "1.2.840.10008.1.2.5"
# PackBits turns two bytes into at most 128 (PS3.5 G.3.1).
_RLE_DENSITY: Final = 64


@dataclass(frozen=True, slots=True)
class Layout:
    """How the frames of a file are stored (PS3.3 C.7.6.3)."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    frames: int
    photometric: str
    planar: bool
    floating: bool
    syntax: str

    @property
    def pixel_bits(self) -> int:
        """Bits of one pixel in an uncompressed frame."""
        if self.photometric == "YBR_FULL_422" and self.syntax in NATIVE:
            return 2 * self.bits_allocated
        return self.samples * self.bits_allocated

    @property
    def frame_bits(self) -> int:
        """Bits of one uncompressed frame."""
        return self.rows * self.columns * self.pixel_bits

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the stored values, little-endian."""
        if self.floating:
            return np.dtype(f"<f{self.bits_allocated // 8}")
        return np.dtype(f"<{'i' if self.signed else 'u'}{max(self.bits_allocated // 8, 1)}")


def read_layout(header: Header) -> Layout:
    """How the frames of a file are stored.

    Raises FormatError where rows, columns or bits are missing or impossible, LimitError where they are too many.
    """
    floating = header.pixels is not None and header.pixels.tag != 0x7FE00010
    allocated = header.count("BitsAllocated", 0)
    layout = Layout(
        rows=header.count("Rows", 0),
        columns=header.count("Columns", 0),
        samples=header.count("SamplesPerPixel", 1),
        bits_allocated=allocated,
        bits_stored=header.count("BitsStored", allocated),
        signed=header.count("PixelRepresentation", 0) == 1,
        frames=header.count("NumberOfFrames", 1),
        photometric=header.text("PhotometricInterpretation"),
        planar=header.count("PlanarConfiguration", 0) == 1,
        floating=floating,
        syntax=header.syntax,
    )
    check_frame(layout.rows, layout.columns)
    _check_layout(layout)
    check_frame(layout.rows, layout.columns, layout.samples * max(allocated // 8, 1))
    check_shape((layout.frames, layout.rows, layout.columns, layout.samples), max(allocated // 8, 1))
    return layout


def _check_layout(layout: Layout) -> None:
    bits = {32, 64} if layout.floating else {1, 8, 16, 32}
    if layout.bits_allocated not in bits:
        raise FormatError(f"expected {sorted(bits)} bits per sample, the header says {layout.bits_allocated}")
    if not 1 <= layout.bits_stored <= layout.bits_allocated and not layout.floating:
        raise FormatError(f"expected 1 to {layout.bits_allocated} bits stored, the header says {layout.bits_stored}")
    if layout.frames < 1:
        raise FormatError(f"expected at least one frame, the header says {layout.frames}; export the file again")
    if layout.samples != _SAMPLES.get(layout.photometric, 0):
        raise FormatError(
            f"expected gray, palette, RGB or YBR pixels, the header says {layout.samples} samples per pixel of "
            f"{layout.photometric if layout.photometric in _SAMPLES else 'an unknown kind'}; export the image again"
        )


_SAMPLES: Final[Mapping[str, int]] = {
    "MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3,
    "YBR_FULL": 3, "YBR_FULL_422": 3, "YBR_RCT": 3, "YBR_ICT": 3,
}  # fmt: skip


def native_frame(layout: Layout, data: memoryview, index: int) -> np.ndarray:
    """The stored values of an uncompressed frame: (rows, columns[, 3]); a view where nothing had to be undone."""
    check_enough_bytes((layout.frame_bits * (index + 1) + 7) // 8, len(data))
    if layout.bits_allocated == 1:
        return _unpack_bits(layout, data, index)
    n_values = layout.frame_bits // layout.bits_allocated
    offset = index * (layout.frame_bits // 8)
    flat = np.frombuffer(data, layout.dtype, n_values, offset)
    if layout.photometric == "YBR_FULL_422":
        return _spread_422(flat, layout)
    if layout.samples == 1:
        return trim_bits(flat.reshape(layout.rows, layout.columns), layout)
    return _interleave(flat, layout)


def _interleave(flat: np.ndarray, layout: Layout) -> np.ndarray:
    if layout.planar:
        return np.moveaxis(flat.reshape(3, layout.rows, layout.columns), 0, -1)
    return flat.reshape(layout.rows, layout.columns, 3)


def _unpack_bits(layout: Layout, data: memoryview, index: int) -> np.ndarray:
    """One-bit pixels, least significant bit first (PS3.5 8.1.1)."""
    first = layout.frame_bits * index
    part = np.frombuffer(data, np.uint8)[first // 8 : (first + layout.frame_bits + 7) // 8]
    bits = np.unpackbits(part, bitorder="little")[first % 8 : first % 8 + layout.frame_bits]
    return bits.reshape(layout.rows, layout.columns)


def _spread_422(flat: np.ndarray, layout: Layout) -> np.ndarray:
    """Y Y Cb Cr as Y Cb Cr per pixel (PS3.3 C.7.6.3.1.2)."""
    if layout.columns % 2:
        raise FormatError(f"YBR_FULL_422: expected an even number of columns, the header says {layout.columns}")
    pairs = flat.reshape(layout.rows, layout.columns // 2, 4)
    spread = np.empty((layout.rows, layout.columns, 3), flat.dtype)
    spread[:, 0::2, 0], spread[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    spread[..., 1] = np.repeat(pairs[..., 2], 2, axis=1)
    spread[..., 2] = np.repeat(pairs[..., 3], 2, axis=1)
    return spread


def trim_bits(stored: np.ndarray, layout: Layout) -> np.ndarray:
    """Without what lies above the stored bits (old overlays), the sign carried up (PS3.5 8.1.1)."""
    spare = layout.bits_allocated - layout.bits_stored
    if not spare or layout.floating:
        return stored
    if layout.signed:
        return np.asarray((stored << spare) >> spare)
    return np.asarray(stored & stored.dtype.type((1 << layout.bits_stored) - 1))


def decode_frame(layout: Layout, encoded: bytes) -> np.ndarray:
    """The stored values of a compressed frame: (rows, columns[, 3]); colour comes out as RGB.

    Raises FormatError where the stream is damaged, of another size than the header says, or of a form that we do
    not read.
    """
    codec = _CODECS.get(layout.syntax)
    if codec is None:
        name = layout.syntax if layout.syntax.replace(".", "").isdigit() and len(layout.syntax) <= 64 else "unknown"
        raise FormatError(
            f"expected an image compression that we read, got transfer syntax {name}; export as JPEG 2000"
        )
    stored = codec(layout, encoded)
    expected = (layout.rows, layout.columns) + ((3,) if layout.samples == 3 else ())
    if stored.shape != expected:
        raise FormatError(f"expected a frame of {expected} as the header says, the stream holds {stored.shape}")
    return trim_bits(_as_declared(stored, layout), layout)


def _as_declared(stored: np.ndarray, layout: Layout) -> np.ndarray:
    """The decoder's integers in the header's type: lossless signed data come out of JPEG and JPEG-LS unsigned."""
    if stored.dtype.itemsize != layout.dtype.itemsize:
        return stored.astype(layout.dtype)
    return stored.view(layout.dtype)


def _decode_rle(layout: Layout, encoded: bytes) -> np.ndarray:
    import imagecodecs

    check_enough_bytes(layout.frame_bits // 8 // _RLE_DENSITY, len(encoded))
    decoded = imagecodecs.dicomrle_decode(encoded, np.dtype(f"<u{layout.bits_allocated // 8}"))
    check_enough_bytes(layout.frame_bits // 8, len(decoded))
    flat = np.frombuffer(decoded, f"<u{layout.bits_allocated // 8}", layout.frame_bits // layout.bits_allocated)
    if layout.samples == 1:
        return flat.reshape(layout.rows, layout.columns)
    return np.moveaxis(flat.reshape(3, layout.rows, layout.columns), 0, -1)


def _decode_jpeg(layout: Layout, encoded: bytes) -> np.ndarray:
    import imagecodecs

    _check_stream_size(layout, _jpeg_size(encoded))
    if layout.samples == 1:
        return np.asarray(imagecodecs.jpeg8_decode(encoded))
    space = "RGB" if _jpeg_is_rgb(layout, encoded) else "YCBCR"
    return np.asarray(imagecodecs.jpeg8_decode(encoded, colorspace=space, outcolorspace="RGB"))


def _decode_jpegls(layout: Layout, encoded: bytes) -> np.ndarray:
    import imagecodecs

    _check_stream_size(layout, _jpeg_size(encoded))
    return np.asarray(imagecodecs.jpegls_decode(encoded))


def _decode_jpeg2000(layout: Layout, encoded: bytes) -> np.ndarray:
    import imagecodecs

    _check_stream_size(layout, _jpeg2000_size(encoded))
    return np.asarray(imagecodecs.jpeg2k_decode(encoded))


def _decode_deflated(layout: Layout, encoded: bytes) -> np.ndarray:
    """One frame as a bare deflate stream (PS3.5 A.4.12); bits come as `_unpack_bits` takes them."""
    n_bytes = (layout.frame_bits + 7) // 8
    inflated = inflate_stream(io.BytesIO(encoded), expected_bytes=n_bytes, raw=True)
    return native_frame(replace(layout, frames=1), memoryview(inflated), 0)


_CODECS: Final[Mapping[str, Callable[[Layout, bytes], np.ndarray]]] = {
    _RLE: _decode_rle,
    "1.2.840.10008.1.2.8.1": _decode_deflated,
    "1.2.840.10008.1.2.4.50": _decode_jpeg,
    "1.2.840.10008.1.2.4.51": _decode_jpeg,
    "1.2.840.10008.1.2.4.57": _decode_jpeg,
    "1.2.840.10008.1.2.4.70": _decode_jpeg,
    "1.2.840.10008.1.2.4.80": _decode_jpegls,
    "1.2.840.10008.1.2.4.81": _decode_jpegls,
    "1.2.840.10008.1.2.4.90": _decode_jpeg2000,
    "1.2.840.10008.1.2.4.91": _decode_jpeg2000,
    "1.2.840.10008.1.2.4.201": _decode_jpeg2000,
    "1.2.840.10008.1.2.4.202": _decode_jpeg2000,
    "1.2.840.10008.1.2.4.203": _decode_jpeg2000,
}


def _check_stream_size(layout: Layout, size: tuple[int, int] | None) -> None:
    """Refuse a stream of another size than the header says before a decoder allocates for it."""
    if size is None:
        raise FormatError("expected a compressed frame, its header is damaged; copy or export the file again")
    if size != (layout.rows, layout.columns):
        raise FormatError(
            f"expected a frame of {layout.rows} x {layout.columns} as the header says, "
            f"the stream says {size[0]} x {size[1]}; export the file again"
        )


def _jpeg_segments(encoded: bytes) -> Sequence[tuple[int, int]]:
    """(marker, place behind its length) of each segment up to the frame header (ITU T.81 B.1.1)."""
    segments, position = [], 2
    while position + 4 <= len(encoded) and encoded[position] == 0xFF:
        marker, length = struct.unpack_from(">xBH", encoded, position)
        if marker == 0xFF:
            position += 1
            continue
        segments.append((marker, position + 4))
        if (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)) or marker == 0xF7:
            break
        position += 2 + length
    return segments


def _jpeg_size(encoded: bytes) -> tuple[int, int] | None:
    segments = _jpeg_segments(encoded)
    if not segments or not (0xC0 <= segments[-1][0] <= 0xCF or segments[-1][0] == 0xF7):
        return None
    rows, columns = struct.unpack_from(">xHH", encoded, segments[-1][1])
    return rows, columns


def _jpeg_is_rgb(layout: Layout, encoded: bytes) -> bool:
    """Whether the three components are RGB: lossless, or said by Adobe's marker, or by the header where JFIF is silent.

    Source: ITU T.872 6.5.3 (Adobe APP14 transform flag); JFIF 1.02 is always YCbCr.
    """
    segments = _jpeg_segments(encoded)
    if segments and segments[-1][0] in (0xC3, 0xC7, 0xCB, 0xCF):
        return True
    for marker, start in segments:
        (length,) = struct.unpack_from(">H", encoded, start - 2)
        if marker == 0xEE and encoded[start : start + 5] == b"Adobe" and length >= 14:
            return encoded[start + 11] == 0
        if marker == 0xE0 and encoded[start : start + 4] == b"JFIF":
            return False
    return layout.photometric == "RGB"


def _jpeg2000_size(encoded: bytes) -> tuple[int, int] | None:
    """From the SIZ segment (ITU T.800 A.5.1)."""
    start = encoded.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start < 0 or start + 24 > len(encoded):
        return None
    x1, y1, x0, y0 = struct.unpack_from(">IIII", encoded, start + 8)
    return y1 - y0, x1 - x0


def split_fragments(data: memoryview, n_frames: int) -> list[bytes]:
    """The compressed bytes of each frame (PS3.5 A.4).

    Raises FormatError where the fragments do not make up so many frames.
    """
    if n_frames == 1:
        return [_join_fragments(data)]
    from pydicom.encaps import generate_frames

    frames = list(generate_frames(bytes(data), number_of_frames=n_frames))
    if len(frames) != n_frames:
        raise FormatError(f"expected {n_frames} frames as the header says, got {len(frames)}; export the file again")
    return frames


def _join_fragments(data: memoryview) -> bytes:
    """All fragments behind the offset table, as one frame."""
    parts, position = [], 0
    while position + 8 <= len(data):
        group, element, length = struct.unpack_from("<HHI", data, position)
        position += 8
        if (group, element) != (0xFFFE, 0xE000):
            break
        if position + length > len(data):
            raise FormatError("expected a compressed frame to its end, it is cut short; copy the file again")
        parts.append(data[position : position + length])
        position += length
    if len(parts) < 2:
        raise FormatError("expected a compressed frame, the file holds none; copy or export it again")
    return bytes(parts[1]) if len(parts) == 2 else b"".join(parts[1:])


def to_rgb(stored: np.ndarray, layout: Layout) -> np.ndarray:
    """8-bit RGB of a colour frame.

    Source: PS3.3 C.7.6.3.1.2 (YBR_FULL); compressed YBR was undone by its decoder, RLE keeps it.
    """
    if stored.dtype.itemsize > 1:
        stored = (stored >> max(layout.bits_stored - 8, 0)).astype(np.uint8)
    undone = layout.syntax not in NATIVE and layout.syntax != _RLE and not _keeps_ybr(layout)
    if layout.photometric not in ("YBR_FULL", "YBR_FULL_422") or undone:
        return np.ascontiguousarray(stored)
    luma, blue, red = (stored[..., n].astype(np.float32) for n in range(3))
    rgb = np.stack(
        [
            luma + 1.402 * (red - 128),
            luma - 0.344136 * (blue - 128) - 0.714136 * (red - 128),
            luma + 1.772 * (blue - 128),
        ],
        axis=-1,
    )
    return np.asarray(np.clip(np.rint(rgb), 0, 255).astype(np.uint8))


def _keeps_ybr(layout: Layout) -> bool:
    """JPEG-LS never transforms colour; JPEG 2000 only where the header says RCT or ICT."""
    return layout.syntax.rsplit(".", 1)[-1] in ("80", "81", "90", "91", "201", "202", "203")


def stored_range(layout: Layout) -> tuple[int, int]:
    """The least and the greatest value that the stored bits can hold."""
    if layout.signed:
        return -(1 << (layout.bits_stored - 1)), (1 << (layout.bits_stored - 1)) - 1
    return 0, (1 << layout.bits_stored) - 1
