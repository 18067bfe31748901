"""How a measured number is printed, in one place: digits by unit, units by language."""

from isocenter.core.finding import Measurement

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
