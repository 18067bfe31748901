"""The frames of a DICOM file: where each lies, how it is scaled, when it was taken."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import numpy as np

from isocenter.core.errors import FormatError
from isocenter.core.grid import SpacingSource
from isocenter.core.modality import PROJECTION
from isocenter.io.dicom_decode import Layout, read_layout
from isocenter.io.dicom_diffusion import Diffusion, read_diffusion
from isocenter.io.dicom_mosaic import Mosaic, read_mosaic
from isocenter.io.dicom_scan import Header
from isocenter.io.dicom_tags import Value

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One image plane of a file.

    index           frame in the file, from 0
    tile            (first row, first column) inside a mosaic; None elsewhere
    position_mm     LPS of the centre of the first pixel (ImagePositionPatient), None where nobody states it
    orientation     direction of a row, then of a column (ImageOrientationPatient)
    spacing_mm      between rows, between columns
    clocks_s        what can order frames of one place in time, by name
    steps           what can order them by number, by name
    """

    header: Header
    layout: Layout
    index: int
    rows: int
    columns: int
    tile: tuple[int, int] | None = None
    position_mm: Vector | None = None
    orientation: Vector | None = None
    spacing_mm: Vector | None = None
    spacing_source: SpacingSource = "unknown"
    repetition_ms: float | None = None
    slope: float = 1.0
    intercept: float = 0.0
    image_type: tuple[str, ...] = ()
    echo_ms: float | None = None
    step_mm: float | None = None
    stack: str = ""
    windows: tuple[tuple[float, float, str], ...] = ()
    clocks_s: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    diffusion: Diffusion | None = None

    @property
    def is_placed(self) -> bool:
        """Whether it knows its place, direction and size in the patient."""
        return self.position_mm is not None and self.orientation is not None and self.spacing_mm is not None

    @property
    def tile_number(self) -> int:
        """Which tile of its mosaic it is, counted along rows; 0 elsewhere."""
        if self.tile is None:
            return 0
        return self.tile[0] // self.rows * (self.layout.columns // self.columns) + self.tile[1] // self.columns

    @property
    def is_colour(self) -> bool:
        """Whether it becomes RGB."""
        return self.layout.samples == 3 or self.layout.photometric == "PALETTE COLOR"


Getter = Callable[[str], Value]


def read_frames(header: Header) -> list[Frame]:
    """The frames of one file, in their order there; the tiles of a mosaic are frames of their own.

    Raises FormatError or LimitError where the file's layout is impossible.
    """
    layout = read_layout(header)
    mosaic = read_mosaic(header, layout.rows, layout.columns)
    if mosaic is not None:
        return _unfold(_read_frame(header, layout, 0), mosaic)
    if layout.frames > 1 and header.values.get("TotalPixelMatrixRows"):
        raise FormatError(
            f"expected one picture, got {layout.frames} tiles of a whole-slide image, which we do not read; "
            "export a region as one picture"
        )
    if header.groups and len(header.groups) != layout.frames:
        raise FormatError(
            f"expected functional groups for {layout.frames} frames, got {len(header.groups)}; export the file again"
        )
    return [_read_frame(header, layout, index) for index in range(layout.frames)]


def _getter(header: Header, index: int) -> Getter:
    group = header.groups[index] if header.groups else {}
    return lambda name: group.get(name) or header.values.get(name, ())


def _read_frame(header: Header, layout: Layout, index: int) -> Frame:
    get = _getter(header, index)
    spacing_mm, source = _spacing(header, get)
    slope, intercept = _rescale(get)
    return Frame(
        header, layout, index, layout.rows, layout.columns,
        position_mm=_position(header, get, index),
        orientation=_directions(get("ImageOrientationPatient")),
        spacing_mm=spacing_mm,
        spacing_source=source,
        slope=slope,
        intercept=intercept,
        image_type=_image_type(get),
        echo_ms=_number(get("EffectiveEchoTime")) or _number(get("EchoTime")),
        repetition_ms=_number(get("RepetitionTime")),
        step_mm=_step(get),
        stack=str((get("StackID") or ("",))[0]) if header.groups else "",
        windows=_windows(get),
        clocks_s=_clocks(header, get, index),
        steps=_steps(header, get, index),
        diffusion=read_diffusion(get, header.text("Manufacturer")),
    )  # fmt: skip


def _unfold(whole: Frame, mosaic: Mosaic) -> list[Frame]:
    """A frame per tile; what the file states once is read once."""
    return [
        replace(
            whole,
            rows=mosaic.rows,
            columns=mosaic.columns,
            tile=tile,
            position_mm=position_mm,
            spacing_source="patient",
        )
        for tile, position_mm in zip(mosaic.tiles, mosaic.positions_mm, strict=True)
    ]


def _number(value: Value) -> float | None:
    """The first number, None if there is none or it is not finite."""
    return float(value[0]) if value and math.isfinite(float(value[0])) else None


def _rescale(get: Getter) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or one that is no number is an error.

    Raises FormatError for a scaling that would destroy the values.
    """
    slope, intercept = get("RescaleSlope"), get("RescaleIntercept")
    pair = (float(slope[0]) if slope else 1.0, float(intercept[0]) if intercept else 0.0)
    if not (all(map(math.isfinite, pair)) and pair[0] != 0 and max(map(abs, pair)) < 1e30):
        raise FormatError(
            f"expected a rescale slope and intercept, got {pair[0]:g} and {pair[1]:g}; export the file again"
        )
    return pair


def _position(header: Header, get: Getter, index: int) -> Vector | None:
    """ImagePositionPatient; for the slices of a reconstructed nuclear volume, counted from the first (C.8.4.15)."""
    place = get("ImagePositionPatient")
    if len(place) != 3 or not all(map(math.isfinite, place)):
        return None
    if header.groups or header.count("NumberOfFrames", 1) == 1:
        return tuple(place)
    directions, step = _directions(get("ImageOrientationPatient")), _number(get("SpacingBetweenSlices"))
    if directions is None or step is None or header.text("Modality") not in ("NM", "PT"):
        return None
    normal = np.cross(directions[:3], directions[3:])
    return tuple(np.asarray(place) + index * step * normal)


def _directions(value: Value) -> Vector | None:
    """Six direction cosines of two unit vectors at right angles, else None."""
    if len(value) != 6 or not all(map(math.isfinite, value)):
        return None
    row, column = np.asarray(value[:3], float), np.asarray(value[3:], float)
    lengths = np.linalg.norm(row), np.linalg.norm(column)
    if min(lengths) < 0.9 or max(lengths) > 1.1 or abs(row @ column) > 0.01:
        return None
    return tuple(np.concatenate([row / lengths[0], column / lengths[1]]))


def _pair(value: Value) -> Vector | None:
    """Two positive millimetres, else None."""
    if len(value) != 2 or not all(math.isfinite(mm) and mm > 0 for mm in value):
        return None
    return (float(value[0]), float(value[1]))


def _spacing(header: Header, get: Getter) -> tuple[Vector | None, SpacingSource]:
    """Between rows and between columns, and who states it.

    Source: PS3.3 10.7.1.3: in projection radiography a PixelSpacing beside an ImagerPixelSpacing of other value, or
    with a calibration type, is calibrated to the patient; else it is the detector's.
    """
    modality = header.text("Modality")
    pixel, imager = _pair(get("PixelSpacing")), _pair(get("ImagerPixelSpacing"))
    ultrasound = header.values.get("UltrasoundSpacing")
    if ultrasound:
        return (float(ultrasound[0]), float(ultrasound[1])), "patient"
    if modality not in PROJECTION:
        spacing = pixel or imager
        return spacing, "patient" if pixel else "detector" if imager else "unknown"
    if pixel and (header.text("PixelSpacingCalibrationType") or (imager and not np.allclose(pixel, imager, rtol=1e-3))):
        return pixel, "patient"
    spacing = imager or pixel
    return spacing, "detector" if spacing else "unknown"


def _step(get: Getter) -> float | None:
    """What the header says about the distance between slices; the thickness where nothing else."""
    step = _number(get("SpacingBetweenSlices")) or _number(get("SliceThickness"))
    return abs(step) if step else None


def _image_type(get: Getter) -> tuple[str, ...]:
    component = get("ComplexImageComponent")
    return tuple(str(part) for part in get("FrameType") or get("ImageType")) + tuple(str(part) for part in component)


def _windows(get: Getter) -> tuple[tuple[float, float, str], ...]:
    centres, widths = get("WindowCenter"), get("WindowWidth")
    function = str((get("VOILUTFunction") or ("LINEAR",))[0])
    return tuple(
        (float(centre), float(width), function)
        for centre, width in zip(centres, widths, strict=False)
        if math.isfinite(centre) and math.isfinite(width) and width > 0
    )


def seconds_of(text: str) -> float | None:
    """Seconds since midnight of a DICOM time (TM), or of the time of a date and time (DT).

    >>> seconds_of("101530.5")
    36930.5
    >>> seconds_of("20140122111003.96")
    40203.96

    Source: PS3.5 6.2 (DT, TM).
    """
    text = text.strip().replace(":", "")
    if len(text.split(".")[0]) >= 12:
        text = text[8:]
    digits = text.split("+")[0].split("-")[0]
    if len(digits) < 2 or not digits.replace(".", "", 1).isdigit():
        return None
    clock = (digits.split(".")[0] + "0000")[:6]
    fraction = float("0." + digits.split(".")[1]) if "." in digits and digits.split(".")[1] else 0.0
    return int(clock[:2]) * 3600 + int(clock[2:4]) * 60 + int(clock[4:6]) + fraction


_MILLISECONDS: Final = ("NominalCardiacTriggerDelayTime", "TriggerTime")
_CLOCKS: Final = ("FrameReferenceDateTime", "FrameAcquisitionDateTime", "AcquisitionTime", "ContentTime")


def _clocks(header: Header, get: Getter, index: int) -> dict[str, float]:
    """What the file says about when the frame was taken, best first."""
    clocks: dict[str, float] = {}
    offset = _number(get("TemporalPositionTimeOffset"))
    if offset is not None:
        clocks["TemporalPositionTimeOffset"] = offset
    for name in _MILLISECONDS:
        value = _number(get(name))
        if value is not None:
            clocks[name] = value / 1000
    reference = _number(get("FrameReferenceTime"))
    if reference is not None and header.text("Modality") == "PT":
        clocks["FrameReferenceTime"] = reference / 1000
    for name in _CLOCKS:
        text = str((get(name) or ("",))[0])
        seconds = seconds_of(text)
        if seconds is not None:
            day = text if name.endswith("DateTime") else str((get(name.replace("Time", "Date")) or ("",))[0])
            clocks[name] = _days_of(day) * 86400 + seconds
    frame_time = _frame_time(header, index)
    if frame_time is not None:
        clocks["FrameTime"] = frame_time
    return clocks


def _days_of(text: str) -> int:
    """Days since year 1 of a DICOM date, so that times run on over midnight; 0 if there is none."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).toordinal()
    except ValueError:
        return 0


def _frame_time(header: Header, index: int) -> float | None:
    """Seconds from the first frame of a film (PS3.3 C.7.6.5)."""
    vector = header.values.get("FrameTimeVector", ())
    if len(vector) > index:
        return float(sum(vector[1 : index + 1])) / 1000
    step_ms = header.number("FrameTime")
    if step_ms and step_ms > 0:
        return index * step_ms / 1000
    rate = header.number("CineRate") or header.number("RecommendedDisplayFrameRate")
    return index / rate if rate and rate > 0 else None


def _steps(header: Header, get: Getter, index: int) -> dict[str, tuple[float, ...]]:
    """Numbers that can order the frames of one place."""
    steps: dict[str, tuple[float, ...]] = {}
    for name in ("TemporalPositionIndex", "TemporalPositionIdentifier", "AcquisitionNumber", "InstanceNumber"):
        value = _number(get(name))
        if value is not None:
            steps[name] = (value,)
    if header.groups and get("DimensionIndexValues"):
        steps["DimensionIndexValues"] = tuple(float(number) for number in get("DimensionIndexValues"))
    steps["frame"] = (float(index),)
    return steps
