"""What a reading task hands over: findings or a named reason for none, with the pictures that show why."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from isocenter.core.finding import Finding, ModelRef


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """One check of the input, with the limit that it was held against."""

    name: str
    value: float
    limit: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Abstention:
    """A named reason not to answer; rendered by language at the edge.

    code     "no-task", "quality", "out-of-distribution", "wrong-input", "failed-fit" …
    values   what the sentence template needs
    """

    code: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """A picture that goes beside the report.

    name      file stem, unique in the report: "F1-overlay"
    image     uint8, (rows, columns) or (rows, columns, 3)
    caption   code of the caption, a key of the locale files
    values    what the caption's template needs
    finding   id of the finding that it shows, or ""
    """

    name: str
    image: np.ndarray = field(repr=False)
    caption: str
    values: Mapping[str, str] = field(default_factory=dict)
    finding: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a reading task hands over.

    series_uid      the series that was read
    modality        what the answered task reads, DICOM terms ("US", "BREAST"), for images whose header states none
    predictions     the columns of `isocenter predict`: p_<class>, or measurement names with their unit
    statements      coded negatives and context that belong to no finding ("no-nodule", "no-calcium"), with values
    parameters      what was set, for provenance
    """

    task: str
    series_uid: str = ""
    modality: str = ""
    body_part: str = ""
    findings: tuple[Finding, ...] = ()
    abstained: Abstention | None = None
    quality: tuple[QualityCheck, ...] = ()
    figures: tuple[Figure, ...] = ()
    predictions: Mapping[str, float] = field(default_factory=dict)
    statements: tuple[tuple[str, Mapping[str, str]], ...] = ()
    models: tuple[ModelRef, ...] = ()
    parameters: Mapping[str, str | float | int | bool] = field(default_factory=dict)
