"""One examination: its images, what else came with them, and what could not be read."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from isocenter.core.cine import Cine
from isocenter.core.volume import Volume


@dataclass(frozen=True, slots=True)
class Patient:
    """Who was examined. Name, id and birth date go to HTML, PDF and SR only, never to JSON, a log or an error.

    sex   "M", "F", "O" or ""
    """

    name: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    sex: str = ""
    age_years: float | None = None

    @property
    def key(self) -> str:
        """A stable key that does not name anybody: 16 hex digits of a hash over name, id and birth date; "" if none."""
        identity = "\x1f".join((self.name, self.patient_id, self.birth_date))
        return hashlib.sha256(identity.encode()).hexdigest()[:16] if identity.strip("\x1f") else ""


@dataclass(frozen=True, slots=True)
class InputFailure:
    """An input that could not be used.

    path      where it lies, as given by the caller
    problem   one line: what was expected, what came, what to do
    """

    path: Path
    problem: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """Something in the study that is no image of its own: an SR, RTSTRUCT, SEG, waveform, document."""

    modality: str
    sop_class_uid: str
    sop_uid: str
    digest: str
    path: Path | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Study:
    """One examination: its images, what else came with them, and what could not be read.

    uid    StudyInstanceUID, or "" for files that have none (the content's digest then names the study)
    date   ISO date of the study, "" if unknown
    """

    uid: str = ""
    date: str = ""
    patient: Patient = Patient()
    volumes: tuple[Volume | Cine, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    failures: tuple[InputFailure, ...] = ()

    @property
    def digests(self) -> tuple[str, ...]:
        """SHA-256 of every image file, sorted and without repeats."""
        return tuple(sorted({digest for volume in self.volumes for digest in volume.source.digests}))

    @property
    def key(self) -> str:
        """The study's folder name: 16 hex digits of the SHA-256 of its UID, or of its content where it has none."""
        text = self.uid or "\n".join(self.digests)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
