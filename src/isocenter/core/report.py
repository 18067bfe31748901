"""The report: the one graph from pixel to sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from isocenter.core.errors import ReportError
from isocenter.core.finding import Finding
from isocenter.core.provenance import Provenance
from isocenter.core.reading import Abstention, Figure, QualityCheck
from isocenter.core.study import InputFailure, Patient

SECTIONS = ("technique", "comparison", "findings", "impression", "recommendation")
Status = Literal["draft", "reviewed", "signed", "amended"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, tied to the finding and the measurements that it speaks of.

    section        one of SECTIONS
    finding        id, or "" for a sentence about the study as a whole
    measurements   names of the finding's measurements whose values the text prints
    """

    text: str
    section: str
    finding: str = ""
    measurements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyHeader:
    """The study as the report names it; no identity in it."""

    uid: str
    key: str
    modality: str
    body_part: str
    date: str
    patient_key: str
    sex: str
    age_years: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The report: the one graph from pixel to sentence.

    language     "en" or "zh": the language of the sentences; findings carry codes only
    created      ISO 8601, UTC
    patient      identity for HTML, PDF and SR; never in the JSON
    folder       where `isocenter.read` wrote it, "" if it was not written
    """

    study: StudyHeader
    provenance: Provenance
    language: str = "en"
    status: Status = "draft"
    created: str = ""
    tasks: tuple[str, ...] = ()
    quality: tuple[QualityCheck, ...] = ()
    abstained: Abstention | None = None
    abstained_reason: str = ""
    findings: tuple[Finding, ...] = ()
    sections: Mapping[str, str] = field(default_factory=dict)
    sentences: tuple[Sentence, ...] = ()
    figures: tuple[Figure, ...] = ()
    predictions: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    failures: tuple[InputFailure, ...] = ()
    patient: Patient = Patient()
    folder: str = ""

    def __post_init__(self) -> None:
        ids = [finding.id for finding in self.findings]
        if len(set(ids)) != len(ids):
            raise ReportError(f"report: expected unique finding ids, got {ids}")
        known = {finding.id: {m.name for m in finding.measurements} for finding in self.findings}
        for sentence in self.sentences:
            if sentence.finding and sentence.finding not in known:
                raise ReportError(f"sentence: expected one of the findings {ids}, got {sentence.finding!r}")
            missing = set(sentence.measurements) - known.get(sentence.finding, set())
            if missing:
                raise ReportError(f"sentence of {sentence.finding or 'study'}: no measurement named {sorted(missing)}")
