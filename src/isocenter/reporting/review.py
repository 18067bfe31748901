"""A report may say only what its findings measured: each number with a unit is traced back, or the report fails."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from isocenter.core.errors import ReportError
from isocenter.core.finding import Finding
from isocenter.core.report import Report, Sentence

# As printed -> UCUM, as measurements carry it.
_UNITS = {
    "mm³": "mm3", "mm²": "mm2", "mm": "mm", "毫米": "mm", "cm³": "cm3", "cm²": "cm2", "cm": "cm", "厘米": "cm",
    "ml": "ml", "mL": "ml", "毫升": "ml", "HU": "[hnsf'U]", "weeks": "wk", "week": "wk", "周": "wk",
    "days": "d", "day": "d", "天": "d", "months": "mo", "month": "mo", "个月": "mo", "years": "a", "year": "a",
    "岁": "a", "年": "a", "%": "%", "°": "deg", "kg": "kg", "g/ml": "g/ml", "bpm": "bpm", "ms": "ms",
}  # fmt: skip
_PRINTED = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_DIGITS = r"-?\d+(?:,\d{3})*(?:\.\d+)?"
# A range ("6-8 mm") or a product ("5 × 6 mm") lends its unit to both numbers.
_NUMBER = re.compile(rf"(?<![\d.])({_DIGITS})(?:\s*(?:-|–|to|至|×|x)\s*({_DIGITS}))?\s*({_PRINTED})(?![A-Za-z³²])")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a sentence, as printed, with its unit in UCUM."""

    number: str
    unit: str


def quantities_in(text: str) -> tuple[Quantity, ...]:
    """Every number in a sentence that carries a unit.

    >>> [(q.number, q.unit) for q in quantities_in("A 14.2 mm nodule, CT in 6-12 months, probability 0.93.")]
    [('14.2', 'mm'), ('6', 'mo'), ('12', 'mo')]
    """
    return tuple(
        Quantity(number.replace(",", ""), _UNITS[match[3]])
        for match in _NUMBER.finditer(text)
        for number in (match[1], match[2])
        if number
    )


def unsupported(sentence: Sentence, finding: Finding | None, age_years: float | None = None) -> tuple[str, ...]:
    """The quantities of a sentence that neither its finding's measurements, nor its categories, nor the age state."""
    spoken = quantities_in(sentence.text)
    if not spoken:
        return ()
    values = [] if age_years is None else [(age_years, "a")]
    quoted: set[Quantity] = set()
    if finding:
        values += [(measurement.value, measurement.unit) for measurement in finding.measurements]
        values += [pair for value, unit in values if unit == "wk" for pair in _weeks_and_days(value)]
        for category in finding.categories:
            for quote in (*category.texts.values(), *category.limits, category.value):
                quoted |= set(quantities_in(quote))
    return tuple(
        f"{quantity.number} {quantity.unit}"
        for quantity in spoken
        if quantity not in quoted and not _is_rounding(quantity, values)
    )


def _weeks_and_days(weeks: float) -> Iterable[tuple[float, str]]:
    """15.1 weeks as obstetrics says it: 15 weeks and 1 day."""
    whole, days = divmod(int(weeks * 7 + 0.5), 7)
    return ((float(whole), "wk"), (float(days), "d"))


def _is_rounding(quantity: Quantity, values: Iterable[tuple[float, str]]) -> bool:
    """Whether the printed number is one of the values of its unit at the printed precision."""
    digits = len(quantity.number.partition(".")[2])
    half = 0.5 * 10**-digits + 1e-9
    return any(unit == quantity.unit and abs(value - float(quantity.number)) <= half for value, unit in values)


def require_supported(report: Report) -> None:
    """Raise ReportError if any sentence prints a number with a unit that nothing measured."""
    findings = {finding.id: finding for finding in report.findings}
    for sentence in report.sentences:
        loose = unsupported(sentence, findings.get(sentence.finding), report.study.age_years)
        if loose:
            raise ReportError(
                f"sentence of {sentence.finding or 'study'}: expected each number in a measurement or category, "
                f"got {', '.join(loose)} unsupported; tie it to a measurement"
            )
