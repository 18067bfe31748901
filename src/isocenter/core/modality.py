"""DICOM modalities that we take in, and what their pixels mean."""

from typing import Final

# PS3.3 C.7.3.1.1.1
VOLUMETRIC: Final = frozenset({"CT", "MR", "PT", "NM"})
PROJECTION: Final = frozenset({"CR", "DX", "MG", "XA", "RF", "PX", "IO"})
SINGLE_FRAME: Final = frozenset({"US", "OP", "SC", "OT", "XC", "ES", "GM", "SM", "OPT"})
IMAGES: Final = VOLUMETRIC | PROJECTION | SINGLE_FRAME
NOT_IMAGES: Final = frozenset(
    {"SR", "SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "RTRECORD", "KO", "PR", "REG", "ECG", "DOC", "PLAN", "ANN"}
)


def intensity_unit(modality: str) -> str:
    """The unit of a modality's stored values after rescaling, where the standard fixes one: HU for CT, else a.u."""
    return "HU" if modality == "CT" else "a.u."
