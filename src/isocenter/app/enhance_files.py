"""An image file enhanced into another: `isocenter enhance`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from isocenter.app.image_files import open_image, open_regions, require_target, save_image
from isocenter.app.parameters import call_with, describe_parameters
from isocenter.core.errors import InputError
from isocenter.core.grid import require_same_grid
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.imaging import denoise, enhance, restore
from isocenter.imaging.upsample import upsample

OPERATIONS: Final[Mapping[str, Callable[..., Volume]]] = {
    "window": enhance.window,
    "gamma": enhance.gamma,
    "equalize": enhance.equalize,
    "clahe": restore.clahe,
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
    "bias-field": restore.bias_field,
    "gibbs": restore.gibbs,
    "ring": restore.ring,
    "upsample": upsample,
    "inpaint": restore.inpaint,
    "erode": restore.erode,
    "dilate": restore.dilate,
    "open": restore.opening,
    "close": restore.closing,
    "grey": enhance.grey,
}
# These take `mask`, a path, beside their own options.
MASKED: Final = ("clahe", "bias-field", "inpaint")
# Its parameters are those of IBSI-2's filters, not of one function.
FILTER: Final = "filter"


def enhance_file(operation: str, source: Path, target: Path, given: Mapping[str, object]) -> Volume:
    """Read an image, enhance it, write it; returns what was written.

    given   options of the operation by name, as texts or as TOML has them; `mask` is the path of a mask

    Raises InputError for an operation or an option that is not there, and what reading and writing raise.
    """
    if operation != FILTER and operation not in OPERATIONS:
        names = " ".join((*OPERATIONS, FILTER))
        raise InputError(f"enhance: expected one of {names}, got {operation!r}; see isocenter enhance --help")
    require_target(target)
    volume = open_image(source)
    made = _filter(volume, given) if operation == FILTER else _apply(operation, volume, target, given)
    save_image(made, target)
    return made


def describe_operations() -> tuple[str, ...]:
    """Two lines per operation: its name and what it does; its options with their defaults."""
    lines = []
    for name, function in OPERATIONS.items():
        summary = (function.__doc__ or "").strip().splitlines()[0]
        options = (*(("--mask FILE (none)",) if name in MASKED else ()), *describe_parameters(function))
        lines += [f"{name}: {summary}", f"    {'  '.join(options) or 'no options'}"]
    lines += [f"{FILTER}: The response of a filter of IBSI-2 at every voxel.", "    --config FILE.toml  --ibsi2 NAME"]
    return tuple(lines)


def _apply(operation: str, volume: Volume, target: Path, given: Mapping[str, object]) -> Volume:
    function = OPERATIONS[operation]
    options = dict(given)
    if operation == "window" and target.suffix.lower() == ".png":
        options.setdefault("output", "0,255")  # a picture shows the window; a volume keeps its unit
    values: list[object] = [volume]
    if operation in MASKED and "mask" in options:
        path = options.pop("mask")
        if not isinstance(path, str):
            raise InputError("--mask: expected the path of one mask; name it once")
        values.append(_open_mask(Path(path), volume))
    made: Volume = call_with(function, *values, given=options)
    return made


def _open_mask(path: Path, volume: Volume) -> Mask:
    """The mask of a path, which has to lie on the volume's grid."""
    mask = open_regions(path, volume).any_mask
    require_same_grid(volume.grid, mask.grid)
    return mask


def _filter(volume: Volume, given: Mapping[str, object]) -> Volume:
    from isocenter.imaging.features.filters import filter_volume

    if not given:
        raise InputError("filter: expected the filter's parameters, got none; add --config FILE.toml or --ibsi2 NAME")
    return filter_volume(volume, given)
