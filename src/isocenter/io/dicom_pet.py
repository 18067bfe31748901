"""What a PET header states about the tracer and its clocks, as numbers: no date leaves this file.

Every moment is told in seconds from midnight of the day on which the series began, so that a scan beyond midnight
counts on (90000 is one o'clock of the next day) and nothing says which day it was.
"""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from isocenter.io.dicom_frames import Frame, seconds_of
from isocenter.io.dicom_tags import Value, normalise_value

if TYPE_CHECKING:
    from isocenter.io.dicom_scan import Header

_DAY_S: Final = 86400.0
# GE's conformance statement: PET scan date and time, element 0D of the block that GEMS_PETD_01 reserves.
_GE_CREATOR: Final = "GEMS_PETD_01"
_GE_GROUP, _GE_ELEMENT = 0x0009, 0x0D
_PHILIPS_CREATOR: Final = "Philips PET Private Group"
_PHILIPS_GROUP: Final = 0x7053
_PHILIPS: Final = {"PhilipsSUVFactor": 0x00, "PhilipsActivityFactor": 0x09}
_DRUG_NUMBERS: Final = ("RadionuclideTotalDose", "RadionuclideHalfLife")
_DRUG_TEXTS: Final = ("RadiopharmaceuticalStartTime", "RadiopharmaceuticalStartDateTime")

Facts = list[tuple[str, str | float | int]]


def tracer_values(dataset: Any) -> dict[str, Value]:
    """The first radiopharmaceutical's dose, half-life and start, and vendors' private elements of PET, by name.

    Source: PS3.3 C.8.9.2 (isotope module); private elements as the QIBA pseudo-code for SUV names them.
    """
    values: dict[str, Value] = {}
    items = dataset.get("RadiopharmaceuticalInformationSequence")
    if items:
        values["RadiopharmaceuticalCount"] = (float(len(items)),)
        for name in _DRUG_NUMBERS:
            stated = items[0].get(name)
            if stated is not None and str(stated).strip():
                values[name] = (float(stated),)
        for name in _DRUG_TEXTS:
            if items[0].get(name):
                values[name] = (str(items[0][name].value),)
    scanned = _private(dataset, _GE_GROUP, _GE_CREATOR, _GE_ELEMENT)
    if scanned:
        values["GEScanDateTime"] = (scanned,)
    for name, element in _PHILIPS.items():
        factor = _private(dataset, _PHILIPS_GROUP, _PHILIPS_CREATOR, element)
        if factor:
            values[name] = normalise_value(0x70531000 | element, factor)
    return values


def _private(dataset: Any, group: int, creator: str, element: int) -> str:
    """The text of a private element in whatever block its creator reserved; "" if there is none."""
    try:
        value = dataset.private_block(group, creator)[element].value
    except KeyError:
        return ""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return text.strip(" \0")


def pet_facts(frames: Sequence[Sequence[Frame]]) -> Facts:
    """Clocks, corrections and sex, for SUV; [] for another modality.

    frames   [moment][slice]: acquisition times differ between bed positions, the earliest counts
    """
    headers = [frame.header for row in frames for frame in row]
    header = headers[0]
    if header.text("Modality") != "PT":
        return []
    day = _day_of(header.text("SeriesDate")) or _day_of(header.text("AcquisitionDate"))
    offset_s = _offset_of(header.text("TimezoneOffsetFromUTC"))
    found: Facts = []
    for name, clock_s in (
        ("injection_clock_s", seconds_of(header.text("RadiopharmaceuticalStartTime"))),
        ("injection_moment_s", _moment_of(header.text("RadiopharmaceuticalStartDateTime"), day, offset_s)),
        ("series_clock_s", _clock(header, "Series", day)),
        ("ge_scan_clock_s", _moment_of(header.text("GEScanDateTime"), day, offset_s)),
    ):
        if clock_s is not None:
            found.append((name, clock_s))
    corrections = header.texts("CorrectedImage")
    if corrections:
        found.append(("corrected_image", "\\".join(corrections)))
    if header.text("PatientSex"):
        found.append(("sex", header.text("PatientSex").upper()))
    if (header.number("RadiopharmaceuticalCount") or 0) > 1:
        found.append(("tracers", int(header.number("RadiopharmaceuticalCount") or 0)))
    return found + _acquisition(headers, day)


def _acquisition(headers: "Sequence[Header]", day: int | None) -> Facts:
    """When the first bed position was scanned, how long it took, and its offset from the scan's reference time.

    Source: PS3.3 C.8.9.4 (Frame Reference Time and Actual Frame Duration, milliseconds).
    """
    clocked = [(clock_s, header) for header in headers if (clock_s := _clock(header, "Acquisition", day)) is not None]
    if not clocked:
        return []
    clock_s, first = min(clocked, key=lambda pair: pair[0])
    found: Facts = [("acquisition_clock_s", clock_s)]
    for name, element in (("frame_reference_s", "FrameReferenceTime"), ("frame_duration_s", "ActualFrameDuration")):
        milliseconds = first.number(element)
        if milliseconds is not None:
            found.append((name, milliseconds / 1000))
    factor = first.number("DecayFactor")
    return [*found, ("decay_factor", factor)] if factor else found


def _clock(header: "Header", prefix: str, day: int | None) -> float | None:
    """Seconds from the series' midnight of SeriesDate and SeriesTime, or of another such pair or date and time."""
    clock_s = seconds_of(header.text(f"{prefix}Time"))
    if clock_s is None:
        offset_s = _offset_of(header.text("TimezoneOffsetFromUTC"))
        return _moment_of(header.text(f"{prefix}DateTime"), day, offset_s)
    stated = _day_of(header.text(f"{prefix}Date"))
    return clock_s + (_DAY_S * (stated - day) if stated is not None and day is not None else 0.0)


def _moment_of(text: str, day: int | None, offset_s: float | None) -> float | None:
    """Seconds from the series' midnight of a date and time (DT); None where it lacks a date, or the series does.

    offset_s   of the series' clocks from UTC: where both state one, the moment is told in the series' time zone
    """
    stated, clock_s = _day_of(text[:8]), seconds_of(text)
    if stated is None or day is None or clock_s is None or len(text.split(".")[0]) < 12:
        return None
    own_s = _offset_of(text[-5:])
    moved_s = offset_s - own_s if offset_s is not None and own_s is not None else 0.0
    return clock_s + moved_s + _DAY_S * (stated - day)


def _offset_of(text: str) -> float | None:
    """Seconds from UTC of "+0130" (PS3.5 6.2, DT and PS3.3 C.12.1.1.8); None where it is none."""
    text = text.strip()
    if len(text) != 5 or text[0] not in "+-" or not text[1:].isdigit():
        return None
    return (int(text[1:3]) * 3600 + int(text[3:]) * 60.0) * (-1 if text[0] == "-" else 1)


def _day_of(text: str) -> int | None:
    """The number of a day (DA), None where it is none."""
    digits = text.replace(".", "").replace("-", "").strip()
    if len(digits) != 8 or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).toordinal()
    except ValueError:
        return None
