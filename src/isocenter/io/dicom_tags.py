"""Which header elements we read, and their values as plain tuples, whoever parsed the bytes."""

import struct
from collections.abc import Mapping
from typing import Any, Final

Value = tuple[Any, ...]

# Name -> (tag, VR of PS3.6; for private elements the VR that the vendor's conformance statement gives).
WANTED: Final[Mapping[str, tuple[int, str]]] = {
    "ImageType": (0x00080008, "CS"),
    "SOPClassUID": (0x00080016, "UI"),
    "SOPInstanceUID": (0x00080018, "UI"),
    "StudyDate": (0x00080020, "DA"),
    "SeriesDate": (0x00080021, "DA"),
    "AcquisitionDate": (0x00080022, "DA"),
    "ContentDate": (0x00080023, "DA"),
    "AcquisitionDateTime": (0x0008002A, "DT"),
    "SeriesTime": (0x00080031, "TM"),
    "AcquisitionTime": (0x00080032, "TM"),
    "ContentTime": (0x00080033, "TM"),
    "TimezoneOffsetFromUTC": (0x00080201, "SH"),
    "Modality": (0x00080060, "CS"),
    "Manufacturer": (0x00080070, "LO"),
    "ManufacturerModelName": (0x00081090, "LO"),
    "PatientID": (0x00100020, "LO"),
    "PatientSex": (0x00100040, "CS"),
    "PatientWeight": (0x00101030, "DS"),
    "PatientSize": (0x00101020, "DS"),
    "ContrastBolusAgent": (0x00180010, "LO"),
    "BodyPartExamined": (0x00180015, "CS"),
    "ScanningSequence": (0x00180020, "CS"),
    "SequenceVariant": (0x00180021, "CS"),
    "ScanOptions": (0x00180022, "CS"),
    "MRAcquisitionType": (0x00180023, "CS"),
    "SequenceName": (0x00180024, "SH"),
    "SliceThickness": (0x00180050, "DS"),
    "KVP": (0x00180060, "DS"),
    "RepetitionTime": (0x00180080, "DS"),
    "EchoTime": (0x00180081, "DS"),
    "InversionTime": (0x00180082, "DS"),
    "NumberOfAverages": (0x00180083, "DS"),
    "EchoNumbers": (0x00180086, "IS"),
    "MagneticFieldStrength": (0x00180087, "DS"),
    "SpacingBetweenSlices": (0x00180088, "DS"),
    "EchoTrainLength": (0x00180091, "IS"),
    "PixelBandwidth": (0x00180095, "DS"),
    "SoftwareVersions": (0x00181020, "LO"),
    "TriggerTime": (0x00181060, "DS"),
    "FrameTime": (0x00181063, "DS"),
    "FrameTimeVector": (0x00181065, "DS"),
    "CineRate": (0x00180040, "IS"),
    "RecommendedDisplayFrameRate": (0x00082144, "IS"),
    "EstimatedRadiographicMagnificationFactor": (0x00181114, "DS"),
    "GantryDetectorTilt": (0x00181120, "DS"),
    "XRayTubeCurrent": (0x00181151, "IS"),
    "ImagerPixelSpacing": (0x00181164, "DS"),
    "ConvolutionKernel": (0x00181210, "SH"),
    "InPlanePhaseEncodingDirection": (0x00181312, "CS"),
    "FlipAngle": (0x00181314, "DS"),
    "PatientPosition": (0x00185100, "CS"),
    "ViewPosition": (0x00185101, "CS"),
    "DiffusionBValue": (0x00189087, "FD"),
    "DiffusionGradientOrientation": (0x00189089, "FD"),
    "StudyInstanceUID": (0x0020000D, "UI"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "SeriesNumber": (0x00200011, "IS"),
    "AcquisitionNumber": (0x00200012, "IS"),
    "InstanceNumber": (0x00200013, "IS"),
    "ImagePositionPatient": (0x00200032, "DS"),
    "ImageOrientationPatient": (0x00200037, "DS"),
    "FrameOfReferenceUID": (0x00200052, "UI"),
    "Laterality": (0x00200060, "CS"),
    "ImageLaterality": (0x00200062, "CS"),
    "TemporalPositionIdentifier": (0x00200100, "IS"),
    "NumberOfTemporalPositions": (0x00200105, "IS"),
    "TemporalResolution": (0x00200110, "DS"),
    "StackID": (0x00209056, "SH"),
    "TemporalPositionIndex": (0x00209128, "UL"),
    "DimensionIndexValues": (0x00209157, "UL"),
    "InStackPositionNumber": (0x00209057, "UL"),
    "FrameAcquisitionDateTime": (0x00189074, "DT"),
    "FrameReferenceDateTime": (0x00189151, "DT"),
    "TemporalPositionTimeOffset": (0x0020930D, "FD"),
    "NominalCardiacTriggerDelayTime": (0x00209153, "FD"),
    "EffectiveEchoTime": (0x00189082, "FD"),
    "FrameType": (0x00089007, "CS"),
    "ComplexImageComponent": (0x00089208, "CS"),
    "DiffusionDirectionality": (0x00189075, "CS"),
    "ColumnPositionInTotalImagePixelMatrix": (0x0048021E, "SL"),
    "RowPositionInTotalImagePixelMatrix": (0x0048021F, "SL"),
    "SamplesPerPixel": (0x00280002, "US"),
    "PhotometricInterpretation": (0x00280004, "CS"),
    "PlanarConfiguration": (0x00280006, "US"),
    "NumberOfFrames": (0x00280008, "IS"),
    "Rows": (0x00280010, "US"),
    "Columns": (0x00280011, "US"),
    "PixelSpacing": (0x00280030, "DS"),
    "BitsAllocated": (0x00280100, "US"),
    "BitsStored": (0x00280101, "US"),
    "HighBit": (0x00280102, "US"),
    "PixelRepresentation": (0x00280103, "US"),
    "PixelPaddingValue": (0x00280120, "US"),
    "CorrectedImage": (0x00280051, "CS"),
    "BurnedInAnnotation": (0x00280301, "CS"),
    "PixelSpacingCalibrationType": (0x00280A02, "CS"),
    "WindowCenter": (0x00281050, "DS"),
    "WindowWidth": (0x00281051, "DS"),
    "VOILUTFunction": (0x00281056, "CS"),
    "RescaleIntercept": (0x00281052, "DS"),
    "RescaleSlope": (0x00281053, "DS"),
    "RescaleType": (0x00281054, "LO"),
    "LossyImageCompression": (0x00282110, "CS"),
    "NumberOfSlices": (0x00540081, "US"),
    "Units": (0x00541001, "CS"),
    "SUVType": (0x00541006, "CS"),
    "DecayCorrection": (0x00541102, "CS"),
    "ActualFrameDuration": (0x00181242, "IS"),
    "FrameReferenceTime": (0x00541300, "DS"),
    "DecayFactor": (0x00541321, "DS"),
    "TotalPixelMatrixColumns": (0x00480006, "UL"),
    "TotalPixelMatrixRows": (0x00480007, "UL"),
    "SiemensMosaicCount": (0x0019100A, "US"),
    "SiemensBValue": (0x0019100C, "IS"),
    "SiemensDirection": (0x0019100E, "FD"),
    "SiemensSliceTimes": (0x00191029, "FD"),
    "SiemensCSA": (0x00291010, "OB"),
    "SiemensCSASeries": (0x00291020, "OB"),
    "GEBValue": (0x00431039, "IS"),
    "GEDirectionX": (0x001910BB, "DS"),
    "GEDirectionY": (0x001910BC, "DS"),
    "GEDirectionZ": (0x001910BD, "DS"),
    "PhilipsBValue": (0x20011003, "FL"),
    "PhilipsDirection": (0x20011004, "CS"),
    "PhilipsDirectionX": (0x200510B0, "FL"),
    "PhilipsDirectionY": (0x200510B1, "FL"),
    "PhilipsDirectionZ": (0x200510B2, "FL"),
    "UIHBValue": (0x00651009, "FD"),
    "UIHDirection": (0x00651037, "FD"),
    "PhilipsSUVFactor": (0x70531000, "DS"),
    "PhilipsActivityFactor": (0x70531009, "DS"),
}
NAMES: Final[Mapping[int, str]] = {tag: name for name, (tag, _) in WANTED.items()}
VR_OF: Final[Mapping[int, str]] = dict(WANTED.values())

_BINARY: Final = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_NUMBER_TEXT: Final = frozenset({"DS", "IS"})
_BYTES: Final = frozenset({"OB", "OW", "OF", "OD", "UN"})


def decode_value(tag: int, vr: str, raw: bytes) -> Value:
    """The values of one little-endian element; () where it is empty or not what its VR says.

    >>> decode_value(0x00280030, "DS", b"0.7\\\\0.8 ")
    (0.7, 0.8)

    Source: PS3.5 6.2 and 6.4 (value representations, backslash between values).
    """
    expected = VR_OF[tag]
    if vr in ("UN", "") or (vr == "SS" and expected == "US" and tag != 0x00280120):
        vr = expected
    if expected in _BYTES:
        return (raw,)
    if vr in _BYTES:  # anonymisers write private elements so
        vr = expected
    if vr in _BINARY:
        code = _BINARY[vr]
        count = len(raw) // struct.calcsize(code)
        return tuple(float(value) for value in struct.unpack_from(f"<{count}{code}", raw))
    texts = tuple(part.strip(" \0\t\r\n") for part in raw.decode("latin-1").split("\\"))
    return _numbers(texts) if expected in _NUMBER_TEXT or expected in _BINARY else _without_trailing_blanks(texts)


def normalise_value(tag: int, value: Any) -> Value:
    """The same for a value that pydicom parsed."""
    expected = VR_OF[tag]
    if value is None or value == "":
        return ()
    if expected in _BYTES:
        return (bytes(value),) if isinstance(value, bytes) else ()
    if isinstance(value, bytes):
        return decode_value(tag, expected, value)
    many = [value] if isinstance(value, str | int | float) or not hasattr(value, "__iter__") else list(value)
    if expected in _NUMBER_TEXT or expected in _BINARY:
        return _numbers(tuple(str(item) for item in many))
    return _without_trailing_blanks(tuple(str(item).strip(" \0\t\r\n") for item in many))


def _numbers(texts: tuple[str, ...]) -> tuple[float, ...]:
    """Numbers, or nothing where one of them is none."""
    try:
        return tuple(float(text) for text in texts)
    except ValueError:
        return ()


def _without_trailing_blanks(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Without empty values at the end; () for nothing at all."""
    while texts and not texts[-1]:
        texts = texts[:-1]
    return texts
