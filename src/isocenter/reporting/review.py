"""A report may say only what its findings measured: each number with a unit is traced back, or the report fails."""

import re
from collections.abc import Iterable

from isocenter.core.errors import ReportError
from isocenter.core.finding import Finding
from isocenter.core.report import Report, Sentence

_UNITS = r"mm³|mm²|mm|cm³|cm|ml|mL|HU|weeks?|wk|months?|years?|%|周|岁|毫米|厘米|毫升|个月|年"
# A range ("6-8 mm") lends its unit to both ends.
_NUMBER = re.compile(rf"(\d+(?:\.\d+)?)(?:\s*(?:-|–|to|至)\s*(\d+(?:\.\d+)?))?\s*(?:{_UNITS})(?![A-Za-z])")


def numbers_with_units(text: str) -> tuple[str, ...]:
    """Every number in a sentence that carries a unit.

    >>> numbers_with_units("A 14.2 mm nodule, CT in 6-12 months, probability 0.93.")
    ('14.2', '6', '12')
    """
    return tuple(number for match in _NUMBER.finditer(text) for number in match.groups() if number)


def unsupported(sentence: Sentence, finding: Finding | None, study_numbers: Iterable[float] = ()) -> tuple[str, ...]:
    """The numbers of a sentence that neither its finding's measurements, nor its categories, nor the study state."""
    spoken = list(numbers_with_units(sentence.text))
    if not spoken:
        return ()
    values = list(study_numbers)
    quoted: set[str] = set()
    if finding:
        values += [measurement.value for measurement in finding.measurements]
        for category in finding.categories:
            for quote in (*category.texts.values(), *category.limits, category.value):
                quoted |= set(re.findall(r"\d+(?:\.\d+)?", quote))
    return tuple(number for number in spoken if number not in quoted and not _is_rounding(number, values))


def _is_rounding(printed: str, values: Iterable[float]) -> bool:
    """Whether the printed number is one of the values at the printed precision."""
    digits = len(printed.partition(".")[2])
    half = 0.5 * 10**-digits + 1e-9
    return any(abs(abs(value) - float(printed)) <= half for value in values)


def require_supported(report: Report) -> None:
    """Raise ReportError if any sentence prints a number with a unit that nothing measured."""
    findings = {finding.id: finding for finding in report.findings}
    study = [report.study.age_years] if report.study.age_years is not None else []
    for sentence in report.sentences:
        loose = unsupported(sentence, findings.get(sentence.finding), study)
        if loose:
            raise ReportError(
                f"sentence of {sentence.finding or 'study'}: expected each number in a measurement or category, "
                f"got {', '.join(loose)} unsupported; tie it to a measurement"
            )
