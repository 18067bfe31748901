"""Exit codes, and how a batch's failures are told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from isocenter.core.study import InputFailure

DONE = 0
USAGE = 2
NOTHING_READ = 3
SOME_FAILED = 4
CHECK_FAILED = 5


def tell_failures(failures: Sequence[InputFailure]) -> None:
    """One line on standard error for each input that could not be used."""
    for failure in failures:
        print(f"isocenter: {failure.path}: {failure.problem}", file=sys.stderr)


def batch_code(n_done: int, failures: Sequence[InputFailure]) -> int:
    """The exit code of a batch: 0 all done, 3 nothing could be read, 4 some inputs failed."""
    if not n_done:
        return NOTHING_READ
    return SOME_FAILED if failures else DONE
