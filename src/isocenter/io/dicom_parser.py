"""The header of a file that the flat scan leaves alone: pydicom parses it, and its sequences become plain values."""

import io
import logging
import math
import mmap
import struct
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from isocenter.io.boundary import untrusted
from isocenter.io.dicom_pet import tracer_values
from isocenter.io.dicom_scan import (
    DEFLATED,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    PIXELS,
    Header,
    PixelSpan,
    check_nesting,
)
from isocenter.io.dicom_tags import NAMES, VR_OF, Value, normalise_value
from isocenter.io.inputs import InputFile
from isocenter.io.limits import check_enough_bytes, inflate_stream

if TYPE_CHECKING:
    from pydicom import Dataset

_UNDEFINED: Final = 0xFFFFFFFF
_CENTIMETRE: Final = 3
# A transfer syntax element: explicit little endian, for a data set that we inflated ourselves.
_META: Final = b"\0" * 128 + b"DICM\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\0"


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """What pydicom complains about, as a list of kinds: it becomes a note of the series.

    pydicom puts the values of the header into its warnings and its log; they must not reach ours.
    """
    messages: list[str] = []
    logger = logging.getLogger("pydicom")
    logger.addFilter(_keep_out)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield messages
            messages.extend(item.category.__name__ for item in caught)
    finally:
        logger.removeFilter(_keep_out)


def _keep_out(record: logging.LogRecord) -> bool:
    """A filter that lets nothing through."""
    del record
    return False


def parse_header(file: InputFile) -> Header:
    """The header of one file, by pydicom.

    Raises FormatError or LimitError for whatever pydicom or our own checks find wrong.
    """
    with untrusted("a DICOM file"), collected_warnings() as messages:
        dataset, pixels = read_dataset(file)
        values = plain_values(dataset)
        values.update(_values_of_sequences(dataset))
        groups = _functional_groups(dataset)
        syntax = _transfer_syntax(dataset)
    notes = (f"header-warnings: {len(messages)}",) if messages else ()
    return Header(file, values, syntax, pixels, True, groups, notes)


def bare_header(file: InputFile, dataset: "Dataset", pixels: PixelSpan | None) -> Header:
    """The header of a data set that `read_dataset` gave, without what its frames state on their own."""
    return Header(file, plain_values(dataset), _transfer_syntax(dataset), pixels, True)


def read_dataset(file: InputFile, *, with_pixels: bool = False) -> tuple["Dataset", PixelSpan | None]:
    """The parsed data set and where its pixel data were declared.

    Raises LimitError for deep nesting or a deflate bomb, FormatError where the pixel data are cut short.
    """
    from pydicom.filereader import read_partial

    found: list[tuple[int, int]] = []

    def stop_at_pixels(tag: Any, vr: str | None, length: int) -> bool:
        if int(tag) in PIXELS:
            found.append((int(tag), length))
            return not with_pixels
        return False

    with file.path.open("rb") as stream:
        with _readable(stream) as (source, size):
            dataset = read_partial(source, stop_when=stop_at_pixels, force=True)
        if not found:
            return dataset, None
        tag, length = found[0]
        if with_pixels:
            return dataset, PixelSpan(tag, -1, None if length == _UNDEFINED else length)
        offset = _value_offset(source)
        if length != _UNDEFINED:
            check_enough_bytes(length, size - offset)
    return dataset, PixelSpan(tag, offset if source is stream else -1, None if length == _UNDEFINED else length)


def _value_offset(source: Any) -> int:
    """Where the value begins of the element at which pydicom stopped."""
    start = source.tell()
    head = source.read(8)
    return int(start) + (12 if head[4:6] in (b"OB", b"OW", b"OF", b"OD", b"UN") else 8)


@contextmanager
def _readable(stream: Any) -> Iterator[tuple[Any, int]]:
    """The file, or its inflated data set as a file, once its nesting is known to be bounded."""
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        syntax, start = _peek_syntax(mapped)
        if syntax != DEFLATED:
            check_nesting(
                mapped,  # type: ignore[arg-type]
                start,
                explicit=syntax != IMPLICIT_LITTLE,
                big=syntax == EXPLICIT_BIG,
            )
            stream.seek(0)
            yield stream, len(mapped)
            return
        stream.seek(start)
        inflated = bytes(_META + inflate_stream(stream, raw=True))
        check_nesting(inflated, len(_META), explicit=True)
        yield io.BytesIO(inflated), len(inflated)


def _peek_syntax(mapped: Any) -> tuple[str, int]:
    """Transfer syntax (guessed where nothing states it) and where the data set begins."""
    position = 132 if mapped[128:132] == b"DICM" else 4 if mapped[:4] == b"DICM" else 0
    syntax = ""
    try:
        while mapped[position : position + 2] == b"\x02\x00":
            element, vr, length = struct.unpack_from("<H2sH", mapped, position + 2)
            header = 8
            if vr in (b"OB", b"UN", b"OW", b"SQ", b"UT"):
                (length,) = struct.unpack_from("<I", mapped, position + 8)
                header = 12
            if element == 0x10:
                syntax = bytes(mapped[position + 8 : position + 8 + length]).decode("latin-1").strip(" \0")
            position += header + length
    except struct.error:
        return IMPLICIT_LITTLE, position
    if not syntax:
        explicit = bytes(mapped[position + 4 : position + 6]).isalpha()
        syntax = EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE
        if explicit and mapped[position : position + 1] == b"\0":
            syntax = EXPLICIT_BIG
    return syntax, position


def _transfer_syntax(dataset: Any) -> str:
    """As stated, or as pydicom found the bytes to be."""
    stated = str(dataset.file_meta.get("TransferSyntaxUID", "") or "")
    if stated:
        return stated
    implicit, little = dataset.original_encoding
    return IMPLICIT_LITTLE if implicit else EXPLICIT_LITTLE if little else EXPLICIT_BIG


def plain_values(dataset: Any) -> dict[str, Value]:
    """The wanted elements of a data set or sequence item, by name."""
    values = {}
    for tag in dataset.keys():  # noqa: SIM118 - iterating a Dataset would parse every element
        if int(tag) in VR_OF:
            try:
                values[NAMES[int(tag)]] = normalise_value(int(tag), dataset[tag].value)
            except (ValueError, TypeError, KeyError, OverflowError, NotImplementedError, AttributeError):
                values[NAMES[int(tag)]] = ()
    return values


def _first(dataset: Any, keyword: str) -> Any:
    """The first item of a sequence, None if there is none."""
    items = dataset.get(keyword)
    return items[0] if items else None


def _functional_groups(dataset: Any) -> tuple[Mapping[str, Value], ...]:
    """The functional groups of each frame, the shared ones merged in (PS3.3 C.7.6.16)."""
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    shared_item = _first(dataset, "SharedFunctionalGroupsSequence")
    shared = _flatten(shared_item) if shared_item is not None else {}
    if not per_frame:
        return (shared,) * max(int(dataset.get("NumberOfFrames") or 1), 1) if shared and _is_small(dataset) else ()
    return tuple({**shared, **_flatten(item)} for item in per_frame)


def _is_small(dataset: Any) -> bool:
    return int(dataset.get("NumberOfFrames") or 1) <= 100_000


def _flatten(group: Any) -> dict[str, Value]:
    """The wanted elements of every macro of one frame; diffusion keeps its direction one level deeper."""
    values: dict[str, Value] = {}
    for element in group:
        if element.VR != "SQ" or not element.value or element.tag.is_private:
            continue
        item = element.value[0]
        values.update(plain_values(item))
        direction = _first(item, "DiffusionGradientDirectionSequence")
        if direction is not None:
            values.update(plain_values(direction))
    return values


def _values_of_sequences(dataset: Any) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if _first(dataset, "SequenceOfUltrasoundRegions") is not None:
        values.update(_ultrasound_spacing(dataset.SequenceOfUltrasoundRegions))
    values.update(tracer_values(dataset))
    detector = _first(dataset, "DetectorInformationSequence")
    if detector is not None:
        stated = plain_values(detector)
        values.update({name: stated[name] for name in _PLANE if stated.get(name)})
    if _first(dataset, "ModalityLUTSequence") is not None:
        values["ModalityLUT"] = (1.0,)
    return values


_PLANE: Final = ("ImagePositionPatient", "ImageOrientationPatient")


def _ultrasound_spacing(regions: Any) -> dict[str, Value]:
    """Pixel size (row, column) in mm of the largest tissue region, and how many regions were stated.

    Source: PS3.3 C.8.5.5.1 (region spatial format 1 is 2-D, unit code 3 is centimetres).
    """
    best, best_area = None, -1.0
    for region in regions:
        in_cm = region.get("PhysicalUnitsXDirection") == region.get("PhysicalUnitsYDirection") == _CENTIMETRE
        if not in_cm or region.get("RegionSpatialFormat") != 1:
            continue
        corners = [float(region.get(name) or 0) for name in _CORNERS]
        area = abs((corners[2] - corners[0]) * (corners[3] - corners[1]))
        size = (abs(float(region.PhysicalDeltaY)) * 10, abs(float(region.PhysicalDeltaX)) * 10)
        if area > best_area and all(math.isfinite(mm) and mm > 0 for mm in size):
            best, best_area = size, area
    return {"UltrasoundSpacing": (*best, float(len(regions)))} if best else {}


_CORNERS: Final = ("RegionLocationMinX0", "RegionLocationMinY0", "RegionLocationMaxX1", "RegionLocationMaxY1")
