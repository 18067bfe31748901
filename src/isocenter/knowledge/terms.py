"""Words with their codes: one row of a table gives the code for machines and the words for people."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from isocenter.core.errors import InputError
from isocenter.core.finding import Code

COLUMNS = ["key", "scheme", "code", "meaning", "en", "zh"]


@dataclass(frozen=True, slots=True)
class Term:
    """A concept with its code and its words.

    key     our name for it; measurements carry the measurement's own name, units their UCUM code
    group   the table it stands in: findings, sites, measurements, units …
    en, zh  as it stands inside a sentence; empty for the unit 1
    """

    key: str
    group: str
    code: Code
    en: str
    zh: str

    def text(self, language: str) -> str:
        """The word in that language. Raises InputError for a language that we do not have."""
        if language not in ("en", "zh"):
            raise InputError(f"language: expected en or zh, got {language!r}")
        return self.en if language == "en" else self.zh


def term(key: str) -> Term:
    """The term of that key.

    >>> term("lung").code
    Code(scheme='SCT', value='39607008', meaning='Lung')

    Raises InputError for a key that no table has.
    """
    terms = list_terms()
    if key not in terms:
        raise InputError(f"term: expected a key of knowledge/terms/*.csv, got {key!r}; add a row there")
    return terms[key]


@cache
def list_terms() -> Mapping[str, Term]:
    """All terms by key. Raises InputError where two rows share a key or a row is incomplete."""
    terms: dict[str, Term] = {}
    folder = files("isocenter.knowledge") / "terms"
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".csv"):
            continue
        for found in _parse(entry.read_text(encoding="utf-8"), entry.name.removesuffix(".csv")):
            if found.key in terms:
                raise InputError(f"terms: expected unique keys, {found.key!r} stands in {entry.name} again")
            terms[found.key] = found
    return MappingProxyType(terms)


def _parse(text: str, group: str) -> list[Term]:
    reader = csv.DictReader(text.splitlines())
    if reader.fieldnames != COLUMNS:
        raise InputError(f"terms/{group}.csv: expected columns {COLUMNS}, got {reader.fieldnames}")
    terms = []
    for row in reader:
        code = Code(row["scheme"], row["code"], row["meaning"])
        if not all((row["key"], code.scheme, code.value, code.meaning)):
            raise InputError(f"terms/{group}.csv: expected key, scheme, code and meaning, got {row}")
        terms.append(Term(row["key"], group, code, row["en"], row["zh"]))
    return terms
