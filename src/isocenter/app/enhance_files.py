"""An image file enhanced into another: `isocenter enhance`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from isocenter.app.image_files import open_image, open_regions, require_target, save_image
from isocenter.app.parameters import call_with, describe_parameters
from isocenter.core.errors import InputError
from isocenter.core.grid import require_same_grid
from isocenter.core.mask import Mask
from isocenter.core.study import Study
from isocenter.core.volume import Volume
from isocenter.imaging import denoise, enhance, restore
from isocenter.imaging.gaps import join_parts
from isocenter.imaging.upsample import upsample
from isocenter.io.load import load

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
    volume = _open(operation, source, given)
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


def _open(operation: str, source: Path, given: Mapping[str, object]) -> Volume:
    """The one volume at a path; for `inpaint`, a series that lacks slices with these interpolated, too."""
    try:
        return open_image(source)
    except InputError:
        parts = _parts_of(source) if operation == "inpaint" and "mask" not in given else []
        if not parts:
            raise
    return join_parts(parts)


def _parts_of(source: Path) -> list[Volume]:
    """The volumes of a series whose reader saw that slices are missing between them; none for anything else."""
    found = load(source)
    if not isinstance(found, Study) or found.failures:
        return []
    parts = [each for each in found.volumes if isinstance(each, Volume)]
    lacking = [part for part in parts if any(note.startswith("missing-slices") for note in part.facts.notes)]
    one_series = len({part.source.series_uid for part in lacking}) == 1
    return lacking if one_series and len(lacking) == len(found.volumes) else []


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
