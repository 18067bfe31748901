import pytest

from isocenter.core.finding import Code, Measurement
from isocenter.reporting.quantities import print_measurement, print_number


@pytest.mark.parametrize(
    ("value", "unit", "printed"),
    [
        (14.24, "mm", "14.2"),
        (0.0341, "ml", "0.034"),
        (1.5, "ml", "1.50"),
        (-0.04, "mm", "0.0"),
        (27.147, "wk", "27.1"),
        (400.75, "1", "401"),
        (0.934, "1", "0.93"),
    ],
)
def test_digits_follow_the_unit(value, unit, printed):
    assert print_number(value, unit) == printed


def test_units_are_printed_in_the_language():
    age = Measurement("gestational_age", 27.147, "wk", Code("LN", "1", "age"), "Hadlock")
    assert print_measurement(age, "en") == "27.1 weeks"
    assert print_measurement(age, "zh") == "27.1 周"
    assert print_measurement(Measurement("mean_hu", -41.6, "[hnsf'U]", Code("DCM", "1", "x"), "mean"), "en") == "-42 HU"
