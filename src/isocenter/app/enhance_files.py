"""An image file enhanced into another: `isocenter enhance`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from isocenter.app.image_files import open_image, save_image
from isocenter.app.parameters import call_with, describe_parameters
from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging import denoise, enhance

OPERATIONS: Final[Mapping[str, Callable[..., Volume]]] = {
    "window": enhance.window,
    "gamma": enhance.gamma,
    "equalize": enhance.equalize,
    "mean": enhance.mean,
    "gaussian": enhance.gaussian,
    "median": enhance.median,
    "bilateral": denoise.bilateral,
    "nlm": denoise.nlm,
    "anisotropic": denoise.anisotropic,
    "tv": denoise.tv,
    "wavelet": denoise.wavelet,
    "bm3d": denoise.bm3d,
    "unsharp": enhance.unsharp,
    "laplacian": enhance.laplacian,
    "grey": enhance.grey,
}


def enhance_file(operation: str, source: Path, target: Path, given: Mapping[str, object]) -> Volume:
    """Read an image, enhance it, write it; returns what was written.

    given   options of the operation by name, as texts or as TOML has them

    Raises InputError for an operation or an option that is not there, and what reading and writing raise.
    """
    function = _operation(operation)
    if operation == "window" and target.suffix.lower() == ".png":
        given = {"output": "0,255", **given}  # a picture shows the window; a volume keeps its unit
    made: Volume = call_with(function, open_image(source), given=given)
    save_image(made, target)
    return made


def describe_operations() -> tuple[str, ...]:
    """One line per operation: its name, what it does, its options with their defaults."""
    lines = []
    for name, function in OPERATIONS.items():
        options = ", ".join(describe_parameters(function))
        summary = (function.__doc__ or "").strip().splitlines()[0]
        lines.append(f"{name}: {summary}" + (f" {options}" if options else ""))
    return tuple(lines)


def _operation(name: str) -> Callable[..., Volume]:
    if name not in OPERATIONS:
        raise InputError(f"enhance: expected one of {' '.join(OPERATIONS)}, got {name!r}; see isocenter enhance --help")
    return OPERATIONS[name]
