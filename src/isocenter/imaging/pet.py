"""From measured activity to standardised uptake values, by the facts of a PET header; nothing missing is guessed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume

SuvKind = Literal["SUVbw", "SUVlbm", "SUVbsa"]

_DAY_S: Final = 86400.0
# A header that states megabecquerels: no patient is imaged with less than this.
_LEAST_DOSE_BQ: Final = 1e4
# With a time and no date of injection, a slower tracer may have been given days before.
_LONGEST_UNDATED_HALF_LIFE_S: Final = 12 * 3600.0
# Past midnight without a date, a longer way back is more likely a clock that runs ahead.
_LONGEST_UNDATED_S: Final = 12 * 3600.0
# A header that states centimetres.
_TALLEST_M: Final = 3.0
# Shares by which the scaling that was applied may miss what the header says of it, and still be another one's.
_FITS, _MISFITS = 0.02, 0.05
# Beyond this many half-lives the clocks are wrong, not the patient cold.
_MOST_HALF_LIVES: Final = 10.0
_NAMES: Final[Mapping[str, str]] = {
    "weight_kg": "PatientWeight (0010,1030)",
    "height_m": "PatientSize (0010,1020)",
    "sex": "PatientSex (0010,0040)",
    "dose_bq": "RadionuclideTotalDose (0018,1074)",
    "half_life_s": "RadionuclideHalfLife (0018,1075)",
    "injection_clock_s": "RadiopharmaceuticalStartTime (0018,1072)",
    "series_clock_s": "SeriesTime (0008,0031)",
    "acquisition_clock_s": "AcquisitionTime (0008,0032)",
    "corrected_image": "CorrectedImage (0028,0051)",
    "decay_correction": "DecayCorrection (0054,1102)",
}

Known = Mapping[str, str | float | int]


@dataclass(frozen=True, slots=True)
class SuvFactor:
    """What turns a volume's values into body-weight SUV.

    factor   g/ml per unit of the volume
    method   how it was found, in one English line
    """

    factor: float
    method: str


def suv_body_weight(
    activity_bq_ml: np.ndarray, *, dose_bq: float, weight_kg: float, elapsed_s: float, half_life_s: float
) -> np.ndarray:
    """Standardised uptake value by body weight (g/ml), same shape as the activity.

    activity_bq_ml  decay-corrected to the reference time
    dose_bq         injected activity, measured at injection
    elapsed_s       from injection to the reference time; 0 where the activity is corrected to injection

    >>> one_hour = suv_body_weight(np.array(12e3), dose_bq=370e6, weight_kg=70, elapsed_s=3600, half_life_s=6586.2)
    >>> round(float(one_hour), 4)
    3.316

    Raises InputError if dose, weight or half-life is not positive.
    Source: QIBA vendor-neutral SUV pseudo-code, body-weight case.
    """
    if not min(dose_bq, weight_kg, half_life_s) > 0:
        raise InputError(f"SUV: expected positive values, got {dose_bq=}, {weight_kg=}, {half_life_s=}")
    remaining_bq = dose_bq * 0.5 ** (elapsed_s / half_life_s)
    return np.asarray(activity_bq_ml * (weight_kg * 1000 / remaining_bq))


def lean_body_mass_kg(*, weight_kg: float, height_m: float, sex: str) -> float:
    """Lean body mass in kilograms.

    sex   "M" or "F"

    >>> round(lean_body_mass_kg(weight_kg=110, height_m=1.78, sex="M"), 2)
    71.92
    >>> round(lean_body_mass_kg(weight_kg=70, height_m=1.65, sex="F"), 2)
    43.11

    Raises InputError for another sex, or a weight or height that is not positive.
    Source: Janmahasatian S et al. Clin Pharmacokinet 2005;44(10):1051-1065.
    """
    if sex not in ("M", "F"):
        raise InputError(f"lean body mass: expected sex M or F, got {sex or 'none'}; the formula has no other")
    if not min(weight_kg, height_m) > 0:
        raise InputError(f"lean body mass: expected positive values, got {weight_kg=}, {height_m=}")
    index = weight_kg / height_m**2
    return 9270 * weight_kg / (6680 + 216 * index) if sex == "M" else 9270 * weight_kg / (8780 + 244 * index)


def body_surface_m2(*, weight_kg: float, height_m: float) -> float:
    """Body surface area in square metres.

    >>> round(body_surface_m2(weight_kg=70, height_m=1.70), 3)
    1.81

    Source: Du Bois D, Du Bois EF. Arch Intern Med 1916;17:863-871.
    """
    if not min(weight_kg, height_m) > 0:
        raise InputError(f"body surface: expected positive values, got {weight_kg=}, {height_m=}")
    return float(0.007184 * weight_kg**0.425 * (height_m * 100) ** 0.725)


def to_suv(volume: Volume, *, kind: SuvKind = "SUVbw") -> Volume:
    """The PET volume in standardised uptake values; where it holds them already, its values stay as they are.

    kind   by body weight (g/ml), by lean body mass (g/ml) or by body surface (cm2/ml)

    The note that begins with "suv: " says how. Raises InputError that names the header field where one is missing or
    the header is not one that the rules cover; a volume that came without DICOM facts needs its own SUV unit.
    """
    known = _known(volume)
    if volume.unit == kind:
        return _with_note(volume, np.asarray(volume.array, dtype=np.float32), kind, "values are SUV already (GML)")
    found = SuvFactor(1.0, "values are SUVbw already (GML)") if volume.unit == "SUVbw" else suv_factor(volume)
    factor, how = _of_kind(found, known, kind)
    array = (np.asarray(volume.array, dtype=np.float64) * factor).astype(np.float32)
    return _with_note(volume, array, kind, how)


def states_lean_mass(volume: Volume) -> bool:
    """Whether the header states what `to_suv` by lean body mass takes beside body weight's uptake."""
    known = dict(volume.facts.parameters)
    height_m, weight_kg = (known.get(name) for name in ("height_m", "weight_kg"))
    sizes = isinstance(height_m, float) and isinstance(weight_kg, float) and weight_kg > 0
    return sizes and 0 < float(height_m or 0) <= _TALLEST_M and known.get("sex") in ("M", "F")


def suv_factor(volume: Volume) -> SuvFactor:
    """What turns the volume's values into body-weight SUV, and how that was found.

    Raises InputError that names what is missing.
    Source: QIBA FDG-PET/CT profile, appendix G, vendor-neutral pseudo-code (version of 2018-06-26): Philips counts by
    (7053,1000), else by (7053,1009) as Bq/ml; decay by `DecayCorrection`.
    """
    known = _known(volume)
    if volume.modality != "PT":
        raise InputError(f"SUV: expected a PET image, got modality {volume.modality or 'unknown'}")
    if volume.unit == "counts":
        direct = known.get("philips_suv_factor")
        if known.get("corrected_image"):
            _require_corrections(known)
        if isinstance(direct, float) and direct > 0:
            return SuvFactor(direct, "Philips SUV factor (7053,1000)")
        to_activity = known.get("philips_activity_factor")
        if not (isinstance(to_activity, float) and to_activity > 0):
            raise InputError(
                "SUV: expected the Philips factor (7053,1000) or (7053,1009) for Units CNTS, got neither; "
                "export the series with its private elements"
            )
        found = _by_decay(known)
        return SuvFactor(to_activity * found.factor, f"Philips activity factor (7053,1009); {found.method}")
    if volume.unit != "Bq/ml":
        raise InputError(
            f"SUV: expected Units (0054,1001) BQML, GML or CNTS, got values in {volume.unit}; export it in Bq/ml"
        )
    return _by_decay(known)


def _known(volume: Volume) -> Known:
    """What the header states, by name."""
    vendor = "SIEMENS" if "SIEMENS" in volume.facts.manufacturer.upper() else ""
    return {**dict(volume.facts.parameters), "vendor": vendor}


def _by_decay(known: Known) -> SuvFactor:
    """The factor for Bq/ml that are decay-corrected to the start of the scan or to injection."""
    _require_corrections(known)
    if known.get("tracers"):
        raise InputError("SUV: expected one radiopharmaceutical, the header lists several; measure activity instead")
    weight_kg, dose_bq = _positive(known, "weight_kg"), _positive(known, "dose_bq")
    if dose_bq < _LEAST_DOSE_BQ:
        raise InputError(
            f"SUV: expected {_NAMES['dose_bq']} in becquerels, got {dose_bq:g}; it looks like megabecquerels"
        )
    half_life_s = _positive(known, "half_life_s")
    correction = str(known.get("decay_correction", ""))
    if correction == "ADMIN":
        _require_consistent(known, half_life_s, correction)
        elapsed_s, how = 0.0, "decay-corrected to injection (ADMIN)"
    elif correction == "START":
        _require_consistent(known, half_life_s, correction)
        elapsed_s, clock = _elapsed_s(known, half_life_s)
        how = f"decay-corrected to scan start (START), {elapsed_s:.0f} s after injection by {clock}"
    else:
        raise InputError(
            f"SUV: expected {_NAMES['decay_correction']} START or ADMIN, got {correction or 'none'}; "
            "reconstruct with decay correction"
        )
    activity = np.asarray(1.0)
    factor = suv_body_weight(
        activity, dose_bq=dose_bq, weight_kg=weight_kg, elapsed_s=elapsed_s, half_life_s=half_life_s
    )
    return SuvFactor(float(factor), f"Bq/ml by body weight and dose, {how}")


def _require_corrections(known: Known) -> None:
    """Raise unless the header says that attenuation and decay were corrected."""
    stated = str(known.get("corrected_image", "")).split("\\")
    # The standard's term is DECY; the pseudo-code prints DECAY, and so do some writers.
    stated += ["DECY"] if "DECAY" in stated else []
    missing = [name for name in ("ATTN", "DECY") if name not in stated]
    if missing:
        raise InputError(
            f"SUV: expected {_NAMES['corrected_image']} with ATTN and DECY, {' and '.join(missing)} is not there; "
            "use the corrected reconstruction"
        )


def _require_consistent(known: Known, half_life_s: float, correction: str) -> None:
    """Raise where the factor that was applied is that of the other decay correction, not of the stated one.

    Source: PS3.3 C.8.9.4 (Decay Factor, Frame Reference Time): the factor brings the frame to the reference time.
    """
    factor, reference_s = known.get("decay_factor"), known.get("frame_reference_s")
    if not isinstance(factor, float) or not isinstance(reference_s, float):
        return
    try:
        elapsed_s = _elapsed_s(known, half_life_s)[0]
    except InputError:
        return
    by_name = {"START": reference_s, "ADMIN": reference_s + elapsed_s}
    other = "ADMIN" if correction == "START" else "START"
    off = {name: abs(factor / 2 ** (seconds / half_life_s) - 1) for name, seconds in by_name.items()}
    if off[correction] > _MISFITS and off[other] < _FITS:
        raise InputError(
            f"SUV: expected DecayFactor (0054,1321) to fit {_NAMES['decay_correction']} {correction}, got {factor:g}, "
            f"which fits {other}; ask where the series comes from"
        )


def _elapsed_s(known: Known, half_life_s: float) -> tuple[float, str]:
    """Seconds from injection to the time to which decay was corrected, and which clock told it."""
    scan_s, clock = _scan_start_s(known, half_life_s)
    longest_s = _MOST_HALF_LIVES * half_life_s
    moment = known.get("injection_moment_s")
    if isinstance(moment, float) and 0 <= scan_s - moment <= longest_s:
        return scan_s - moment, f"{clock} and RadiopharmaceuticalStartDateTime"
    if isinstance(moment, float) and -_DAY_S < scan_s - moment < 0:
        raise _late("RadiopharmaceuticalStartDateTime (0018,1078)", moment - scan_s)
    # A date that lies days off was not shifted with the others when the series was made anonymous.
    injection_s = _number(known, "injection_clock_s")
    if half_life_s > _LONGEST_UNDATED_HALF_LIFE_S:
        raise InputError(
            "SUV: expected RadiopharmaceuticalStartDateTime (0018,1078) for a half-life over 12 hours, "
            "got a time without a usable date; export the series with it"
        )
    # The header gives a time of day and no date: the last such time before the scan, also across midnight.
    elapsed_s = (scan_s - injection_s) % _DAY_S
    is_same_day = elapsed_s == scan_s - injection_s
    if elapsed_s > longest_s or (not is_same_day and elapsed_s > _LONGEST_UNDATED_S):
        raise _late(_NAMES["injection_clock_s"], _DAY_S - elapsed_s)
    return elapsed_s, f"{clock} and RadiopharmaceuticalStartTime"


def _late(name: str, after_s: float) -> InputError:
    return InputError(
        f"SUV: expected an injection before the scan, {name} is {after_s:.0f} s after it; check the clocks"
    )


def _scan_start_s(known: Known, half_life_s: float) -> tuple[float, str]:
    """When the scan began, and which element says so.

    A series that a workstation derived later carries its own making as SeriesTime. GE keeps the scan's time in a
    private element; for Siemens it follows from the first bed position's acquisition and frame reference time.
    """
    series_s, first_s = _number(known, "series_clock_s"), _number(known, "acquisition_clock_s")
    if series_s <= first_s:
        return series_s, "SeriesTime"
    ge_s = known.get("ge_scan_clock_s")
    if isinstance(ge_s, float):
        return ge_s, "the GE scan time (0009,100D)"
    reference_s, duration_s = known.get("frame_reference_s"), known.get("frame_duration_s")
    if (
        known.get("vendor") == "SIEMENS"
        and isinstance(reference_s, float)
        and isinstance(duration_s, float)
        and min(reference_s, duration_s) > 0
    ):
        rate = np.log(2) / half_life_s * duration_s
        average_s = duration_s / rate * np.log(rate / -np.expm1(-rate))
        return float(first_s - reference_s + average_s), "AcquisitionTime and FrameReferenceTime"
    raise InputError(
        f"SUV: expected {_NAMES['series_clock_s']} not after {_NAMES['acquisition_clock_s']}, or the GE scan time "
        "(0009,100D), got a series made later; use the original series"
    )


def _of_kind(found: SuvFactor, known: Known, kind: SuvKind) -> tuple[float, str]:
    """The factor and the method for another normalisation than body weight."""
    if kind == "SUVbw":
        return found.factor, found.method
    weight_kg, height_m = _positive(known, "weight_kg"), _positive(known, "height_m")
    if height_m > _TALLEST_M:
        raise InputError(f"SUV: expected {_NAMES['height_m']} in metres, got {height_m:g}; it looks like centimetres")
    if kind == "SUVbsa":
        surface_cm2 = body_surface_m2(weight_kg=weight_kg, height_m=height_m) * 1e4
        return found.factor * surface_cm2 / (weight_kg * 1000), f"{found.method}; body surface by Du Bois"
    lean_kg = lean_body_mass_kg(weight_kg=weight_kg, height_m=height_m, sex=str(_stated(known, "sex")))
    return found.factor * lean_kg / weight_kg, f"{found.method}; lean body mass by Janmahasatian"


def _with_note(volume: Volume, array: np.ndarray, unit: str, how: str) -> Volume:
    facts = replace(volume.facts, notes=(*volume.facts.notes, f"suv: {how}"))
    return replace(volume, array=array, unit=unit, facts=facts)


def _stated(known: Known, name: str) -> str | float | int:
    value = known.get(name)
    if value is None or value == "":
        raise InputError(f"SUV: expected {_NAMES[name]} in the header, found none; no SUV is made without it")
    return value


def _number(known: Known, name: str) -> float:
    return float(_stated(known, name))


def _positive(known: Known, name: str) -> float:
    value = _number(known, name)
    if not value > 0:
        raise InputError(f"SUV: expected a positive {_NAMES[name]}, got {value:g}; no SUV is made without it")
    return value
