"""The words of a command whose options belong to its operation or method, not to the command."""

from collections.abc import Sequence
from typing import Final

# What such a command's registration needs: options that it does not know stay among its words.
CONTEXT: Final = {"allow_extra_args": True, "ignore_unknown_options": True}


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words in their places, and the `--name value` pairs wherever they stand.

    >>> split_words(["gaussian", "--sigma-px", "2", "in.png", "--fast=yes", "out.png"])
    (['gaussian', 'in.png', 'out.png'], ['--sigma-px', '2', '--fast=yes'])
    """
    places: list[str] = []
    options: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            places.append(word)
            continue
        options.append(word)
        if "=" not in word and rest and not rest[0].startswith("--"):
            options.append(rest.pop(0))
    return places, options
