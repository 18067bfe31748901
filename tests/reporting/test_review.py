import pytest
from hypothesis import given
from hypothesis import strategies as st

from isocenter.core.errors import ReportError
from isocenter.core.finding import Category, Code, Finding, Measurement, Site
from isocenter.core.provenance import Provenance
from isocenter.core.report import Report, Sentence, StudyHeader
from isocenter.reporting.quantities import print_measurement
from isocenter.reporting.review import quantities_in, require_supported, unsupported

CODE = Code("SCT", "1", "thing")
ADVICE = Category("r", "6-8 mm", (), "source", texts={"en": "CT in 6-12 months."}, limits=("8 mm",))


def finding(value: float, unit: str = "mm") -> Finding:
    measured = (Measurement("long_axis", value, unit, CODE, "by hand"),)
    return Finding("F1", "t", CODE, Site(CODE), measurements=measured, categories=(ADVICE,))


def report(text: str, value: float = 14.24) -> Report:
    header = StudyHeader("", "0" * 16, "CT", "", "", "", "", 61)
    sentence = Sentence(text, "findings", "F1", ("long_axis",))
    return Report(header, Provenance((), "x"), findings=(finding(value),), sentences=(sentence,))


@given(st.floats(0.1, 400), st.sampled_from(["mm", "ml", "wk", "mm3"]), st.sampled_from(["en", "zh"]))
def test_whatever_a_measurement_prints_is_supported_by_it(value, unit, language):
    made = finding(value, unit)
    text = f"long axis {print_measurement(made.measurements[0], language)}."
    assert unsupported(Sentence(text, "findings", "F1"), made) == ()


@given(st.floats(20, 400), st.floats(0.2, 50))
def test_a_number_that_is_off_is_not(value, off):
    text = f"long axis {value + off:.1f} mm"
    assert unsupported(Sentence(text, "findings", "F1"), finding(value)) != ()


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("12.0 mm", False),
        ("12.0 ml", True),
        ("12.0 毫升", True),
        ("12 cm", False),
        ("5 × 12 ml", False),
        ("-12 ml", False),
    ],
)
def test_the_unit_counts_as_much_as_the_number(text, supported):
    assert (unsupported(Sentence(text, "findings", "F1"), finding(12.0, "ml")) == ()) == supported


def test_thousands_signs_weeks_and_days_are_read():
    assert [(q.number, q.unit) for q in quantities_in("1,234 mm and -700 HU, 15 weeks 1 day, 10°")] == [
        ("1234", "mm"), ("-700", "[hnsf'U]"), ("15", "wk"), ("1", "d"), ("10", "deg"),
    ]  # fmt: skip
    assert unsupported(Sentence("15 weeks 1 day", "findings", "F1"), finding(15.1, "wk")) == ()
    assert unsupported(Sentence("15 weeks 2 days", "findings", "F1"), finding(15.1, "wk")) != ()


def test_category_text_limits_and_age_may_be_quoted():
    require_supported(report("A 14.2 mm nodule, at or above 8 mm; CT in 6-12 months. Aged 61 years."))
    with pytest.raises(ReportError):
        require_supported(report("61 mm"))


@pytest.mark.parametrize(
    "text", ["A 15 mm nodule.", "结节 14.3 mm。", "14.2 mm and 3 ml", "CT in 3 months", "头围 99 毫米"]
)
def test_a_sentence_that_invents_a_number_fails_the_report(text):
    with pytest.raises(ReportError, match="unsupported"):
        require_supported(report(text))


def test_bare_numbers_are_not_quantities():
    assert quantities_in("F1, probability 0.93, Lung-RADS 2022 category 4A, 300 images") == ()
