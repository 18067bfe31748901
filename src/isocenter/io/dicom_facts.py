"""What the headers of a series state about it, as facts that name nobody.

The codes in `Facts.notes`, whoever adds them: header-warnings, monochrome1-inverted, monochrome1-kept, colour-to-rgb,
colour-reduced-to-8-bit, lossy-compression, mosaic-unfolded, modality-lut-applied, pixel-padding, high-bit-mismatch,
ultrasound-regions (here); gantry-tilt, slice-positions-rounded, slice-thickness-unknown (dicom_geometry);
mixed-orientations, missing-slices, split-at-uneven-spacing, incomplete-volume-dropped, diffusion-trace (dicom_stacks);
times-from-repetition-time, frame-times-unknown (dicom_moments); series-part, duplicate-files-ignored,
broken-files-left-out (dicom_series).
"""

from collections.abc import Mapping
from typing import Final

from isocenter.core.modality import intensity_unit
from isocenter.core.volume import Facts, Window
from isocenter.io.dicom_csa import csa_numbers
from isocenter.io.dicom_frames import Frame
from isocenter.io.dicom_pet import pet_facts
from isocenter.io.dicom_pixels import inversion_sum, is_inverted
from isocenter.io.dicom_scan import Header
from isocenter.io.dicom_stacks import Stack

# PS3.3 C.8.9.1.1.3
_PET_UNITS: Final[Mapping[str, str]] = {"BQML": "Bq/ml", "CNTS": "counts", "PROPCNTS": "counts", "CPS": "counts/s"}
# PS3.3 C.8.9.1.1.3.1 (SUV Type): body weight where nothing is stated.
_SUV_UNITS: Final[Mapping[str, str]] = {
    "": "SUVbw", "BW": "SUVbw", "LBM": "SUVlbm", "LBMJAMES128": "SUVlbm", "LBMJANMA": "SUVlbm", "BSA": "SUVbsa",
    "IBW": "SUVibw",
}  # fmt: skip

# Name in the parameters -> element; numbers.
_NUMBERS: Final[Mapping[str, str]] = {
    "repetition_time_ms": "RepetitionTime", "inversion_time_ms": "InversionTime", "flip_angle_deg": "FlipAngle",
    "field_t": "MagneticFieldStrength", "tube_current_ma": "XRayTubeCurrent", "averages": "NumberOfAverages",
    "echo_train_length": "EchoTrainLength", "pixel_bandwidth_hz": "PixelBandwidth", "series_number": "SeriesNumber",
    "magnification": "EstimatedRadiographicMagnificationFactor", "dose_bq": "RadionuclideTotalDose",
    "half_life_s": "RadionuclideHalfLife", "weight_kg": "PatientWeight", "height_m": "PatientSize",
    "philips_suv_factor": "PhilipsSUVFactor", "philips_activity_factor": "PhilipsActivityFactor",
    "temporal_resolution_ms": "TemporalResolution", "pixel_padding": "PixelPaddingValue",
}  # fmt: skip
_TEXTS: Final[Mapping[str, str]] = {
    "model": "ManufacturerModelName", "sequence_type": "ScanningSequence", "sequence_variant": "SequenceVariant",
    "acquisition_type": "MRAcquisitionType", "phase_direction": "InPlanePhaseEncodingDirection",
    "patient_position": "PatientPosition", "decay_correction": "DecayCorrection", "suv_type": "SUVType",
}  # fmt: skip


def read_unit(stack: Stack) -> str:
    """The unit of the rescaled values.

    Source: PS3.3 C.8.9.1.1.3 (Units) and C.11.1 (rescale type).
    """
    frame = stack.frames[0][0]
    header = frame.header
    if frame.is_colour:
        return "sRGB"
    modality = header.text("Modality")
    if modality == "PT":
        units = header.text("Units")
        if units in ("GML", "CM2ML"):
            kind = "BSA" if units == "CM2ML" else header.text("SUVType").upper()
            return _SUV_UNITS.get(kind, "a.u.")
        return _PET_UNITS.get(units, "a.u.")
    if modality == "CT":
        rescaled = bool(header.values.get("RescaleSlope") or header.groups)
        stated = header.text("RescaleType").upper()
        return "HU" if stated in ("", "HU") and (rescaled or not stated) else "a.u."
    return intensity_unit(modality)


def read_facts(stack: Stack, notes: tuple[str, ...]) -> Facts:
    """What the first frame's header states about the series."""
    frame = stack.frames[0][0]
    header = frame.header
    agent = header.values.get("ContrastBolusAgent")
    burned = header.text("BurnedInAnnotation").upper()
    return Facts(
        body_part=header.text("BodyPartExamined").upper(),
        laterality=_laterality(header),
        view=header.text("ViewPosition").upper(),
        manufacturer=header.text("Manufacturer"),
        kvp=header.number("KVP"),
        slice_thickness_mm=_thickness(frame),
        kernel=header.text("ConvolutionKernel"),
        contrast=True if agent else None,
        image_type=frame.image_type,
        windows=_windows(frame),
        burned_in={"YES": True, "NO": False}.get(burned),
        notes=(*header.notes, *_pixel_notes(stack), *notes),
        parameters=tuple(_parameters(stack)),
    )


def _laterality(header: Header) -> str:
    stated = (header.text("ImageLaterality") or header.text("Laterality")).upper()
    return stated if stated in ("L", "R", "B") else ""


def _thickness(frame: Frame) -> float | None:
    group = frame.header.groups[frame.index] if frame.header.groups else {}
    value = group.get("SliceThickness") or frame.header.values.get("SliceThickness")
    return float(value[0]) if value else None


def _windows(frame: Frame) -> tuple[Window, ...]:
    """VOI windows in the volume's unit; turned round with an inverted picture."""
    if not is_inverted(frame):
        return tuple(Window(*window) for window in frame.windows)
    # PS3.3 C.11.2.1.2: LINEAR is symmetric about centre - 0.5, the others about the centre.
    total = inversion_sum(frame)
    return tuple(
        Window(total - centre + (1 if function == "LINEAR" else 0), width, function)
        for centre, width, function in frame.windows
    )


def _pixel_notes(stack: Stack) -> list[str]:
    frame = stack.frames[0][0]
    layout = frame.layout
    notes = []
    if layout.photometric == "MONOCHROME1":
        notes.append("monochrome1-inverted" if is_inverted(frame) else "monochrome1-kept")
    if layout.photometric == "PALETTE COLOR" or layout.photometric.startswith("YBR"):
        notes.append(f"colour-to-rgb: {layout.photometric}")
    if layout.samples == 3 and layout.bits_stored > 8:
        notes.append(f"colour-reduced-to-8-bit: {layout.bits_stored}")
    if (
        layout.syntax.rsplit(".", 1)[-1] in ("50", "51", "81", "91", "203")
        or frame.header.text("LossyImageCompression") == "01"
    ):
        notes.append("lossy-compression")
    if frame.tile is not None:
        notes.append(f"mosaic-unfolded: {len(stack.frames[0])} slices")
    if frame.header.values.get("ModalityLUT"):
        notes.append("modality-lut-applied")
    padding = _padding(frame)
    if padding is not None:
        notes.append(f"pixel-padding: {padding:g}")
    if (
        frame.layout.bits_allocated > 1
        and int(frame.header.number("HighBit") or layout.bits_stored - 1) != layout.bits_stored - 1
    ):
        notes.append("high-bit-mismatch")
    if frame.header.values.get("UltrasoundSpacing", (0, 0, 1))[2] > 1:
        notes.append(f"ultrasound-regions: {int(frame.header.values['UltrasoundSpacing'][2])}")
    return notes


def _padding(frame: Frame) -> float | None:
    """The value outside the field of view, rescaled like the others."""
    value = frame.header.number("PixelPaddingValue")
    if value is None or frame.is_colour:
        return None
    if frame.layout.signed and value > 32767:
        value -= 65536
    return value * frame.slope + frame.intercept


def _parameters(stack: Stack) -> list[tuple[str, str | float | int]]:
    frame = stack.frames[0][0]
    header = frame.header
    group = header.groups[frame.index] if header.groups else {}
    found: list[tuple[str, str | float | int]] = []
    for name, element in _NUMBERS.items():
        value = group.get(element) or header.values.get(element)
        if value and isinstance(value[0], float):
            found.append((name, value[0]))
    for name, element in _TEXTS.items():
        value = group.get(element) or header.values.get(element)
        if value:
            found.append((name, "\\".join(str(part) for part in value)))
    if frame.echo_ms is not None and header.text("Modality") == "MR":
        found.append(("echo_time_ms", frame.echo_ms))
    scalings = {(other.slope, other.intercept) for row in stack.frames for other in row}
    if scalings == {(frame.slope, frame.intercept)} != {(1.0, 0.0)} and not frame.is_colour:
        found += [("rescale_slope", frame.slope), ("rescale_intercept", frame.intercept)]
    return found + _mosaic_timing(stack) + pet_facts(stack.frames)


def _mosaic_timing(stack: Stack) -> list[tuple[str, str | float | int]]:
    """When each slice of a mosaic was taken, in the order of the sorted slices, and the sign of the phase direction.

    Source: MosaicRefAcqTimes (ms) and PhaseEncodingDirectionPositive of the Siemens CSA image header.
    """
    row = stack.frames[0]
    header = row[0].header
    if row[0].tile is None:
        return []
    csa = header.values.get("SiemensCSA", (b"",))[0]
    times_ms = header.values.get("SiemensSliceTimes") or csa_numbers(csa, "MosaicRefAcqTimes")
    found: list[tuple[str, str | float | int]] = []
    if len(times_ms) > max(frame.tile_number for frame in row):
        ordered = [times_ms[frame.tile_number] for frame in row]
        found.append(("slice_times_s", " ".join(f"{(time - min(ordered)) / 1000:.4f}" for time in ordered)))
    positive = csa_numbers(csa, "PhaseEncodingDirectionPositive")
    return found + ([("phase_positive", int(positive[0]))] if positive else [])
