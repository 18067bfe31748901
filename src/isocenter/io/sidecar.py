"""The facts of a series as a BIDS-style JSON object; nothing in it names anybody."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.volume import Volume

# BIDS name -> (our parameter, factor): times are seconds there (BIDS 1.9, MRI and PET metadata).
_PARAMETERS: Final[Mapping[str, tuple[str, float]]] = {
    "EchoTime": ("echo_time_ms", 1e-3),
    "RepetitionTime": ("repetition_time_ms", 1e-3),
    "InversionTime": ("inversion_time_ms", 1e-3),
    "FlipAngle": ("flip_angle_deg", 1.0),
    "MagneticFieldStrength": ("field_t", 1.0),
    "PixelBandwidth": ("pixel_bandwidth_hz", 1.0),
    "EchoTrainLength": ("echo_train_length", 1.0),
    "NumberOfAverages": ("averages", 1.0),
    "SeriesNumber": ("series_number", 1.0),
    "XRayTubeCurrent": ("tube_current_ma", 1.0),
    "InjectedRadioactivity": ("dose_bq", 1.0),
    "RadionuclideHalfLife": ("half_life_s", 1.0),
}
_WHOLE: Final = frozenset({"SeriesNumber", "EchoTrainLength", "NumberOfAverages"})
_TEXTS: Final[Mapping[str, str]] = {
    "ManufacturersModelName": "model",
    "ScanningSequence": "sequence_type",
    "SequenceVariant": "sequence_variant",
    "MRAcquisitionType": "acquisition_type",
    "InPlanePhaseEncodingDirectionDICOM": "phase_direction",
    "PatientPosition": "patient_position",
    "DecayCorrection": "decay_correction",
}
# PS3.3 C.8.3.1: the phase runs along a column (voxel axis j) or along a row (i); its sign is not stated there.
_PHASE_AXIS: Final = {"COL": "j", "COLUMN": "j", "ROW": "i"}


def describe_image(image: Volume | Cine) -> dict[str, Any]:
    """The sidecar's content.

    Source: BIDS specification 1.9, MRI and PET metadata (names, seconds); names of CT facts as DICOM has them.
    """
    from isocenter import __version__

    facts = image.facts
    parameters = dict(facts.parameters)
    found: dict[str, Any] = {
        "Modality": image.modality,
        "Manufacturer": facts.manufacturer,
        "BodyPartExamined": facts.body_part,
        "ImageType": list(facts.image_type),
        "SliceThickness": facts.slice_thickness_mm,
        "KVP": facts.kvp,
        "ConvolutionKernel": facts.kernel,
        "Laterality": facts.laterality,
        "Units": image.unit,
        "ConversionSoftware": "isocenter",
        "ConversionSoftwareVersion": __version__,
        "ConversionNotes": list(facts.notes),
    }
    if image.grid.shape[0] > 1 and image.grid.spacing_known:
        found["SpacingBetweenSlices"] = round(float(image.grid.spacing_mm[0]), 6)
    for name, (parameter, factor) in _PARAMETERS.items():
        value = parameters.get(parameter)
        if isinstance(value, int | float):
            number = round(value * factor, 9)
            found[name] = int(number) if name in _WHOLE and number == int(number) else number
    for name, parameter in _TEXTS.items():
        if parameters.get(parameter):
            found[name] = parameters[parameter]
    axis = _PHASE_AXIS.get(str(parameters.get("phase_direction", "")).upper())
    if axis:
        found["PhaseEncodingAxis"] = axis
        if "phase_positive" in parameters:
            found["PhaseEncodingDirection"] = axis if parameters["phase_positive"] else f"{axis}-"
    found.update(_timing(image, parameters))
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _timing(image: Volume | Cine, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Slice times, and the times of volumes that do not come evenly."""
    timing: dict[str, Any] = {}
    slice_times = parameters.get("slice_times_s")
    if slice_times:
        timing["SliceTiming"] = [float(time) for time in str(slice_times).split()]
    if isinstance(image, Cine) and image.axis == "time":
        steps_s = np.diff(image.times_s)
        if len(steps_s) and float(np.ptp(steps_s)) > 0.01 * float(np.median(steps_s)):
            timing["VolumeTiming"] = [round(float(time), 4) for time in image.times_s]
    return timing
