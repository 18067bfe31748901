"""What a convolutional filter is told: one record, read from a mapping (TOML, options), and the tests of IBSI-2."""

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

from isocenter.core.errors import InputError

FilterName = Literal["none", "mean", "log", "laws", "gabor", "wavelet", "simoncelli", "shannon"]
Boundary = Literal["zero", "nearest", "periodic", "mirror"]
Pooling = Literal["none", "max", "mean", "min"]

IBSI2_FILE: Final = Path(__file__).parent / "configs" / "ibsi2.toml"
# What each filter takes beside `dimension`, `boundary`, `riesz` and `align_mm`; it needs what stands in _NEEDED.
_TAKES: Final[Mapping[str, tuple[str, ...]]] = {
    "none": (),
    "mean": ("support",),
    "log": ("sigma_mm", "sigma_voxels", "cutoff"),
    "laws": ("kernels", "pooling", "energy_distance"),
    "gabor": (
        "sigma_mm", "sigma_voxels", "wavelength_mm", "wavelength_voxels", "aspect_ratio", "angle_deg", "angle_step_deg",
        "pooling", "planes",
    ),
    "wavelet": ("wavelet", "subband", "level", "pooling"),
    "simoncelli": ("level",),
    "shannon": ("level",),
}  # fmt: skip
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "mean": ("support",),
    "log": ("sigma",),
    "laws": ("kernels",),
    "gabor": ("sigma", "wavelength"),
    "wavelet": ("wavelet", "subband"),
}


@dataclass(frozen=True, slots=True)
class FilterSettings:
    """One convolutional filter with all its parameters; what a filter does not use stays at its default.

    dimension        3: over the volume; 2: slice by slice
    boundary         what lies beyond the border: zero, the nearest voxel, the image again, the image mirrored
    support          odd number of voxels that a mean runs over
    sigma_mm         standard deviation of the Gaussian; in voxels where `sigma_voxels` stands instead
    cutoff           standard deviations at which a Laplacian of Gaussian ends
    kernels          Laws kernels along columns, rows (and slices): "E5L5S5"
    energy_distance  Chebyshev distance in voxels of the mean over absolute Laws responses; 0: the response itself
    wavelength_mm    of a Gabor wave; in voxels where `wavelength_voxels` stands instead
    aspect_ratio     Gabor: sigma along the wave over sigma across it
    angle_deg        Gabor: direction of the wave from columns towards rows
    angle_step_deg   Gabor: pool over all directions that are this far apart
    planes           Gabor: 1 for the slices, 3 for the mean over the slices and the two planes across them
    wavelet          haar, db1 … db10, coif1 … coif3
    subband          low (L) and high pass (H) along columns, rows (and slices): "LHL"
    level            1 is the finest
    pooling          how right-angle rotations (Gabor: directions) are put together: none, max, mean, min
    riesz            order of the Riesz transform along columns, rows (and slices) of what the filter gives; () for none
    align_mm         sigma of the structure tensor that turns the Riesz transform into its own frame; None: not turned
    """

    filter: FilterName
    dimension: int = 3
    boundary: Boundary = "mirror"
    support: int = 3
    sigma_mm: float | None = None
    sigma_voxels: float | None = None
    cutoff: float = 4.0
    kernels: tuple[str, ...] = ()
    energy_distance: int = 0
    wavelength_mm: float | None = None
    wavelength_voxels: float | None = None
    aspect_ratio: float = 1.0
    angle_deg: float = 0.0
    angle_step_deg: float | None = None
    planes: int = 1
    wavelet: str = ""
    subband: str = ""
    level: int = 1
    pooling: Pooling = "none"
    riesz: tuple[int, ...] = ()
    align_mm: float | None = None

    def __post_init__(self) -> None:
        _require(self.filter in get_args(FilterName), "filter", " ".join(get_args(FilterName)), self.filter)
        _require(self.boundary in get_args(Boundary), "boundary", " ".join(get_args(Boundary)), self.boundary)
        _require(self.pooling in get_args(Pooling), "pooling", " ".join(get_args(Pooling)), self.pooling)
        _require(self.dimension in (2, 3), "dimension", "2 or 3", self.dimension)
        _require(self.support > 0 and self.support % 2 == 1, "support", "an odd number of voxels", self.support)
        _require(self.energy_distance >= 0, "energy_distance", "0 or more voxels", self.energy_distance)
        _require(self.planes in (1, 3), "planes", "1 or 3", self.planes)
        _require(1 <= self.level <= 8, "level", "1 to 8", self.level)
        for name in _LENGTHS:
            value = getattr(self, name)
            _require(value is None or (math.isfinite(value) and value > 0), name, "a positive number", value)
        _require(not self.riesz or len(self.riesz) == self.dimension, "riesz", f"{self.dimension} orders", self.riesz)
        orders = self.riesz or (1,)
        _require(min(orders) >= 0 and 1 <= sum(orders) <= 8, "riesz", "orders of 0 and more, 1 to 8 in all", self.riesz)
        _require(self.align_mm is None or bool(self.riesz), "align_mm", "a riesz transform to turn", "none")

    @property
    def averages(self) -> bool:
        """Whether the response is still in the image's unit."""
        return self.filter in ("none", "mean") and not self.riesz

    @property
    def summary(self) -> str:
        """The filter and what differs from the defaults, in a line.

        >>> FilterSettings("log", sigma_mm=1.5).summary
        'log sigma_mm=1.5'
        """
        told = [(each, getattr(self, each.name)) for each in fields(self)[1:]]
        return " ".join([self.filter, *(f"{each.name}={value}" for each, value in told if value != each.default)])

    def length_voxels(self, name: str, spacing: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
        """sigma or wavelength in voxels along each axis; `spacing` is asked only where millimetres are given."""
        voxels = getattr(self, f"{name}_voxels")
        if voxels is not None:
            return (voxels,) * 3
        return tuple(getattr(self, f"{name}_mm") / step for step in spacing())


_LENGTHS: Final = (
    "sigma_mm", "sigma_voxels", "wavelength_mm", "wavelength_voxels", "cutoff", "aspect_ratio", "angle_step_deg",
    "align_mm",
)  # fmt: skip


def read_settings(config: Mapping[str, object], *, default_dimension: int = 3) -> FilterSettings:
    """The settings that a mapping describes: `filter` names the filter, the rest are its parameters.

    config   numbers may be texts, as options give them; `ibsi2 = "4.a.1"` starts from a test of IBSI-2, whose
             parameters the other keys replace

    >>> read_settings({"filter": "mean", "support": "5"}).support
    5

    Raises InputError for an unknown filter or parameter, one that is missing, and a value that cannot be.
    """
    given = dict(config)
    if "ibsi2" in given:
        given = {**ibsi2_config(str(given.pop("ibsi2"))), **given}
    name = given.get("filter")
    if name not in _TAKES:
        raise InputError(f"filter: expected one of {' '.join(_TAKES)} (or ibsi2 = a test's name), got {name!r}")
    allowed = ("filter", "dimension", "boundary", "riesz", "align_mm", *_TAKES[str(name)])
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        raise InputError(f"filter {name}: expected parameters among {' '.join(allowed)}, got {' '.join(unknown)}")
    for need in _NEEDED.get(str(name), ()):
        forms = {need, f"{need}_mm", f"{need}_voxels"} & set(allowed)
        if len(forms & set(given)) != 1:
            raise InputError(f"filter {name}: expected {' or '.join(sorted(forms))}, got {' '.join(sorted(given))}")
    given.setdefault("dimension", default_dimension)
    values = {key: _READ.get(key, _text)(key, value) for key, value in given.items()}
    settings = FilterSettings(**values)
    _check_letters(settings)
    return settings


def ibsi2_names() -> tuple[str, ...]:
    """The tests of IBSI-2 whose parameters are shipped: 1.a.1 … of phase 1, 1.A … of phase 2."""
    return tuple(_ibsi2_tests())


def ibsi2_config(name: str) -> dict[str, Any]:
    """The parameters of one test of IBSI-2, by its name: "4.a.1" (also "4a1", "4A1") of phase 1, "3.B" of phase 2.

    Raises InputError for another name.
    Source: IBSI-2 reference manual (arXiv:2006.05470v9), tables 6.1 to 6.3.
    """
    plain = re.sub(r"[\s._-]", "", name.removeprefix("ibsi2"))
    known = {each.replace(".", ""): test for each, test in _ibsi2_tests().items()}
    for wanted in (plain, plain.lower()):
        if wanted in known:
            return {key: value for key, value in known[wanted].items() if key != "phantom"}
    raise InputError(f"ibsi2: expected one of {' '.join(_ibsi2_tests())}, got {name!r}")


@cache
def _ibsi2_tests() -> Mapping[str, Mapping[str, Any]]:
    tests: Mapping[str, Mapping[str, Any]] = tomllib.loads(IBSI2_FILE.read_text(encoding="utf-8"))["test"]
    return tests


def _require(good: bool, name: str, expected: str, got: object) -> None:
    if not good:
        raise InputError(f"{name}: expected {expected}, got {got!r}")


def _check_letters(settings: FilterSettings) -> None:
    """One kernel or pass per axis."""
    if settings.filter == "laws":
        count = len(settings.kernels)
        _require(count == settings.dimension, "kernels", f"{settings.dimension} Laws kernels", settings.kernels)
    if settings.filter == "wavelet":
        wanted = re.fullmatch(f"[LH]{{{settings.dimension}}}", settings.subband)
        _require(wanted is not None, "subband", f"{settings.dimension} letters L or H", settings.subband)


def _number(name: str, value: object) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        return float(value)
    except ValueError:
        raise InputError(f"{name}: expected a number, got {value!r}") from None


def _whole(name: str, value: object) -> int:
    number = _number(name, str(value).upper().removesuffix("D") if name == "dimension" else value)
    _require(math.isfinite(number) and number == int(number), name, "a whole number", value)
    return int(number)


def _orders(name: str, value: object) -> tuple[int, ...]:
    parts = value.strip("[]()").split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise InputError(f"{name}: expected whole numbers such as 0,2,0; got {value!r}")
    return tuple(_whole(name, part) for part in parts)


def _laws(name: str, value: object) -> tuple[str, ...]:
    text = str(value).upper()
    found = re.findall(r"[LESWR][35]", text)
    _require("".join(found) == text and bool(found), name, "Laws kernels such as E5L5S5", value)
    return tuple(found)


def _text(name: str, value: object) -> str:
    _require(isinstance(value, str), name, "a word", value)
    return str(value)


_READ: Final[Mapping[str, Callable[[str, object], Any]]] = {
    **dict.fromkeys((*_LENGTHS, "angle_deg"), _number),
    **dict.fromkeys(("dimension", "support", "energy_distance", "planes", "level"), _whole),
    "riesz": _orders,
    "kernels": _laws,
}
