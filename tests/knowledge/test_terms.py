"""Each term has one key, one code that exists, and words in both languages."""

from collections import Counter

import pytest

from isocenter.core.errors import InputError
from isocenter.core.finding import Code
from isocenter.knowledge.terms import _parse, list_terms, term

# Not in DICOM's context groups; each looked up in several published value sets.
OUTSIDE_DICOM = {"169069000", "169070004", "399208008"}


def test_an_unknown_key_is_refused():
    with pytest.raises(InputError, match="unicorn"):
        term("unicorn")


def test_a_term_gives_code_and_words():
    found = term("head_circumference")
    assert found.code == Code("LN", "11984-2", "Head Circumference")
    assert (found.text("en"), found.text("zh")) == ("head circumference", "头围")
    with pytest.raises(InputError, match="language"):
        found.text("fr")


def test_every_term_has_words_in_both_languages():
    for found in list_terms().values():
        if found.key != "1":
            assert found.en and found.zh, found.key


def test_no_code_stands_twice_in_one_table():
    # The classes of the router share sites and procedures on purpose.
    terms = [found for found in list_terms().values() if not found.group.startswith("intake")]
    counts = Counter((found.group, found.code.scheme, found.code.value) for found in terms)
    assert [code for code, count in counts.items() if count > 1] == []


def test_measurements_are_named_as_the_findings_name_them():
    for key in ("mean_diameter", "long_axis", "short_axis", "volume", "agatston_score", "gestational_age"):
        assert term(key).group == "measurements"


def test_standard_codes_exist_in_dicom_with_a_meaning_like_ours():
    from pydicom.sr._concepts_dict import concepts

    known = {}
    for scheme, by_keyword in concepts.items():
        for values in by_keyword.values():
            for value, (meaning, _) in values.items():
                known.setdefault((scheme, value), set()).add(meaning.lower())
    for found in list_terms().values():
        scheme, value = found.code.scheme, found.code.value
        if scheme not in ("SCT", "DCM", "LN") or value in OUTSIDE_DICOM:
            continue
        assert (scheme, value) in known, found
        meanings = known[(scheme, value)]
        assert any(found.code.meaning.lower() in meaning for meaning in meanings), (found, meanings)


def test_only_known_schemes_are_used_and_our_own_codes_are_unique():
    schemes = Counter(found.code.scheme for found in list_terms().values())
    assert set(schemes) == {"SCT", "DCM", "LN", "UCUM", "99ISO"}
    ours = [found.code.value for found in list_terms().values() if found.code.scheme == "99ISO"]
    assert len(set(ours)) == len(ours)


def test_a_table_with_other_columns_or_an_empty_code_is_refused():
    with pytest.raises(InputError, match="columns"):
        _parse("key,code\na,b", "toy")
    with pytest.raises(InputError, match="scheme"):
        _parse("key,scheme,code,meaning,en,zh\na,SCT,,x,y,z", "toy")
