"""Sentences, reasons, captions and check names in both languages, from `templates/texts.toml`."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from isocenter.core.errors import ReportError

LANGUAGES = ("en", "zh")
_PLACEHOLDER = re.compile(r"\{(\w+)(?::([\w-]+))?\}")


@dataclass(frozen=True, slots=True)
class SentenceTemplate:
    """One sentence of a finding, in each language.

    kind    qualifiers["kind"] of the findings that it speaks of, a key of the term list
    when    further qualifiers that must be equal
    """

    task: str
    kind: str
    section: str
    texts: Mapping[str, str]
    when: Mapping[str, str]


@cache
def _tables() -> Mapping[str, object]:
    with files("isocenter.reporting").joinpath("templates/texts.toml").open("rb") as stream:
        return tomllib.load(stream)


def _languages(row: Mapping[str, object]) -> dict[str, str]:
    return {language: str(row[language]) for language in LANGUAGES}


@cache
def sentence_templates() -> tuple[SentenceTemplate, ...]:
    """All sentence templates, in the order in which a report prints them."""
    rows = _tables()["sentence"]
    if not isinstance(rows, list):
        raise ReportError("texts.toml: expected a list of [[sentence]] tables")
    return tuple(
        SentenceTemplate(row["task"], row["kind"], row["section"], _languages(row), row.get("when", {})) for row in rows
    )


def text(table: str, code: str, language: str) -> str:
    """The template of `[table.code]` in a language. Raises ReportError where the file lacks it."""
    rows = _tables().get(table)
    if not isinstance(rows, dict) or code not in rows:
        raise ReportError(f"texts.toml: expected [{table}.{code}], found none; add it in every language")
    return str(rows[code][language])


def check_unit(name: str) -> str:
    """In what a quality check is printed: "%", "limit" (share of the limit), "mm", "ml", "px" or ""."""
    row = _tables()["quality"]
    return str(row.get(name, {}).get("unit", "")) if isinstance(row, dict) else ""


def fill(template: str, look_up: Callable[[str, str], str | None]) -> str | None:
    """The template with each `{kind:name}` replaced; None if one of them is unknown.

    look_up   (kind, name) -> text; a plain `{name}` asks for ("", name)
    """
    missing = False

    def replace(match: re.Match[str]) -> str:
        nonlocal missing
        kind, name = (match[1], match[2]) if match[2] else ("", match[1])
        value = look_up(kind, name)
        if value is None:
            missing = True
        return value or ""

    filled = _PLACEHOLDER.sub(replace, template)
    return None if missing else filled


def placeholders(template: str) -> frozenset[tuple[str, str]]:
    """Every (kind, name) that the template asks for."""
    return frozenset((m[1], m[2]) if m[2] else ("", m[1]) for m in _PLACEHOLDER.finditer(template))
