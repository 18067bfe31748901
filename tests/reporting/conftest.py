"""The sample reports as a fixture."""

import importlib.util
import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """tests/reporting/samples.py: `samples.chest()`, `samples.breast()`, `samples.fetal()`, `samples.abstained()`."""
    spec = importlib.util.spec_from_file_location("reporting_samples", Path(__file__).with_name("samples.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def dicom_errors(tool, tmp_path) -> Callable[[object], list[str]]:
    """Writes a data set and gives the lines that dciodvfy calls errors; dcmtk must be able to read it, too."""

    def check(dataset) -> list[str]:
        path = tmp_path / "checked.dcm"
        dataset.save_as(path, enforce_file_format=True)
        subprocess.run([tool("dcmdump"), "-q", str(path)], capture_output=True, check=True)
        done = subprocess.run([tool("dciodvfy"), str(path)], capture_output=True, text=True, errors="replace")
        return [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("Error")]

    return check


@pytest.fixture
def as_written() -> Callable[[object], io.BytesIO]:
    """A data set as the file that it becomes."""

    def write(dataset) -> io.BytesIO:
        stream = io.BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        stream.seek(0)
        return stream

    return write
