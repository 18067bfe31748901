import pytest

from isocenter.core.errors import ReportError
from isocenter.reporting.fonts import missing_characters
from isocenter.reporting.locale import TAGS, label, load_locale, phrase


def test_every_language_has_the_same_tables_and_keys():
    tables = {language: {name: set(rows) for name, rows in load_locale(language).items()} for language in TAGS}
    assert tables["en"] == tables["zh"]


def test_placeholders_are_the_same_in_every_language():
    for key, english in load_locale("en")["labels"].items():
        assert _names(english) == _names(label("zh", key)), key


def _names(template: str) -> set[str]:
    return {part.split("}")[0] for part in template.split("{")[1:]}


def test_every_fixed_word_can_be_printed():
    for language in TAGS:
        for table in load_locale(language).values():
            assert missing_characters("".join(table.values())) == ()


def test_an_unknown_language_or_key_is_named():
    with pytest.raises(ReportError, match="fr"):
        load_locale("fr")
    with pytest.raises(ReportError, match="no-such-key"):
        label("en", "no-such-key")


def test_a_phrase_falls_back_to_what_the_caller_has():
    assert phrase("zh", "rules", "lung_rads_2022", "x") == "Lung-RADS 2022"
    assert phrase("zh", "rules", "unheard_of", "x") == "x"
