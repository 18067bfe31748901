"""A guideline file that breaks the schema is refused, with the reason."""

import re

import pytest

from isocenter.core.errors import InputError
from isocenter.knowledge.guideline import load_guideline, parse_guideline

GOOD = """
id = "toy"
title = "Toy"
version = "1"
date = "2026"
source = "nobody"
population = "toys"
status = "verified"
output = "category"
[inputs.d]
kind = "number"
unit = "mm"
range = [0, 10]
meaning = "size"
[[rule]]
where = { d = { below = 5 } }
value = "small"
management = "wait"
[texts.wait]
en = "Wait."
zh = "等待。"
[[case]]
given = { d = 1 }
expect = "small"
source = "by hand"
"""


def test_the_good_one_parses():
    assert parse_guideline(GOOD).rows[0].value == "small"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('source = "nobody"\n', "", "source"),
        ('status = "verified"', 'status = "sure"', "status"),
        ("below = 5", "smaller = 5", "bounds"),
        ("where = { d =", "where = { e =", "expected inputs among"),
        ('zh = "等待。"', "", "texts? 'wait'"),
        ('management = "wait"', 'management = "run"', "no text"),
        ("range = [0, 10]", "", "range"),
        ('meaning = "size"', 'meaning = ""', "meaning"),
        ('title = "Toy"', 'title = "Toy"\nauthor = "me"', "author"),
        ('output = "category"', 'output = "category"\nformula = "f"', "either"),
    ],
)
def test_a_broken_one_is_refused(old: str, new: str, problem: str):
    assert old in GOOD
    with pytest.raises(InputError, match=problem):
        parse_guideline(GOOD.replace(old, new, 1))


def test_a_file_without_worked_cases_is_refused():
    with pytest.raises(InputError, match="case"):
        parse_guideline(re.sub(r"\[\[case\]\].*", "", GOOD, flags=re.S))


def test_loading_twice_gives_the_same_record():
    assert load_guideline("fleischner_2017") is load_guideline("fleischner_2017")
