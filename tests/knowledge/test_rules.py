"""Every guideline file keeps its schema, and every worked case comes out."""

import json
from pathlib import Path

import pytest

from isocenter.core.errors import InputError
from isocenter.knowledge.guideline import Case, guideline_names
from isocenter.knowledge.rules import answers, apply_rule, list_rules, rule_details

CASES = [(rule.id, case) for rule in list_rules() for case in rule.cases]


@pytest.mark.parametrize(("rule", "case"), CASES, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(CASES)])
def test_a_worked_case_comes_out(rule: str, case: Case):
    category = apply_rule(rule, case.given)
    assert category.value == case.expect
    assert category.flags == case.flags
    assert category.trace
    assert category.source


def test_every_row_of_every_table_is_reached_or_can_be():
    for rule in list_rules():
        for number, row in enumerate(rule.rows):
            assert row.where not in [earlier.where for earlier in rule.rows[:number]], f"{rule.id}: row {number}"


def test_each_file_is_named_for_its_rule():
    assert tuple(rule.id for rule in list_rules()) == guideline_names()
    assert "fleischner_2017" in guideline_names()


def test_an_unknown_rule_names_the_known_ones():
    with pytest.raises(InputError, match="lung_rads_2022"):
        apply_rule("lung_rads_2025", {})


def test_an_unknown_input_is_refused():
    with pytest.raises(InputError, match="expected inputs among"):
        apply_rule("lung_rads_2022", {"kind": "solid", "diameter": 6})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "six", -1, [6]])
def test_a_number_that_is_none_is_refused(value: object):
    with pytest.raises(InputError, match=r"lung_rads_2022, d"):
        apply_rule("lung_rads_2022", {"kind": "solid", "d": value})


def test_a_flag_takes_nothing_but_zero_and_one():
    assert apply_rule("lung_rads_2022", {"kind": "solid", "d": 4, "new": True}).value == "3"
    assert apply_rule("lung_rads_2022", {"kind": "solid", "d": 4, "new": "1"}).value == "3"
    with pytest.raises(InputError, match="0 or 1"):
        apply_rule("lung_rads_2022", {"kind": "solid", "d": 4, "new": 2})


def test_a_choice_that_looks_like_a_number_may_come_as_one():
    given = {"kind": "solid", "d": 7, "prior_category": 3, "stable": 1}
    assert apply_rule("lung_rads_2022", given).value == "2"
    with pytest.raises(InputError, match="expected one of"):
        apply_rule("lung_rads_2022", {"kind": "spongy"})


def test_the_answer_carries_the_name_that_the_vectors_use():
    assert answers(apply_rule("lung_rads_2022", {"kind": "solid", "d": 6})) == {"category": "3"}
    assert answers(apply_rule("gestational_age_hadlock_1984", {"hc_mm": 250})) == {"weeks": 27.15}
    assert answers(apply_rule("gestational_age_hadlock_1984", {"hc_mm": 50})) == {"weeks": ""}


def test_none_counts_as_missing_and_all_missing_inputs_are_named():
    assert apply_rule("lung_rads_2022", {"kind": "solid", "d": None}).flags == ("missing:d",)
    assert set(apply_rule("fleischner_2017", {"kind": "solid"}).flags) == {"missing:d", "missing:count", "missing:risk"}


def test_an_assumed_input_stands_in_the_trace():
    trace = apply_rule("lung_rads_2022", {"kind": "solid", "d": 6}).trace
    assert ("new", "0", "assumed: not stated") in [(step.term, step.value, step.effect) for step in trace]


def test_the_limits_are_the_numbers_of_the_row_that_held():
    assert apply_rule("lung_rads_2022", {"kind": "solid", "d": 6}).limits == ("6 mm", "8 mm")


def test_an_exclusion_nobody_can_check_is_named_in_the_trace():
    trace = apply_rule("fleischner_2017", {"kind": "solid", "d": 9, "count": "single", "age": 50}).trace
    assert any(step.effect == "not checked: known cancer" for step in trace)
    assert not any("35 years" in step.effect for step in trace)


def test_advice_is_in_both_languages_wherever_there_is_a_category():
    for rule, case in CASES:
        category = apply_rule(rule, case.given)
        if category.management:
            assert set(category.texts) == {"en", "zh"}


def test_the_details_name_population_and_status():
    details = rule_details("gestational_age_hadlock_1984")
    assert details.status == "verified"
    assert details.input("hc_mm").unit == "mm"


@pytest.mark.data
def test_the_shared_vectors_of_our_rules_come_out(data_dir: Path):
    vectors = json.loads((data_dir.parent / "clinical_vectors.json").read_text(encoding="utf-8"))
    vectors = vectors if isinstance(vectors, list) else vectors["vectors"]
    ours = [vector for vector in vectors if vector["rule"] in guideline_names()]
    assert len(ours) >= 13
    for vector in ours:
        category = apply_rule(vector["rule"], vector["inputs"])
        expected = vector["expected"][rule_details(vector["rule"]).output]
        assert category.value == str(expected), vector
