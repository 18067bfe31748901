"""What a terminal shows while work goes on; nothing where standard error is no terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str) -> Iterator[Callable[[], None]]:
    """A line on standard error that counts the steps done; a function that counts one more."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console

    done = 0
    with Console(stderr=True).status(f"{what} …") as status:

        def step() -> None:
            nonlocal done
            done += 1
            status.update(f"{what} … {done} done")

        yield step
