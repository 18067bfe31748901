"""The voxels of a stack of frames, read by a few threads straight into one array."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from isocenter.core.errors import FormatError, InputError, IsocenterError
from isocenter.core.modality import VOLUMETRIC
from isocenter.io.boundary import untrusted
from isocenter.io.dicom_decode import Layout, decode_frame, native_frame, split_fragments, stored_range, to_rgb
from isocenter.io.dicom_frames import Frame
from isocenter.io.dicom_scan import EXPLICIT_BIG, NATIVE, Header
from isocenter.io.limits import check_shape

# imagecodecs and file reads let other threads run; more than four gain little and cost memory.
_WORKERS: Final = min(4, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """The voxels of a stack.

    array     (moments, slices, rows, columns[, 3])
    digests   "sha256:…" by file, in reading order
    """

    array: np.ndarray
    digests: dict[Path, str]


class BrokenFilesError(InputError):
    """Some files of a series cannot be decoded; `problems` holds one line for each."""

    def __init__(self, problems: dict[int, tuple[Header, str]]) -> None:
        super().__init__(f"expected whole files, {len(problems)} are broken")
        self.problems = problems


def load_frames(frames: Sequence[Sequence[Frame]], dtype: np.dtype[Any] | None = None) -> Loaded:
    """The rescaled values of frames that share one shape.

    dtype   of the result; None takes the smallest integers that hold every value, or float32

    Raises BrokenFilesError naming each file that cannot be decoded, LimitError before allocating too much.
    """
    first = frames[0][0]
    if first.is_colour:
        return _load_as(frames, np.dtype(np.uint8))
    if dtype is not None:
        return _load_as(frames, dtype)
    exact = choose_dtype([frame for row in frames for frame in row])
    if exact == np.int32 and first.layout.bits_allocated == 16:
        # The values of nearly every 16-bit CT (GE: signed, intercept -1024) fit; each slice is checked.
        try:
            return _load_as(frames, np.dtype(np.int16))
        except _TooWideError:
            pass
    return _load_as(frames, exact)


class _TooWideError(InputError):
    """A value does not fit the integers that were tried."""


def _load_as(frames: Sequence[Sequence[Frame]], chosen: np.dtype[Any]) -> Loaded:
    first = frames[0][0]
    shape = (len(frames), len(frames[0]), first.rows, first.columns, *((3,) if first.is_colour else ()))
    check_shape(shape, chosen.itemsize)
    array = np.empty(shape, chosen)
    jobs: dict[int, list[tuple[Frame, np.ndarray]]] = {}
    for moment, row in enumerate(frames):
        for index, frame in enumerate(row):
            jobs.setdefault(id(frame.header), []).append((frame, array[moment, index]))
    files = list(jobs.values())
    with ThreadPoolExecutor(_WORKERS) as pool:
        results = list(pool.map(_try_file, files)) if len(files) > 1 else [_try_file(files[0], pool)]
    broken = {
        id(job[0][0].header): (job[0][0].header, text)
        for job, text in zip(files, results, strict=True)
        if text[0] == "!"
    }
    if broken:
        raise BrokenFilesError({key: (header, text[1:]) for key, (header, text) in broken.items()})
    return Loaded(array, {job[0][0].header.file.path: text for job, text in zip(files, results, strict=True)})


def choose_dtype(frames: Sequence[Frame]) -> np.dtype[Any]:
    """The smallest of uint8, int16, uint16, int32 that holds every rescaled value exactly, else float32."""
    low, high = 0.0, 0.0
    for frame in frames:
        whole = float(frame.slope).is_integer() and float(frame.intercept).is_integer()
        if frame.layout.floating or not whole or frame.header.values.get("ModalityLUT"):
            return np.dtype(np.float32)
        ends = [value * frame.slope + frame.intercept for value in stored_range(frame.layout)]
        low, high = min(low, *ends), max(high, *ends)
    for candidate in (np.uint8, np.int16, np.uint16, np.int32):
        info = np.iinfo(candidate)
        if info.min <= low and high <= info.max:
            return np.dtype(candidate)
    return np.dtype(np.float32)


def _try_file(jobs: list[tuple[Frame, np.ndarray]], pool: ThreadPoolExecutor | None = None) -> str:
    """The file's digest; after "!" the reason why it cannot be decoded."""
    try:
        with untrusted("DICOM pixel data"):
            return _load_file(jobs, pool)
    except _TooWideError:
        raise
    except IsocenterError as error:
        return f"!{error}"
    except OSError as error:
        return f"!expected a readable file, got {error.strerror}; check the disk"


def _load_file(jobs: list[tuple[Frame, np.ndarray]], pool: ThreadPoolExecutor | None) -> str:
    header, layout = jobs[0][0].header, jobs[0][0].layout
    data = header.file.path.read_bytes()
    read_stored = _frame_reader(header, layout, memoryview(data))

    def place(job: tuple[Frame, np.ndarray]) -> None:
        frame, target = job
        with untrusted("DICOM pixel data"):
            _fill(target, _cut_tile(read_stored(frame.index), frame), frame)

    if pool is not None and len(jobs) > 1:
        list(pool.map(place, jobs))
    else:
        for job in jobs:
            place(job)
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _frame_reader(header: Header, layout: Layout, data: memoryview) -> Callable[[int], np.ndarray]:
    """What gives the stored values of one frame (colour as RGB)."""
    return _coloured(header, layout, stored_reader(header, layout, data))


def stored_reader(header: Header, layout: Layout, data: memoryview) -> Callable[[int], np.ndarray]:
    """What gives the stored values of one frame, from 0; a palette's numbers stay numbers.

    data   the whole file

    Raises FormatError where there are no pixels, or too few.
    """
    if header.pixels is None:
        raise FormatError("expected pixel data, the file holds none")
    if header.syntax == EXPLICIT_BIG:
        return _parsed_reader(header, layout)
    if header.pixels.offset < 0:
        pixels = _parsed_pixels(header)
    else:
        length = header.pixels.length
        end = len(data) if length is None else header.pixels.offset + length
        pixels = data[header.pixels.offset : end]
    if header.syntax in NATIVE:
        return lambda index: native_frame(layout, pixels, index)
    fragments = split_fragments(pixels, layout.frames)
    return lambda index: decode_frame(layout, fragments[index])


def _coloured(header: Header, layout: Layout, read: Callable[[int], np.ndarray]) -> Callable[[int], np.ndarray]:
    if layout.photometric == "PALETTE COLOR":
        from isocenter.io.dicom_parser import collected_warnings, read_dataset

        with collected_warnings():
            dataset, _ = read_dataset(header.file)
        return lambda index: _apply_palette(read(index), dataset)
    if header.values.get("ModalityLUT"):
        from isocenter.io.dicom_parser import collected_warnings, read_dataset

        with collected_warnings():
            dataset, _ = read_dataset(header.file)
        return lambda index: _apply_modality_table(read(index), dataset)
    if layout.samples == 3:
        return lambda index: to_rgb(read(index), layout)
    return read


def _apply_palette(stored: np.ndarray, dataset: Any) -> np.ndarray:
    """8-bit RGB through the palette (PS3.3 C.7.6.3.1.5)."""
    from pydicom.pixels import apply_color_lut

    coloured = np.asarray(apply_color_lut(stored, dataset))
    return coloured if coloured.dtype == np.uint8 else np.asarray((coloured >> 8).astype(np.uint8))


def _apply_modality_table(stored: np.ndarray, dataset: Any) -> np.ndarray:
    """Through the modality LUT (PS3.3 C.11.1.1)."""
    from pydicom.pixels import apply_modality_lut

    return np.asarray(apply_modality_lut(stored, dataset), dtype=np.float32)


def _parsed_pixels(header: Header) -> memoryview:
    """The pixel data of a deflated file."""
    from isocenter.io.dicom_parser import collected_warnings, read_dataset

    with collected_warnings():
        dataset, span = read_dataset(header.file, with_pixels=True)
        if span is None:
            raise FormatError("expected pixel data, the file holds none")
        return memoryview(dataset[span.tag].value)


def _parsed_reader(header: Header, layout: Layout) -> Callable[[int], np.ndarray]:
    """Big-endian frames, by pydicom."""
    from isocenter.io.dicom_parser import collected_warnings, read_dataset

    with collected_warnings():
        dataset, _ = read_dataset(header.file, with_pixels=True)
        pixels = dataset.pixel_array
    frames = pixels.reshape(layout.frames, layout.rows, layout.columns, *((3,) if layout.samples == 3 else ()))
    return lambda index: np.ascontiguousarray(frames[index]).astype(layout.dtype)


def _cut_tile(stored: np.ndarray, frame: Frame) -> np.ndarray:
    if frame.tile is None:
        return stored
    row, column = frame.tile
    return stored[row : row + frame.rows, column : column + frame.columns]


def _fill(target: np.ndarray, stored: np.ndarray, frame: Frame) -> None:
    """Rescaled values into their place.

    Whole numbers are computed modulo the width of the target, which is exact for every value that fits it.
    """
    kind = target.dtype
    slope, intercept = (1.0, 0.0) if frame.is_colour else (frame.slope, frame.intercept)
    if kind.kind in "iu":
        _check_fits(stored, frame, kind)
        factor, offset = np.array([int(slope), int(intercept)]).astype(kind)
    else:
        factor, offset = np.array([slope, intercept]).astype(kind)
    np.copyto(target, stored, casting="unsafe")
    if slope != 1:
        target *= factor
    if intercept:
        target += offset
    if is_inverted(frame):
        np.subtract(np.array(inversion_sum(frame)).astype(kind), target, out=target)


def _check_fits(stored: np.ndarray, frame: Frame, kind: np.dtype[Any]) -> None:
    """Raise where whole numbers are asked for and a value is none of that width."""
    if frame.is_colour:
        return
    info = np.iinfo(kind)
    ends: Sequence[float] = stored_range(frame.layout)
    if all(info.min <= end * frame.slope + frame.intercept <= info.max for end in ends):
        return
    ends = (float(stored.min()), float(stored.max()))
    if not all(info.min <= end * frame.slope + frame.intercept <= info.max for end in ends):
        raise _TooWideError(f"expected values that fit {kind}, got {ends}")


def is_inverted(frame: Frame) -> bool:
    """Whether the picture is stored with its darkest value highest and is no measured volume: it is turned round."""
    return (
        frame.layout.photometric == "MONOCHROME1"
        and frame.header.text("Modality") not in VOLUMETRIC
        and not frame.layout.floating
        and not frame.header.values.get("ModalityLUT")
    )


def inversion_sum(frame: Frame) -> float:
    """What a value and its inverse add up to: both ends of the stored range, rescaled."""
    return sum(value * frame.slope + frame.intercept for value in stored_range(frame.layout))
