"""Diffusion weighting of a frame: b-value and gradient direction, by the standard or as vendors hide it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isocenter.io.dicom_csa import csa_numbers
from isocenter.io.dicom_tags import Value


@dataclass(frozen=True, slots=True)
class Diffusion:
    """How a frame was weighted.

    b_value     s/mm²
    direction   unit vector in LPS; zeros without a direction (b = 0, trace)
    """

    b_value: float
    direction: tuple[float, float, float] = (0.0, 0.0, 0.0)


Getter = Callable[[str], Value]


def read_diffusion(get: Getter, manufacturer: str) -> Diffusion | None:
    """The weighting of a frame, None where the header states none.

    Source: PS3.3 C.8.13.5.9 (standard); DICOM conformance statements of Siemens (0019,xx0C/0E), GE (0043,xx39,
    0019,xxBB-BD), Philips (2001,xx03, 2005,xxB0-B2) and United Imaging (0065,xx09/37).
    """
    for reader in (_standard, _siemens, _siemens_csa, _ge, _philips, _united_imaging):
        diffusion = reader(get, manufacturer.upper())
        if diffusion is not None:
            return diffusion
    return None


def _make(b_value: float, direction: Value) -> Diffusion | None:
    """None for a b-value that is none."""
    if not math.isfinite(b_value) or not 0 <= b_value < 1e6:
        return None
    vector = np.asarray(direction, dtype=float) if len(direction) == 3 else np.zeros(3)
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length < 0.01 or b_value == 0:
        return Diffusion(b_value)
    x, y, z = (vector / length).tolist()
    return Diffusion(b_value, (x, y, z))


def _standard(get: Getter, manufacturer: str) -> Diffusion | None:
    del manufacturer
    b_value = get("DiffusionBValue")
    if not b_value:
        return None
    direction = get("DiffusionGradientOrientation") or _philips_direction(get)
    return _make(float(b_value[0]), direction)


def _siemens(get: Getter, manufacturer: str) -> Diffusion | None:
    b_value = get("SiemensBValue")
    if not b_value or "SIEMENS" not in manufacturer:
        return None
    return _make(float(b_value[0]), get("SiemensDirection"))


def _siemens_csa(get: Getter, manufacturer: str) -> Diffusion | None:
    csa = get("SiemensCSA")
    if not csa or "SIEMENS" not in manufacturer:
        return None
    b_value = csa_numbers(csa[0], "B_value")
    return _make(b_value[0], csa_numbers(csa[0], "DiffusionGradientDirection")) if b_value else None


def _philips(get: Getter, manufacturer: str) -> Diffusion | None:
    b_value = get("PhilipsBValue")
    if not b_value or "PHILIPS" not in manufacturer:
        return None
    return _make(float(b_value[0]), _philips_direction(get))


def _philips_direction(get: Getter) -> Value:
    parts = [get(f"PhilipsDirection{axis}") for axis in "XYZ"]
    return tuple(float(part[0]) for part in parts) if all(parts) else ()


def _united_imaging(get: Getter, manufacturer: str) -> Diffusion | None:
    b_value = get("UIHBValue")
    if not b_value or "UIH" not in manufacturer:
        return None
    return _make(float(b_value[0]), get("UIHDirection"))


def _ge(get: Getter, manufacturer: str) -> Diffusion | None:
    """GE counts its directions along frequency, phase and slice, and adds 10⁹ to some b-values.

    Source: GE Signa DICOM conformance statement (0043,1039); frame of the directions as worked out by the
    dcm2niix project (Li et al., J Neurosci Methods 2016;264:47-56) on axial scans.
    """
    b_value = get("GEBValue")
    if not b_value or "GE" not in manufacturer:
        return None
    parts = [get(f"GEDirection{axis}") for axis in "XYZ"]
    plane = get("ImageOrientationPatient")
    direction: Value = ()
    if all(parts) and len(plane) == 6:
        direction = _ge_to_patient([float(part[0]) for part in parts], plane, get("InPlanePhaseEncodingDirection"))
    return _make(float(b_value[0]) % 100_000, direction)


def _ge_to_patient(vector: list[float], plane: Value, phase: Value) -> Value:
    """From (frequency, phase, slice) to LPS: rows are frequency unless the phase runs along rows."""
    x, y, z = vector
    along_row, along_column = (y, -x) if phase and str(phase[0]).startswith("ROW") else (x, y)
    row, column = np.asarray(plane[:3], float), np.asarray(plane[3:], float)
    normal = np.cross(row, column)
    if int(np.argmax(np.abs(normal))) != 2:
        along_column = -along_column
    if int(np.argmax(np.abs(normal))) == 0:
        along_row = -along_row
    return tuple(along_row * row + along_column * column - z * normal)
