"""Where the real data lie, and what a missing tool means."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _missing(what: str) -> None:
    """A failure where CI says so, a visible skip elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI=true", pytrace=False)
    pytest.skip(f"{what} is missing")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets: ISOCENTER_DATA, else ../shared/data."""
    folder = Path(os.environ.get("ISOCENTER_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        _missing("the data folder (ISOCENTER_DATA)")
    return folder


@pytest.fixture(scope="session")
def tool():
    """Path of a command-line tool, by name."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            _missing(f"the tool {name}")
        return str(path)

    return find
