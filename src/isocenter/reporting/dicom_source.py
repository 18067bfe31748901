"""Which DICOM instance and frame a slice of a volume came from, and what a derived object inherits from it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.report import Report
from isocenter.core.volume import Instance, Volume
from isocenter.reporting.uids import study_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

HeadersBySeries = Mapping[str, "tuple[Dataset, ...]"]
MANUFACTURER = "Isocenter"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"

# A UUID-derived UID of ours (PS3.5 B.2), the same for every version; the version stands in SoftwareVersions.
IMPLEMENTATION_UID = "2.25.229451735180911672906137231043163170291"

# Storage classes of one frame (PS3.4 B.5): CR CT MR US SC PET, DX MG IO, VL endoscopic microscopic photographic.
_ONE_FRAME_SUFFIXES = (
    *("1", "2", "4", "6.1", "7", "128"),
    *("1.1", "1.1.1", "1.2", "1.2.1", "1.3", "1.3.1"),
    *("77.1.1", "77.1.2", "77.1.4"),
)
_ONE_FRAME = frozenset(f"1.2.840.10008.5.1.4.1.1.{suffix}" for suffix in _ONE_FRAME_SUFFIXES)

_STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName")
_PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
_KNOWN_ONLY = ("StudyDescription", "PatientAge", "PatientSize", "PatientWeight", "IssuerOfPatientID")
_NAMES = ("PatientName", "ReferringPhysicianName")
_ALLOWED = {
    "PatientName": re.compile(r"[^\\\x00-\x1a\x1c-\x1f]{0,194}"),
    "ReferringPhysicianName": re.compile(r"[^\\\x00-\x1a\x1c-\x1f]{0,194}"),
    "PatientID": re.compile(r"[^\\\x00-\x1f]{0,64}"),
    "PatientBirthDate": re.compile(r"\d{8}"),
    "PatientSex": re.compile("[MFO]"),
    "StudyDate": re.compile(r"\d{8}"),
    "StudyTime": re.compile(r"\d{2}([0-5]\d([0-5]\d(\.\d{1,6})?)?)?"),
    "StudyID": re.compile(r"[^\\\x00-\x1f]{0,16}"),
    "AccessionNumber": re.compile(r"[^\\\x00-\x1f]{0,16}"),
    "StudyDescription": re.compile(r"[^\\\x00-\x1f]{1,64}"),
    "PatientAge": re.compile(r"\d{3}[DWMY]"),
    "PatientSize": re.compile(r"\d{1,3}(\.\d{1,6})?"),
    "PatientWeight": re.compile(r"\d{1,3}(\.\d{1,6})?"),
    "IssuerOfPatientID": re.compile(r"[^\\\x00-\x1f]{1,64}"),
}
_IDENTITY = ("PatientName", "PatientID", "PatientBirthDate", "IssuerOfPatientID")


@dataclass(frozen=True, slots=True, eq=False)
class SourceSeries:
    """The headers of one series and, where the volume states them, the instance of every slice.

    headers     one per distinct instance, in slice order
    instances   one per slice (of a cine: per frame), or none: then slice k is header k, or frame k + 1 of the only one
    """

    headers: "tuple[Dataset, ...]" = field(repr=False)
    instances: tuple[Instance, ...] = ()
    by_uid: "Mapping[str, Dataset]" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_uid", {str(header.SOPInstanceUID): header for header in self.headers})

    def locate(self, slice_index: int) -> "tuple[Dataset, int | None]":
        """(header, frame number from 1 or None) of a slice. Raises InputError where the series has no such slice."""
        if len(self.headers) == 1 and not is_multiframe(self.headers[0]):
            return self.headers[0], None
        if self.instances:
            if slice_index >= len(self.instances):
                raise InputError(f"slice: expected one of {len(self.instances)}, got {slice_index}")
            instance = self.instances[slice_index]
            header = self.by_uid.get(instance.sop_uid)
            if header is not None:
                return header, instance.frame if is_multiframe(header) else None
            raise InputError("headers: expected one for each instance of the volume; pass those of read_headers")
        if len(self.headers) == 1 and is_multiframe(self.headers[0]):
            return self.headers[0], slice_index + 1
        if slice_index >= len(self.headers):
            raise InputError(f"slice: expected one of {len(self.headers)}, got {slice_index}")
        return self.headers[slice_index], None


def is_multiframe(header: "Dataset") -> bool:
    """Whether frames of the instance are referred to by number: never in a class of one frame, whatever it says."""
    if str(header.get("SOPClassUID", "")) in _ONE_FRAME:
        return False
    return int(header.get("NumberOfFrames", 1) or 1) > 1 or "PerFrameFunctionalGroupsSequence" in header


def source_series(
    series_uid: str, volumes: Sequence[Volume | Cine], headers_by_series: HeadersBySeries, grid: Grid | None = None
) -> SourceSeries:
    """The series of that UID ("" for an input that is not DICOM: its Secondary Capture).

    grid   of the evidence, where it is known: a series may hold several volumes

    Raises InputError where no headers were handed over for it.
    """
    headers = tuple(headers_by_series.get(series_uid, ()))
    if not headers:
        raise InputError("headers: expected those of the series that a finding rests on, got none")
    candidates = [v for v in volumes if v.source.series_uid == series_uid and v.source.instances]
    fitting = [v for v in candidates if grid is not None and _same_grid(v.grid, grid)]
    for volume in (*fitting, *candidates):
        return SourceSeries(headers, volume.source.instances)
    return SourceSeries(headers)


def _same_grid(one: Grid, other: Grid) -> bool:
    return one.shape == other.shape and bool(np.allclose(one.affine, other.affine, atol=1e-3))


def inherit(derived: "Dataset", header: "Dataset", *, identity: bool) -> None:
    """Give a derived object the patient and study of its source; without `identity` the patient stays unnamed.

    Text is written in UTF-8 whatever the source used; a value that its representation does not allow is left empty.
    Source: PS3.3 C.7.1.1, C.7.2.1; PS3.5 6.1.1, 6.2.
    """
    from pydicom.valuerep import PersonName

    derived.SpecificCharacterSet = "ISO_IR 192"
    for keyword in (*_PATIENT, *_STUDY, *_KNOWN_ONLY):
        # As text: the source's own bytes are in the source's character set.
        value = "" if keyword in _IDENTITY and not identity else str(header.get(keyword) or "").strip("\0 ")
        allowed = _ALLOWED.get(keyword)
        if allowed and not allowed.fullmatch(value):
            value = ""
        if value or keyword not in _KNOWN_ONLY:
            setattr(derived, keyword, PersonName(value) if keyword in _NAMES else value)


def stamp(derived: "Dataset", report: Report, *, series_uid: str, sop_uid: str, series_number: int) -> None:
    """Say who made the object, when and from which code; dates are those of the report, so bytes repeat."""
    date, time = report.created[:10].replace("-", ""), report.created[11:19].replace(":", "")
    for keyword in ("ContentDate", "InstanceCreationDate", "SeriesDate"):
        setattr(derived, keyword, date)
    for keyword in ("ContentTime", "InstanceCreationTime", "SeriesTime"):
        setattr(derived, keyword, time)
    name, _, version = report.provenance.code.partition(" ")
    derived.Manufacturer = MANUFACTURER
    derived.ManufacturerModelName = name.capitalize()
    derived.DeviceSerialNumber = version or "unknown"
    derived.SoftwareVersions = report.provenance.code
    derived.SeriesInstanceUID, derived.SOPInstanceUID = series_uid, sop_uid
    derived.SeriesNumber, derived.InstanceNumber = series_number, 1
    derived.StudyInstanceUID = derived.get("StudyInstanceUID") or study_uid(report)


def file_meta(derived: "Dataset") -> None:
    """Give the object the file header that writing it to a Part 10 file needs."""
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = derived.SOPClassUID
    meta.MediaStorageSOPInstanceUID = derived.SOPInstanceUID
    meta.TransferSyntaxUID = EXPLICIT_LITTLE
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "ISOCENTER"
    derived.file_meta = meta
    derived.preamble = bytes(128)


def decimals(values: Iterable[float]) -> list[str]:
    """Decimal strings of at most 16 characters (PS3.5 6.2, DS); no minus zero."""
    from pydicom.valuerep import format_number_as_ds

    return [format_number_as_ds(float(value) + 0.0) for value in values]


def orientation_item(grid: Grid) -> "Dataset":
    """The plane orientation of a grid's slices: along a row, then down a column. Source: PS3.3 C.7.6.16.2.4."""
    from pydicom.dataset import Dataset

    item = Dataset()
    along_row, along_column = grid.affine[:3, 2], grid.affine[:3, 1]
    item.ImageOrientationPatient = decimals(
        (*(along_row / np.linalg.norm(along_row)), *(along_column / np.linalg.norm(along_column)))
    )
    return item
