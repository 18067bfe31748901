"""What findings and rules state in codes or in English, in the words of the report's language."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from isocenter.core.errors import InputError
from isocenter.core.finding import Category, TraceStep
from isocenter.knowledge.guideline import RuleInput
from isocenter.knowledge.rules import rule_details
from isocenter.knowledge.terms import list_terms
from isocenter.reporting.locale import label, phrase

_SIGNS = {">=": "≥", "<=": "≤", " and < ": ", < ", " and ≤ ": ", ≤ ", " and > ": ", > "}
# Units as rules write them that the term list spells otherwise.
_UNITS = {"weeks": "wk", "{Agatston}": "1", "{score}": "1"}


def term_text(key: str, language: str) -> str:
    """A key of the term list as words; any other key as it stands."""
    known = list_terms().get(key)
    return known.text(language) if known else key


def body_part(codes: str, language: str) -> str:
    """Body parts as headers state them ("CHEST\\ABDOMEN") in words; a part that we do not know as it stands."""
    return listed([phrase(language, "body_parts", code.upper(), code) for code in codes.split("\\") if code], language)


def modality(codes: str, language: str) -> str:
    """Modalities as headers state them ("CT\\US"), in words."""
    return listed([capital(term_text(code, language)) for code in codes.split("\\") if code], language)


def picture(text: str, language: str) -> str:
    """An image as a refusal describes it ("CT 110x512x512"), in words; any other text as it stands."""
    match = re.fullmatch(r"(\S+) (\d+(?:x\d+)+)", text)
    if not match:
        return text
    kind = term_text({"unknown": "unknown-modality"}.get(match[1], match[1]), language)
    return f"{kind}{'，' if language == 'zh' else ', '}{match[2].replace('x', ' × ')}"


def tasks(names: Sequence[str], language: str) -> str:
    """What a study was read as, in words."""
    return listed([term_text(name, language) for name in names], language)


def capital(text: str) -> str:
    """The text as a label: with a capital first letter."""
    return text[:1].upper() + text[1:]


def listed(words: Sequence[str], language: str) -> str:
    """Words in a row: "a, b" or "a、b"."""
    return ("、" if language == "zh" else ", ").join(words)


def method(text: str, language: str) -> str:
    """How a measurement was made; its clauses are separated by "; "."""
    clauses = [_translate("methods", clause, language) for clause in text.split("; ")]
    return ("；" if language == "zh" else "; ").join(clauses).replace("mm2", "mm²")


def category_value(value: str, language: str) -> str:
    """A guideline's answer; most are the same in every language."""
    return _translate("values", value, language)


def flag(flag: str, language: str) -> str:
    """What a category's flag means."""
    if flag.startswith("missing:"):
        return label(language, "flag_missing").format(input=input_name(flag.removeprefix("missing:"), language))
    return phrase(language, "labels", f"flag_{flag}", flag)


def input_name(name: str, language: str) -> str:
    """What a rule asks for, in words."""
    return phrase(language, "inputs", name, name)


def steps(category: Category, language: str) -> tuple[tuple[str, str, str], ...]:
    """A rule's reasoning as (term, value, effect), in words."""
    return tuple(
        (input_name(step.term, language), _value(category.rule, step, language), _effect(category.rule, step, language))
        for step in category.trace
    )


def _value(rule: str, step: TraceStep, language: str) -> str:
    if step.term == "scope":
        names = [phrase(language, "choices", name, input_name(name, language)) for name in step.value.split(", ")]
        return listed(names, language)
    asked = _input(rule, step.term)
    if asked and asked.kind != "number":
        return _choice(asked, step.value, language)
    return _with_units(category_value(step.value, language), language)


def _effect(rule: str, step: TraceStep, language: str) -> str:
    asked, effect = _input(rule, step.term), step.effect
    if asked and effect.startswith("is one of "):
        words = [_choice(asked, word, language) for word in effect.removeprefix("is one of ").split(", ")]
        return label(language, "one_of").format(choices=listed(words, language))
    if asked and effect.startswith("is "):
        return "= " + _with_units(_choice(asked, effect.removeprefix("is "), language), language)
    if effect.endswith(f": {step.value}") and effect == f"{_title(rule)}: {step.value}":
        answer = category_value(step.value, language)
        return f"{phrase(language, 'rules', rule, rule)}: {answer}"
    for sign, shown in _SIGNS.items():
        effect = effect.replace(sign, shown)
    effect = re.sub(r"^x (?=\d)", "× ", effect)
    return _with_units(_translate("effects", effect, language).replace(" x ", " × "), language)


def _choice(asked: RuleInput, word: str, language: str) -> str:
    if asked.kind == "flag" and word in ("0", "1"):
        return label(language, "yes" if word == "1" else "no")
    return phrase(language, "choices", word, word)


def _input(rule: str, name: str) -> RuleInput | None:
    try:
        return next((spec for spec in rule_details(rule).inputs if spec.name == name), None)
    except InputError:
        return None


def _title(rule: str) -> str:
    try:
        return rule_details(rule).title
    except InputError:
        return ""


def _with_units(text: str, language: str) -> str:
    """UCUM units behind a number as people write them: "66 a" is 66 years."""

    def written(match: re.Match[str]) -> str:
        unit = _UNITS.get(match[1], match[1])
        words = list_terms()[unit].text(language)
        return f" {words}" if words else ""

    return _unit_pattern().sub(written, text)


@cache
def _unit_pattern() -> re.Pattern[str]:
    units = [key for key, term in list_terms().items() if term.group == "units" and key not in ("1", "%")]
    names = "|".join(re.escape(name) for name in sorted([*units, *_UNITS], key=len, reverse=True))
    return re.compile(rf"(?<=\d) ({names})(?![\w²³])")


def _translate(table: str, text: str, language: str) -> str:
    """A phrase of templates/phrases.toml in a language, the names in it as words; as it stands where it has none."""
    rows = _phrases()[table]
    if text in rows:
        return rows[text] if language == "zh" else text
    for pattern, english, chinese in _patterns(table):
        match = pattern.fullmatch(text)
        if match:
            parts = {name: _part(name, found, language) for name, found in match.groupdict().items()}
            return (chinese if language == "zh" else english).format(**parts)
    return text


def _part(name: str, found: str, language: str) -> str:
    if name == "inputs":
        return listed([input_name(each, language) for each in found.split(", ")], language)
    return _translate("effects", found, language) if name == "reason" else found


@cache
def _phrases() -> Mapping[str, Mapping[str, str]]:
    with files("isocenter.reporting").joinpath("templates/phrases.toml").open("rb") as stream:
        return tomllib.load(stream)


@cache
def _patterns(table: str) -> tuple[tuple[re.Pattern[str], str, str], ...]:
    made = []
    for english, chinese in _phrases()[table].items():
        if "{" in english:
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(english))
            made.append((re.compile(pattern), english, chinese))
    return tuple(made)
