"""The formulas against worked numbers and against their own laws."""

import pytest

from isocenter.core.errors import InputError
from isocenter.knowledge.calculators import (
    agatston_lesion_score,
    agatston_score,
    agatston_weight,
    gestational_age_weeks,
)


@pytest.mark.parametrize(("hc_mm", "weeks"), [(100, 14.66), (177, 20.18), (250, 27.15), (300, 33.26), (346, 40.07)])
def test_gestational_age_equals_the_worked_numbers(hc_mm: float, weeks: float):
    age = gestational_age_weeks(hc_mm)
    assert age is not None
    assert abs(age.weeks - weeks) <= 0.005


@pytest.mark.parametrize(
    ("hc_mm", "spread"), [(144, 1.19), (144.1, 1.48), (219, 1.48), (280, 2.06), (325, 2.98), (326, 3.20)]
)
def test_the_spread_changes_at_the_printed_circumferences(hc_mm: float, spread: float):
    age = gestational_age_weeks(hc_mm)
    assert age is not None
    assert age.two_sd_weeks == spread
    assert age.range_weeks == (age.weeks - spread, age.weeks + spread)


def test_outside_the_formulas_range_there_is_no_age():
    assert gestational_age_weeks(89.4) is None
    assert gestational_age_weeks(89.5) is not None
    assert gestational_age_weeks(357.0) is not None
    assert gestational_age_weeks(357.1) is None


def test_a_circumference_that_is_no_length_is_refused():
    for hc_mm in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="head circumference"):
            gestational_age_weeks(hc_mm)


def test_weeks_and_days_carry_over():
    age = gestational_age_weeks(250)
    assert age is not None
    assert age.weeks_and_days == (27, 1)


def test_the_agatston_weight_steps_at_the_printed_limits():
    assert [agatston_weight(hu) for hu in (129, 130, 199, 200, 299, 300, 399, 400)] == [0, 1, 1, 2, 2, 3, 3, 4]


def test_a_lesion_on_two_thin_slices_scores_as_on_one_thick():
    assert agatston_score([(8, 400), (8, 400)], increment_mm=1.5) == agatston_lesion_score(8, 400, increment_mm=3) == 32
    assert agatston_lesion_score(0.99, 400, increment_mm=3) == 0
