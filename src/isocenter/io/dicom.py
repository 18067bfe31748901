"""DICOM files as studies: scan the headers, group them, read one series at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, IsocenterError
from isocenter.core.modality import NOT_IMAGES, VOLUMETRIC
from isocenter.core.study import Attachment, InputFailure, Patient, Study
from isocenter.core.volume import Volume
from isocenter.io.boundary import untrusted
from isocenter.io.dicom_patient import read_patient
from isocenter.io.dicom_scan import Header, scan_file
from isocenter.io.dicom_series import _digest, build_series
from isocenter.io.inputs import InputFile


def scan_headers(files: Sequence[InputFile], failures: list[InputFailure]) -> list[Header]:
    """The header of each file, in order; one that is no DICOM, or damaged, is added to `failures`."""
    headers = []
    for file in files:
        try:
            headers.append(scan_file(file))
        except IsocenterError as error:
            failures.append(InputFailure(file.label, str(error)))
        except OSError as error:
            failures.append(InputFailure(file.label, f"expected a readable file, got: {error.strerror}"))
    return headers


def group_series(headers: Sequence[Header]) -> dict[tuple[str, str], list[Header]]:
    """Headers by (study, series) UID; files that name none belong together where `_nameless_key` says so."""
    groups: dict[tuple[str, str], list[Header]] = {}
    for header in headers:
        study, series = header.text("StudyInstanceUID"), header.text("SeriesInstanceUID")
        nameless = _nameless_key(header)
        groups.setdefault((study or nameless, series or nameless), []).append(header)
    return groups


def _nameless_key(header: Header) -> str:
    """What stands for a missing UID: slices of one folder, patient, frame of reference and series number lie together.

    Anything that is no placed slice of a volume stands alone, so that no two patients share a study.
    """
    if header.text("Modality") not in VOLUMETRIC or not header.values.get("ImagePositionPatient"):
        return f"?{header.file.path}"
    names = ("PatientID", "StudyDate", "Modality", "FrameOfReferenceUID", "SeriesNumber", "Rows", "Columns")
    return "?" + "\x1f".join([str(header.file.label.parent), *(header.text(name) for name in names)])


def read_series(
    paths: Sequence[Path],
    *,
    dtype: np.dtype[Any] | type[np.generic] | None = None,
    failures: list[InputFailure] | None = None,
) -> list[Volume | Cine]:
    """The volumes and cines that the files of one series (or of several) make up.

    dtype      None: the smallest integers that hold every rescaled value, or float32
    failures   takes what could not be read; without it the first problem is raised

    Raises FormatError where nothing could be read, or `failures` is not given and something failed.
    """
    found: list[InputFailure] = []
    headers = scan_headers([InputFile(Path(path), Path(path), "dicom") for path in paths], found)
    wanted = None if dtype is None else np.dtype(dtype)
    images = [
        image
        for group in group_series(_images(headers, found)).values()
        for image in build_series(group, found, dtype=wanted)
    ]
    if failures is not None:
        failures.extend(found)
    elif found:
        raise FormatError(found[0].problem)
    if not images and failures is None:
        raise FormatError("expected DICOM images, got none; name the files of a series")
    return images


def _images(headers: Sequence[Header], failures: list[InputFailure]) -> list[Header]:
    """Those with pixels of an image; what has none and is no other object either is a failure."""
    images = []
    for header in headers:
        if _is_attachment(header):
            continue
        if header.pixels is None:
            failures.append(
                InputFailure(header.file.label, "expected an image, the file holds no pixel data; leave it out")
            )
        else:
            images.append(header)
    return images


def _is_attachment(header: Header) -> bool:
    """Whether the object is something else than an image: SR, SEG, RTSTRUCT, waveform, registration …"""
    modality = header.text("Modality")
    if modality in NOT_IMAGES:
        return True
    return header.pixels is None and bool(modality) and header.number("Rows") is None and _is_known_object(header)


_IMAGE_CLASSES: Final = frozenset({"1", "2", "3", "4", "5", "6", "7", "12", "13", "20", "77", "128"})


def _is_known_object(header: Header) -> bool:
    """Whether its SOP class is a storage class of no images (PS3.4 B.5)."""
    sop_class = header.text("SOPClassUID")
    prefix = "1.2.840.10008.5.1.4.1.1."
    if not sop_class.startswith(prefix):
        return False
    return sop_class[len(prefix) :].split(".")[0] not in _IMAGE_CLASSES


def read_dicom_studies(
    files: Sequence[InputFile], failures: list[InputFailure], *, dtype: np.dtype[Any] | None = None
) -> Iterator[Study]:
    """One study at a time, in the order in which their first files came.

    What cannot be read is added to `failures`, and to the study's own where its study is known. SR, SEG, RTSTRUCT and
    other objects without a picture become attachments.
    """
    headers = scan_headers(files, failures)
    studies: dict[str, list[Header]] = {}
    for header in headers:
        studies.setdefault(header.text("StudyInstanceUID") or _nameless_key(header), []).append(header)
    for uid, members in studies.items():
        found = [_read_study("" if uid.startswith("?") else uid, members, dtype)]
        failures.extend(found[0].failures)
        if found[0].volumes or found[0].attachments:
            yield found.pop()  # nothing here holds the study while its reader works


def _read_study(uid: str, headers: Sequence[Header], dtype: np.dtype[Any] | None) -> Study:
    failures: list[InputFailure] = []
    images = _images(headers, failures)
    volumes = [image for group in group_series(images).values() for image in build_series(group, failures, dtype=dtype)]
    attachments = tuple(_attachment(header) for header in headers if _is_attachment(header))
    first = images[0] if images else headers[0]
    patient = _read_patient([*images, *headers], failures)
    return Study(uid, _iso_date(first.text("StudyDate")), patient, tuple(volumes), attachments, tuple(failures))


def _read_patient(headers: Sequence[Header], failures: list[InputFailure]) -> Patient:
    """From the first header whose identity can be read; nobody, and a failure, where none of the first few can."""
    for header in headers[:_TRIED_FOR_PATIENT]:
        try:
            with untrusted("a DICOM header"):
                return read_patient(header.file)
        except (IsocenterError, OSError):
            continue
    failures.append(InputFailure(headers[0].file.label, "expected a patient in the header, it is damaged; check it"))
    return Patient()


_TRIED_FOR_PATIENT: Final = 5


def _attachment(header: Header) -> Attachment:
    return Attachment(
        header.text("Modality"),
        header.text("SOPClassUID"),
        header.text("SOPInstanceUID"),
        "sha256:" + _digest(header.file.path).hex(),
        header.file.path,
    )


def _iso_date(text: str) -> str:
    """2024-05-31 of a DICOM date (DA, also the old form with points); "" if it is none."""
    digits = text.replace(".", "").replace("-", "")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 and digits.isdigit() else ""
