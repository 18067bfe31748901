"""How a measured number is printed, in one place: digits by unit, units by language."""

import math

from isocenter.core.finding import Measurement
from isocenter.core.reading import QualityCheck
from isocenter.reporting.texts import check_unit

# Digits behind the point by UCUM unit: what the measurement's uncertainty supports, not what the float holds.
_DIGITS = {"mm": 1, "cm": 1, "mm2": 1, "mm3": 0, "ml": 2, "[hnsf'U]": 0, "wk": 1, "{score}": 0, "1": 2, "%": 0}
_UNITS = {
    "[hnsf'U]": {"en": " HU", "zh": " HU"},
    "wk": {"en": " weeks", "zh": " 周"},
    "mm2": {"en": " mm²", "zh": " mm²"},
    "mm3": {"en": " mm³", "zh": " mm³"},
    "{score}": {"en": "", "zh": ""},
    "1": {"en": "", "zh": ""},
}


def print_number(value: float, unit: str) -> str:
    """The number as a report prints it, without its unit.

    >>> print_number(14.24, "mm"), print_number(0.0341, "ml")
    ('14.2', '0.034')
    """
    digits = _DIGITS.get(unit, 2)
    if unit == "ml" and abs(value) < 0.1:
        digits = 3
    if unit == "1" and abs(value) >= 10:
        digits = 0  # a score, not a share
    printed = f"{value:.{digits}f}"
    return printed.removeprefix("-") if float(printed) == 0 else printed


def print_unit(unit: str, language: str) -> str:
    """The unit with its leading space, in a language: " mm", " HU", "" for a bare score."""
    return _UNITS.get(unit, {}).get(language, f" {unit}")


def print_measurement(measurement: Measurement, language: str) -> str:
    """Number and unit as a sentence prints them."""
    return print_number(measurement.value, measurement.unit) + print_unit(measurement.unit, language)


def print_check(check: QualityCheck) -> tuple[str, str]:
    """A quality check's value, and its limit with the side on which it passes.

    >>> print_check(QualityCheck("clipping", 9.3e-06, 0.5, True))
    ('< 0.1 %', '≤ 50 %')
    """
    unit = check_unit(check.name)
    value, limit = check.value, check.limit
    if unit == "limit":
        # Scores against several limits at once come as the excess over them, in units of the limit.
        value, limit = (value / limit, 1.0) if limit > 0 else (1.0 + value, 1.0)
    shown, bound = _print_short(value, unit), _print_short(limit, unit)
    above = shown != bound and (value > limit) == check.passed
    return shown, f"{'≥' if above else '≤'} {bound}"


def _print_short(value: float, unit: str) -> str:
    """Three significant digits at most, a share in percent, no powers of ten."""
    if unit in ("%", "limit"):
        value, unit = value * 100, "%"
    least = 0.1 if unit == "%" else 0.001
    if 0 < abs(value) < least:
        return f"{'< ' if value > 0 else '> -'}{least:g}{unit and f' {unit}'}"
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    number = f"{value:.{min(digits, 1 if unit == '%' else 3)}f}"
    number = number.rstrip("0").rstrip(".") if "." in number else number
    return f"{number} {unit}".rstrip()
