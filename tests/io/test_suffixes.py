"""Names claim; they decide only what is worth a word when the content is no image."""

from pathlib import Path

from isocenter.io.suffixes import COMPANION_SUFFIXES, IMAGE_SUFFIXES, is_companion, is_hidden, suffix_of


def test_a_suffix_never_claims_both():
    assert not IMAGE_SUFFIXES & COMPANION_SUFFIXES


def test_suffixes_are_lower_case_and_nii_gz_is_one():
    assert suffix_of(Path("A.NII.GZ")) == ".nii.gz"
    assert suffix_of(Path("a.tar.gz")) == ".gz"
    assert suffix_of(Path("1.2.840.113")) == ".113"
    assert suffix_of(Path("IM0001")) == ""


def test_companions_and_hidden_names_are_told():
    assert is_companion(Path("labels.CSV")) and is_companion(Path("Thumbs.db")) and is_companion(Path("README"))
    assert not is_companion(Path("IM0001")) and not is_companion(Path("1.2.840.1"))
    assert is_hidden(".DS_Store") and is_hidden("__MACOSX") and not is_hidden("a.png")
