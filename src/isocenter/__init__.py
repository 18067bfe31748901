"""Isocenter: a study comes in, a draft report comes out whose every number points at pixels.

`isocenter.load` and `isocenter.read` are the two doors; everything heavy is imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from isocenter.app.read_files import read
    from isocenter.io.load import load

__version__ = "0.1.0"
__all__ = ["__version__", "load", "read"]


_DOORS = {"load": "isocenter.io.load", "read": "isocenter.app.read_files"}


def __getattr__(name: str) -> object:
    if name in _DOORS:
        return getattr(import_module(_DOORS[name]), name)
    raise AttributeError(f"module 'isocenter' has no attribute {name!r}")
