import pytest

from isocenter.core.finding import Code, Measurement
from isocenter.core.reading import QualityCheck
from isocenter.reporting.quantities import print_check, print_measurement, print_number


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


@pytest.mark.parametrize(
    ("name", "value", "limit", "passed", "shown"),
    [
        ("clipping", 9.259e-06, 0.5, True, ("< 0.1 %", "≤ 50 %")),
        ("finite", 0.0, 0.0, True, ("0 %", "≤ 0 %")),
        ("finite", 0.25, 0.0, False, ("25 %", "≤ 0 %")),
        ("overlap", 0.9602, 0.9, True, ("96 %", "≥ 90 %")),
        ("overlap", 0.5, 0.9, False, ("50 %", "≥ 90 %")),
        ("whole", 1.0, 1.0, True, ("100 %", "≤ 100 %")),
        ("size", 270.0, 24.0, True, ("270 px", "≥ 24 px")),
        ("slice-thickness", 5.0004, 5.0, True, ("5 mm", "≤ 5 mm")),
        ("lung-volume", 3321.7, 100.0, True, ("3322 ml", "≥ 100 ml")),
        ("familiarity", -0.1986, 0.0, True, ("80.1 %", "≤ 100 %")),
        ("familiarity", 9.1, 3.5, False, ("260 %", "≤ 100 %")),
        ("roughness", 0.02641, 0.07, True, ("0.026", "≤ 0.07")),
        ("roughness", 0.00002, 0.07, True, ("< 0.001", "≤ 0.07")),
        ("of-somebody-else", 12.345, 2.0, False, ("12.3", "≤ 2")),
    ],
)
def test_a_quality_check_says_on_which_side_of_the_limit_it_passes(name, value, limit, passed, shown):
    assert print_check(QualityCheck(name, value, limit, passed)) == shown
