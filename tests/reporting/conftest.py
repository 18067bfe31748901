"""The sample reports as a fixture."""

import importlib.util
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
