"""The finding: the one join of mask, measurement, code, category and sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept.

    scheme   DICOM coding scheme designator: "SCT", "DCM", "LN", "RADLEX", "UCUM", "99ISO" (ours)
    """

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """A number with its unit, how it was made and how sure it is.

    name          the field's own name, snake case: mean_diameter, long_axis, head_circumference
    unit          UCUM: mm, mm2, mm3, ml, [hnsf'U], wk, 1
    method        how, in one English line (names the source)
    uncertainty   one standard deviation in the same unit; None if unknown
    """

    name: str
    value: float
    unit: str
    code: Code
    method: str
    uncertainty: float | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.value):
            raise InputError(f"measurement {self.name}: expected a finite number, got {self.value}")


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of a rule's reasoning: the term, what came in, what it contributed."""

    term: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class Category:
    """What a guideline says of a finding.

    rule         rule id, as in `isocenter rules`
    value        the category itself ("4A", "6-8 mm", "moderate")
    management   code of the advice, rendered at the edge by language (a key of the rule's own texts)
    texts        language -> advice in that language, from the rule's data file
    limits       the rule's own numbers that a sentence may quote, e.g. ("6 mm", "8 mm")
    flags        "out_of_scope", "ai_estimated", "missing:<input>" …
    """

    rule: str
    value: str
    trace: tuple[TraceStep, ...]
    source: str
    management: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Pixels that a finding rests on.

    box_index       ((k0, j0, i0), (k1, j1, i1)), half open, on the series' grid
    points_index    (n, 3) of (k, j, i)
    frame           slice index (0-based) that shows it best
    """

    kind: Literal["mask", "box", "points"]
    series_uid: str = ""
    frame: int = 0
    file: str = ""
    voxels: int | None = None
    centre_lps_mm: tuple[float, float, float] | None = None
    mask: Mask | None = field(default=None, repr=False)
    box_index: tuple[tuple[int, int, int], tuple[int, int, int]] | None = None
    points_index: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        payload = {"mask": self.mask, "box": self.box_index, "points": self.points_index}[self.kind]
        if payload is None:
            raise InputError(f"evidence: expected a {self.kind}, got none")


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model spoke."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Site:
    """Where in the body."""

    code: Code
    laterality: Literal["L", "R", "B"] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One thing seen, with everything that supports it. Without evidence or a measurement it is invalid.

    id            "F1", "F2", … unique in the report
    task          the reading task that made it
    code          what it is
    probability   calibrated, of what `code` says; None where no model was asked
    categories    what the guidelines say; the first is the main one
    qualifiers    coded extras for the sentence templates: {"location": "right-upper", "density": "solid"}
    """

    id: str
    task: str
    code: Code
    site: Site
    evidence: tuple[Evidence, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    probability: float | None = None
    categories: tuple[Category, ...] = ()
    model: ModelRef | None = None
    prior: str | None = None
    qualifiers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.evidence and not self.measurements:
            raise InputError(f"finding {self.id}: expected a mask, a box, points or a measurement, got none")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise InputError(f"finding {self.id}: expected a probability in [0, 1], got {self.probability}")

    def measurement(self, name: str) -> Measurement:
        """The measurement of that name. Raises KeyError if the finding has none."""
        for measurement in self.measurements:
            if measurement.name == name:
                return measurement
        raise KeyError(name)
