"""The shape of a guideline file: what a rule's TOML must hold, checked once when it is read."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from isocenter.core.errors import InputError

STATUSES = ("verified", "unverified")
BOUNDS = ("at_least", "above", "below", "at_most", "one_of")
LANGUAGES = ("en", "zh")

Value = str | float | int
Where = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RuleInput:
    """One thing that a rule asks for.

    kind       "number", "choice" or "flag" (0 or 1)
    unit       UCUM, "" for choices and flags
    range      smallest and largest number that makes sense; outside it the value is refused
    decimals   half-up rounding that the guideline asks for before its limits apply; None keeps the value
    default    what holds where the caller says nothing; the trace says that it was assumed. None = must be given
    """

    name: str
    kind: Literal["number", "choice", "flag"]
    meaning: str
    unit: str = ""
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    decimals: int | None = None
    default: Value | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a rule's table: where it holds, the category it gives, the advice that goes with it.

    where   input name -> the value it must equal, or bounds {"at_least", "above", "below", "at_most", "one_of"}
    """

    where: Where
    value: str
    management: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Whom the guideline does not speak of; the answer then carries the flag out_of_scope."""

    where: Where
    reason: str


@dataclass(frozen=True, slots=True)
class Case:
    """A worked case: the inputs and the answer that must come out."""

    given: Mapping[str, Value]
    expect: str
    source: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guideline:
    """One guideline or formula as its data file states it.

    output       what the category's value is: "category", "score", "weeks"
    status       "verified" where the figures were read in the source or in two that agree, else "unverified"
    rows         the table, first match wins; empty where `formula` gives the value
    suffixes     rows whose value is appended to the category (Lung-RADS modifier S)
    formula      a name in knowledge.calculators.FORMULAS, "" for a pure table
    texts        management code -> language -> advice, in our own words
    """

    id: str
    title: str
    version: str
    date: str
    source: str
    doi: str
    population: str
    status: str
    output: str
    inputs: tuple[RuleInput, ...]
    cases: tuple[Case, ...]
    rows: tuple[Row, ...] = ()
    suffixes: tuple[Row, ...] = ()
    excludes: tuple[Exclusion, ...] = ()
    formula: str = ""
    flags: tuple[str, ...] = ()
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def input(self, name: str) -> RuleInput:
        """The input of that name. Raises InputError where the rule has none."""
        for known in self.inputs:
            if known.name == name:
                return known
        names = ", ".join(known.name for known in self.inputs)
        raise InputError(f"rule {self.id}: expected inputs among {names}; got {name!r}")


def guideline_names() -> tuple[str, ...]:
    """The ids of all guidelines in the package, sorted."""
    folder = files("isocenter.knowledge") / "guidelines"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def load_guideline(name: str) -> Guideline:
    """The guideline of that id. Raises InputError for a name that no data file has."""
    if name not in guideline_names():
        raise InputError(f"rule: expected one of {', '.join(guideline_names())}; got {name!r}")
    text = (files("isocenter.knowledge") / "guidelines" / f"{name}.toml").read_text(encoding="utf-8")
    return parse_guideline(text)


def parse_guideline(text: str) -> Guideline:
    """The guideline that a TOML text states. Raises InputError where the text breaks the schema."""
    data = tomllib.loads(text)
    known = {
        "id", "title", "version", "date", "source", "doi", "population", "status", "output", "flags", "formula",
        "inputs", "exclude", "rule", "suffix", "texts", "case",
    }  # fmt: skip
    name = str(data.get("id", "?"))
    _require(name, set(data) <= known, f"expected keys among {sorted(known)}, got {sorted(set(data) - known)}")
    head = ("id", "title", "version", "date", "source", "population", "status", "output")
    missing = [key for key in (*head, "inputs", "case") if not data.get(key)]
    _require(name, not missing, f"expected {missing} to be stated, got none")
    guideline = Guideline(
        **{key: str(data[key]) for key in head},
        doi=str(data.get("doi", "")),
        formula=str(data.get("formula", "")),
        flags=tuple(data.get("flags", ())),
        inputs=tuple(_input(name, key, entry) for key, entry in data["inputs"].items()),
        rows=tuple(Row(**entry) for entry in data.get("rule", ())),
        suffixes=tuple(Row(**entry) for entry in data.get("suffix", ())),
        excludes=tuple(Exclusion(**entry) for entry in data.get("exclude", ())),
        cases=tuple(
            Case(entry["given"], entry["expect"], entry["source"], tuple(entry.get("flags", ())))
            for entry in data["case"]
        ),
        texts=data.get("texts", {}),
    )
    _check(guideline)
    return guideline


def _input(rule: str, name: str, entry: Mapping[str, Any]) -> RuleInput:
    known = {"kind", "meaning", "unit", "range", "choices", "decimals", "default"}
    _require(rule, set(entry) <= known, f"input {name}: expected keys among {sorted(known)}, got {sorted(entry)}")
    options: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    found = RuleInput(name=name, **options)
    shape = {"number": found.range is not None, "choice": bool(found.choices), "flag": True}
    _require(rule, shape.get(found.kind, False), f"input {name}: expected a number with range, a choice or a flag")
    _require(rule, bool(found.meaning), f"input {name}: expected a meaning, got none")
    return found


def _check(guideline: Guideline) -> None:
    name = guideline.id
    _require(name, guideline.status in STATUSES, f"expected status among {STATUSES}, got {guideline.status!r}")
    _require(name, bool(guideline.rows) != bool(guideline.formula), "expected either a table or a formula")
    conditions = [row.where for row in (*guideline.rows, *guideline.suffixes)]
    for where in (*conditions, *(exclusion.where for exclusion in guideline.excludes)):
        for key, condition in where.items():
            guideline.input(key)
            bounds = set(condition) if isinstance(condition, Mapping) else set()
            _require(name, bounds <= set(BOUNDS), f"expected bounds among {BOUNDS}, got {sorted(bounds)}")
    for row in guideline.rows:
        _require(name, not row.management or row.management in guideline.texts, f"no text for {row.management!r}")
    for code, texts in guideline.texts.items():
        both = set(texts) == set(LANGUAGES) and all(texts.values())
        _require(name, both, f"text {code!r}: expected {LANGUAGES}, got {sorted(texts)}")


def _require(rule: str, holds: bool, problem: str) -> None:
    if not holds:
        raise InputError(f"guideline {rule}: {problem}")
