"""DICOM UIDs that are hashes of content: the same input and code give the same objects."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np

from isocenter.core.finding import Finding
from isocenter.core.report import Report


def content_uid(*parts: str | bytes) -> str:
    """A UID under 2.25 from the SHA-256 of the parts; at most 44 characters.

    >>> content_uid("series", "a") == content_uid("series", "a"), content_uid("seriesa") == content_uid("series", "a")
    (True, False)

    Source: PS3.5 B.2 (UUID-derived UIDs; the version bits of RFC 4122 are set to 8, "custom").
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    bits = int.from_bytes(digest.digest()[:16], "big")
    bits = bits & ~(0xF << 76) | 8 << 76
    bits = bits & ~(0b11 << 62) | 0b10 << 62
    return f"2.25.{bits}"


def fingerprint(value: object) -> bytes:
    """SHA-256 of a record's whole content: numbers, texts, arrays, nested records; paths do not count."""
    digest = hashlib.sha256()
    _feed(digest, value)
    return digest.digest()


def study_uid(report: Report) -> str:
    """The study's own UID, or for inputs without one a UID of their content."""
    return report.study.uid or content_uid("study", *sorted(report.provenance.inputs))


def tracking_uid(report: Report, finding: Finding) -> str:
    """The identifier under which a finding is followed: it depends on the study and on the pixels that it rests on."""
    pixels = [(each.kind, each.frame, each.mask, each.box_index, each.points_index) for each in finding.evidence]
    return content_uid("finding", study_uid(report), finding.task, finding.id, fingerprint(pixels))


def _feed(digest: "hashlib._Hash", value: object) -> None:
    digest.update(type(value).__name__.encode() + b"\x1e")
    if is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            digest.update(each.name.encode() + b"\x1f")
            _feed(digest, getattr(value, each.name))
    elif isinstance(value, np.ndarray):
        digest.update(repr((value.shape, value.dtype.str)).encode())
        digest.update(
            np.packbits(value).tobytes() if value.dtype == np.bool_ else np.ascontiguousarray(value).tobytes()
        )
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            digest.update(str(key).encode() + b"\x1f")
            _feed(digest, value[key])
    elif isinstance(value, (tuple, list)):
        for item in value:
            _feed(digest, item)
    elif not isinstance(value, Path):
        digest.update(repr(value).encode())
    digest.update(b"\x1d")


def _mask_bytes(array: np.ndarray) -> bytes:
    """The places along the first axis that hold anything, and the bits there: a nodule in a CT fills few slices."""
    filled = np.flatnonzero(array.reshape(len(array), -1).any(axis=1)) if array.size else np.zeros(0, np.int64)
    return filled.astype("<i8").tobytes() + np.packbits(array[filled]).tobytes()
