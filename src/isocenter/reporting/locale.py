"""The fixed words of a report: headings, table heads, banner, in `locale/<language>.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from isocenter.core.errors import ReportError

# BCP 47, as HTML's `lang` and an SR's language of content name it.
TAGS: Mapping[str, str] = {"en": "en-US", "zh": "zh-CN"}


@cache
def load_locale(language: str) -> Mapping[str, Mapping[str, str]]:
    """The tables of one language: table -> key -> text. Raises ReportError for a language that we do not speak."""
    if language not in TAGS:
        raise ReportError(f"language: expected one of {sorted(TAGS)}, got {language!r}")
    with files("isocenter.reporting").joinpath(f"locale/{language}.toml").open("rb") as stream:
        return tomllib.load(stream)


def label(language: str, key: str) -> str:
    """One fixed word or line. Raises ReportError where the file lacks it."""
    labels = load_locale(language)["labels"]
    if key not in labels:
        raise ReportError(f"locale/{language}.toml: expected [labels] {key}, found none; add it in every language")
    return labels[key]


def phrase(language: str, table: str, key: str, otherwise: str) -> str:
    """A word that has a translation in a table of the file; else what the caller has for it."""
    return load_locale(language).get(table, {}).get(key, otherwise)
