"""The header of one DICOM file: a flat scan for plain files, pydicom for everything else."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.boundary import untrusted
from isocenter.io.dicom_tags import NAMES, VR_OF, Value, decode_value
from isocenter.io.inputs import InputFile
from isocenter.io.limits import LIMITS, check_file_size

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG})
PIXELS: Final = frozenset({0x7FE00010, 0x7FE00008, 0x7FE00009})

# Elements whose sequences or tables the flat scan does not understand: functional groups, ultrasound regions,
# radiopharmaceutical, detectors, modality LUT, palette.
_NEEDS_PARSER: Final = frozenset(
    {0x52009229, 0x52009230, 0x00186011, 0x00540016, 0x00540022, 0x00283000, 0x00281101}
)  # fmt: skip
_LONG: Final = frozenset(b"OB OW OD OF OL OV SQ UC UN UR UT SV UV".split())
_SHORT: Final = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_HEAD_BYTES: Final = 65536
_EXPLICIT_HEAD: Final = struct.Struct("<HH2sH")
_IMPLICIT_HEAD: Final = struct.Struct("<HHI")


@dataclass(frozen=True, slots=True)
class PixelSpan:
    """Where the pixel data lie in the file: offset (-1: only pydicom can tell), length (None for fragments)."""

    tag: int
    offset: int
    length: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What one file states.

    values   by the names of `dicom_tags.WANTED`, and what `dicom_parser` adds from sequences
    groups   functional groups of each frame, shared ones merged in; () for a classic object
    pixels   None where the file holds none
    parsed   pydicom read it
    """

    file: InputFile
    values: Mapping[str, Value]
    syntax: str
    pixels: PixelSpan | None
    parsed: bool = False
    groups: tuple[Mapping[str, Value], ...] = ()
    notes: tuple[str, ...] = field(default=())

    def text(self, name: str) -> str:
        """The first value as text, "" if there is none."""
        values = self.values.get(name)
        return str(values[0]) if values else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """All values as text."""
        return tuple(str(value) for value in self.values.get(name, ()))

    def number(self, name: str) -> float | None:
        """The first value as a number, None if there is none."""
        values = self.values.get(name)
        return float(values[0]) if values else None

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """Exactly `count` numbers, or None."""
        values = self.values.get(name, ())
        return tuple(float(value) for value in values) if len(values) == count else None

    def count(self, name: str, default: int) -> int:
        """The first value as a whole number.

        Raises FormatError where a number is stated that is none.
        """
        values = self.values.get(name)
        if not values:
            return default
        if values[0] != int(values[0]):
            raise FormatError(f"{name}: expected a whole number, the header says {values[0]}; export the file again")
        return int(values[0])


class _UnusualError(Exception):
    """The flat scan does not understand this file; pydicom shall."""


def scan_file(file: InputFile) -> Header:
    """The header of one file.

    Raises FormatError or LimitError where the file is no DICOM, is cut short, or nests deeper than the limit.
    """
    with untrusted("a DICOM file"), file.path.open("rb") as stream:
        size = stream.seek(0, 2)
        check_file_size(size)
        try:
            return _scan_flat(file, stream, size)
        except _UnusualError:
            pass
    from isocenter.io.dicom_parser import parse_header

    return parse_header(file)


def _scan_flat(file: InputFile, stream: BinaryIO, size: int) -> Header:
    stream.seek(0)
    buffer = stream.read(_HEAD_BYTES)
    if buffer[128:132] != b"DICM":
        raise _UnusualError
    try:
        return _scan_buffer(file, buffer, size)
    except (struct.error, IndexError):
        if size <= _HEAD_BYTES:
            raise _UnusualError from None
    stream.seek(0)
    try:
        return _scan_buffer(file, stream.read(), size)
    except (struct.error, IndexError):
        raise _UnusualError from None


def _scan_buffer(file: InputFile, buffer: bytes, size: int) -> Header:
    """Raises struct.error where the buffer ends before the pixel data begin."""
    syntax, start = _scan_meta(buffer)
    if syntax in (DEFLATED, EXPLICIT_BIG):
        raise _UnusualError
    values, pixels = _scan_elements(buffer, start, explicit=syntax != IMPLICIT_LITTLE, size=size)
    return Header(file, values, syntax, pixels)


def _scan_meta(buffer: bytes) -> tuple[str, int]:
    """Transfer syntax, and where the data set begins (PS3.10 7.1)."""
    position, syntax = 132, ""
    while True:
        group, element, vr, length = _EXPLICIT_HEAD.unpack_from(buffer, position)
        if group != 2:
            break
        header = 8
        if vr in _LONG:
            (length,) = struct.unpack_from("<I", buffer, position + 8)
            header = 12
        elif vr not in _SHORT:
            raise _UnusualError
        if element == 0x10:
            syntax = buffer[position + header : position + header + length].decode("latin-1").strip(" \0")
        position += header + length
    if not syntax:
        raise _UnusualError
    return syntax, position


def _scan_elements(
    buffer: bytes, position: int, *, explicit: bool, size: int
) -> tuple[dict[str, Value], PixelSpan | None]:
    """The wanted values of a little-endian data set up to its pixel data (PS3.5 7.1)."""
    values: dict[str, Value] = {}
    last_tag = -1
    while position < size:
        tag, vr, length, start = _element_head(buffer, position, explicit)
        if tag <= last_tag or tag in _NEEDS_PARSER:
            raise _UnusualError
        last_tag = tag
        if tag in PIXELS:
            return values, _pixel_span(tag, start, length, size)
        if length == _UNDEFINED:
            position = _skip_items(buffer, start, explicit)
            continue
        position = start + length
        if tag in VR_OF:
            if position > len(buffer):
                raise struct.error
            values[NAMES[tag]] = decode_value(tag, vr.decode("latin-1"), buffer[start:position])
        elif position > size:
            raise _UnusualError
    return values, None


def _element_head(buffer: bytes, position: int, explicit: bool) -> tuple[int, bytes, int, int]:
    """Tag, VR, length and start of the value."""
    if not explicit:
        group, element, length = _IMPLICIT_HEAD.unpack_from(buffer, position)
        return group << 16 | element, b"", length, position + 8
    group, element, vr, length = _EXPLICIT_HEAD.unpack_from(buffer, position)
    if vr in _SHORT:
        return group << 16 | element, vr, length, position + 8
    if vr in _LONG:
        (length,) = struct.unpack_from("<I", buffer, position + 8)
        return group << 16 | element, vr, length, position + 12
    raise _UnusualError


def _pixel_span(tag: int, start: int, length: int, size: int) -> PixelSpan:
    if length == _UNDEFINED:
        return PixelSpan(tag, start, None)
    if start + length > size:
        raise FormatError(
            f"expected {length} bytes of pixels as the header says, got {size - start}: "
            "the file is cut short; copy it again"
        )
    return PixelSpan(tag, start, length)


def _skip_items(buffer: bytes, position: int, explicit: bool) -> int:
    """The place behind a sequence of undefined length (PS3.5 7.5)."""
    depth = 1
    while depth:
        group, element, length = _IMPLICIT_HEAD.unpack_from(buffer, position)
        tag = group << 16 | element
        if tag in (_ITEM, _ITEM_END, _SEQUENCE_END):
            position += 8
            if tag == _ITEM:
                depth, position = (depth + 1, position) if length == _UNDEFINED else (depth, position + length)
            else:
                depth -= 1
        else:
            _, _, length, start = _element_head(buffer, position, explicit)
            depth, position = (depth + 1, start) if length == _UNDEFINED else (depth, start + length)
        _check_depth(depth)
    return position


def _check_depth(depth: int) -> None:
    # A sequence and its item each count one.
    if depth > 2 * LIMITS.sequence_depth:
        raise LimitError(f"expected at most {LIMITS.sequence_depth} nested sequences, got more; the file is refused")


def check_nesting(buffer: bytes | memoryview, position: int, *, explicit: bool, big: bool = False) -> None:
    """Raise LimitError where sequences nest deeper, or elements number more, than the limits allow.

    It looks before pydicom does, into sequences of defined and undefined length alike, and gives up silently where
    the bytes are no data set: pydicom will say so.
    """
    order = ">" if big else "<"
    ends: list[int] = [len(buffer)]
    n_elements = 0
    try:
        while ends:
            if position >= ends[-1]:
                ends.pop()
                continue
            group, element, length = struct.unpack_from(f"{order}HHI", buffer, position)
            tag, start, vr = group << 16 | element, position + 8, b"SQ"
            if tag in (_ITEM_END, _SEQUENCE_END):
                ends.pop()
                position = start
                continue
            if tag != _ITEM:
                vr, length, start = _any_head(buffer, position, explicit, order)
            n_elements += 1
            if n_elements > LIMITS.elements:
                raise LimitError(f"expected at most {LIMITS.elements} header elements, got more; the file is refused")
            if tag in PIXELS:
                return
            nested = vr == b"SQ" or length == _UNDEFINED
            if nested:
                ends.append(len(buffer) if length == _UNDEFINED else min(start + length, len(buffer)))
                _check_depth(len(ends) - 1)
            position = start if nested else start + length
    except struct.error:
        return


def _any_head(buffer: Any, position: int, explicit: bool, order: str) -> tuple[bytes, int, int]:
    """VR (SQ is told from UN by its first bytes where implicit), length and start of one element."""
    if not explicit:
        (length,) = struct.unpack_from(f"{order}I", buffer, position + 4)
        first = bytes(buffer[position + 8 : position + 12])
        item = b"\xfe\xff\x00\xe0" if order == "<" else b"\xff\xfe\xe0\x00"
        return (b"SQ" if first == item else b""), length, position + 8
    vr = bytes(buffer[position + 4 : position + 6])
    if vr in _LONG:
        (length,) = struct.unpack_from(f"{order}I", buffer, position + 8)
        return vr, length, position + 12
    (length,) = struct.unpack_from(f"{order}H", buffer, position + 6)
    return vr, length, position + 8
