import re

import numpy as np
import pytest

from isocenter.core.errors import ReportError
from isocenter.core.grid import Grid
from isocenter.core.report import SECTIONS
from isocenter.core.volume import Volume
from isocenter.imaging.quality import check_image
from isocenter.knowledge.terms import list_terms
from isocenter.reporting import texts
from isocenter.reporting.review import quantities_in

TABLES = ("statement", "abstention", "caption", "quality")


def rows():
    for template in texts.sentence_templates():
        yield f"{template.task}/{template.kind}", dict(template.texts)
    for table in TABLES:
        for code, row in texts._tables()[table].items():
            yield f"{table}/{code}", {language: row[language] for language in texts.LANGUAGES}


@pytest.mark.parametrize(("name", "row"), list(rows()))
def test_both_languages_ask_for_the_same_and_invent_no_number(name, row):
    assert texts.placeholders(row["en"]) == texts.placeholders(row["zh"]), name
    for language, text in row.items():
        assert text.strip(), name
        assert quantities_in(text) == (), name
        assert bool(re.search(r"[一-鿿：]", text)) == (language == "zh"), name


def test_sentences_speak_of_known_kinds_and_measurements():
    known = list_terms()
    for template in texts.sentence_templates():
        assert template.section in SECTIONS
        assert template.kind in known, template.kind
        for what, name in texts.placeholders(template.texts["en"]):
            if what == "m":
                assert name.removesuffix("_low").removesuffix("_high") in known, name


def test_a_missing_value_leaves_the_sentence_out():
    assert texts.fill("{m:long_axis} and {id}", lambda what, name: "x") == "x and x"
    assert texts.fill("{m:long_axis} and {id}", lambda what, name: None if what else "x") is None


def test_an_unknown_code_is_an_error():
    with pytest.raises(ReportError, match=r"\[abstention\.nonsense\]"):
        texts.text("abstention", "nonsense", "en")


def test_every_check_of_the_quality_gate_has_words():
    volume = Volume(np.random.default_rng(0).normal(size=(4, 64, 64, 3)), Grid.of_spacing((4, 64, 64), (1, 1, 1)))
    for check in check_image(volume):
        assert texts.text("quality", check.name, "zh"), check.name


def test_every_quality_check_says_in_what_it_is_printed():
    for name, row in texts._tables()["quality"].items():
        assert row["unit"] in ("%", "limit", "mm", "ml", "px", ""), name
        assert texts.check_unit(name) == row["unit"]
    assert texts.check_unit("of-somebody-else") == ""
