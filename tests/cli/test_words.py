"""Places and options of one line."""

import pytest

from isocenter.cli.words import split_words


@pytest.mark.parametrize(
    "words",
    [
        ["gaussian", "a.png", "b.png", "--sigma-px", "2", "--x=1"],
        ["--sigma-px", "2", "--x=1", "gaussian", "a.png", "b.png"],
        ["gaussian", "--sigma-px", "2", "a.png", "--x=1", "b.png"],
    ],
)
def test_options_may_stand_in_any_place(words):
    assert split_words(words) == (["gaussian", "a.png", "b.png"], ["--sigma-px", "2", "--x=1"])


def test_a_negative_number_is_a_value_and_a_last_option_needs_none():
    assert split_words(["threshold", "--low", "-50", "in", "--all"]) == (["threshold", "in"], ["--low", "-50", "--all"])
    assert split_words(["--all", "--low", "1"]) == ([], ["--all", "--low", "1"])


@pytest.mark.parametrize("command", ["enhance", "segment", "reconstruct"])
def test_help_shows_places_and_options(command, isocenter):
    code, out, err = isocenter(command, "--help")
    assert (code, err) == (0, "")
    assert "--config" in out
    assert "[--option VALUE …]" in " ".join(out.split())
