"""How radiomic features are computed: every choice that changes a value, as one record read from a TOML table.

Source: IBSI reference manual (arXiv:1612.07003), image processing scheme; the built-in tables are in `configs/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from math import isfinite
from tomllib import loads
from typing import Any, Final, Literal, get_args

from isocenter.core.errors import InputError
from isocenter.imaging.features.filters_settings import FilterSettings, ibsi2_config, ibsi2_names, read_settings

Approach = Literal["2d", "3d", "all"]
Method = Literal["fbs", "fbn", "none"]
IvhMethod = Literal["discrete", "fbs", "fbn"]
Family = Literal[
    "morphology",
    "local",
    "statistics",
    "histogram",
    "ivh",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
    "extra",
]
Aggregation = Literal["2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb", "2D", "2_5D", "3D"]

# The families of the manual; "extra" is asked for by name.
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)[:-1]
AGGREGATIONS: Final[tuple[Aggregation, ...]] = get_args(Aggregation)
_MOST_BINS: Final = 4096
_KEYS: Final = (
    "approach", "texture", "ivh", "resample", "round_input", "filter", "range", "sigma", "families", "aggregations",
    "leave_out", "unit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Resampling:
    """The new grid and how values get there.

    spacing_mm       along (slices, rows, columns); None along slices leaves them where they are
    order            1 linear, 3 cubic spline; `mask_order` likewise
    round            whether new intensities are rounded to whole numbers
    mask_threshold   the share of a new voxel that must lie in the region
    """

    spacing_mm: tuple[float | None, float, float]
    order: int = 1
    round: bool = False
    mask_order: int = 1
    mask_threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class Discretisation:
    """How intensities become grey levels 1, 2, …

    method   "fbs" bins of a fixed width, "fbn" a fixed number of bins, "none" the values are levels already
    origin   of "fbs": where the bins begin; None: at the lower bound of the range, else at the region's minimum
    """

    method: Method
    width: float = 0.0
    bins: int = 0
    origin: float | None = None


@dataclass(frozen=True, slots=True)
class VolumeHistogram:
    """The intensities of the intensity-volume histogram: "discrete" as they are, or binned by "fbs" or "fbn"."""

    method: IvhMethod
    width: float = 0.0
    bins: int = 0


@dataclass(frozen=True, slots=True)
class RadiomicsConfig:
    """Every choice that changes a value.

    approach       texture by slice ("2d"), in space ("3d") or both ("all"); says the default aggregations
    round_input    intensities are rounded first; None: only where all lie within 0.001 of a whole number
    filter         what answers in place of the image, after resampling; `range` and `sigma` still ask the image
    range          intensities (low, high) that belong to the region, ends included; None for either: no bound
    sigma          intensities further than this many standard deviations from the region's mean do not belong to it
    leave_out      tags without aggregation that are not computed
    unit           of the intensities; "" takes the image's
    """

    approach: Approach = "3d"
    texture: Discretisation = Discretisation("fbn", bins=32)
    ivh: VolumeHistogram = VolumeHistogram("fbn", bins=1000)
    resample: Resampling | None = None
    round_input: bool | None = None
    filter: FilterSettings | None = None
    range: tuple[float | None, float | None] = (None, None)
    sigma: float | None = None
    families: tuple[Family, ...] = FAMILIES
    aggregations: tuple[Aggregation, ...] = ()
    leave_out: frozenset[str] = field(default_factory=frozenset)
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.aggregations:
            shown = tuple(
                a for a in AGGREGATIONS if self.approach == "all" or a.startswith("3") == (self.approach == "3d")
            )
            object.__setattr__(self, "aggregations", shown)


@cache
def builtin_configs() -> Mapping[str, RadiomicsConfig]:
    """The configurations that come with the package, by name.

    "ibsi-digital", "ibsi-a" … "ibsi-e", "classic", and "ibsi2-1.A" … "ibsi2-11.B": statistics of a filter's response.
    """
    folder = files("isocenter.imaging.features") / "configs"
    tables = {
        name: loads((folder / f"radiomics_{name}.toml").read_text(encoding="utf-8"))
        for name in ("ibsi", "classic", "ibsi2")
    }
    found = parse_configs(tables["ibsi"]) | parse_configs(tables["classic"])
    for name in ibsi2_names():
        if name[-1] in tables["ibsi2"]:
            found[f"ibsi2-{name}"] = parse_config({**tables["ibsi2"][name[-1]], "filter": ibsi2_config(name)})
    return found


def parse_configs(document: Mapping[str, object]) -> dict[str, RadiomicsConfig]:
    """The configurations of a TOML document by name; a document that is one configuration itself has the name "".

    >>> parse_configs({"approach": "2d", "texture": {"method": "fbn", "bins": 16}})[""].texture.bins
    16

    Raises InputError for an unknown key or a value that cannot be meant.
    """
    if not document:
        raise InputError('config: expected settings such as approach = "3d", got none; see docs/how-to/radiomics.md')
    if set(document) & set(_KEYS) or not all(isinstance(value, Mapping) for value in document.values()):
        return {"": parse_config(document)}
    return {name: parse_config(value, name=name) for name, value in document.items() if isinstance(value, Mapping)}


def parse_config(table: Mapping[str, object], *, name: str = "") -> RadiomicsConfig:
    """One TOML table as a configuration. Raises InputError for an unknown key or a value that cannot be meant."""
    read = _Reader(table, f"config {name}" if name else "config")
    read.allow(*_KEYS)
    approach = read.choice("approach", ("2d", "3d", "all"), "3d")
    lists: dict[str, Any] = {
        "families": read.choices("families", get_args(Family)) or FAMILIES,
        "aggregations": read.choices("aggregations", AGGREGATIONS),
    }
    resample = _resampling(read.table("resample"), approach) if "resample" in table else None
    ivh = _volume_histogram(read.table("ivh")) if "ivh" in table else VolumeHistogram("fbn", bins=1000)
    config = RadiomicsConfig(
        approach=approach,
        texture=_discretisation(read.table("texture")) if "texture" in table else Discretisation("fbn", bins=32),
        ivh=ivh,
        resample=resample,
        round_input=read.yes_or_no("round_input", None),
        filter=_filter(read.table("filter"), approach) if "filter" in table else None,
        range=_range(read),
        sigma=read.positive("sigma", None),
        leave_out=frozenset(read.texts("leave_out")),
        unit=read.text("unit", ""),
        **lists,
    )
    _check_ivh(config, read.where)
    return config


def _check_ivh(config: RadiomicsConfig, where: str) -> None:
    """The range counts the image's intensities: it says nothing of a filter's response."""
    method = config.ivh.method
    if config.filter and method != "fbn":
        raise InputError(f"{where} ivh: expected method fbn with a filter, got {method}; set bins = 1000")
    if method == "fbs" and None in config.range:
        raise InputError(
            f"{where} ivh: expected a range with both ends for method fbs, got none; add range = [low, high]"
        )


def _filter(read: "_Reader", approach: str) -> FilterSettings | None:
    """The filter that the table describes as `enhance filter` would; None where it leaves the image as it is."""
    flat = approach == "2d" or read.given.get("filter") == "gabor"
    try:
        settings = read_settings(read.given, default_dimension=2 if flat else 3)
    except InputError as error:
        raise InputError(f"{read.where}: {error}") from error
    return None if settings.filter == "none" and not settings.riesz else settings


def _range(read: "_Reader") -> tuple[float | None, float | None]:
    """[low, high]; an infinite end is no bound."""
    if "range" not in read.given:
        return None, None
    low, high = read.numbers("range", (2,))
    if not low < high:
        raise InputError(f"{read.where} range: expected [low, high] with low below high, got [{low:g}, {high:g}]")
    return (low if isfinite(low) else None), (high if isfinite(high) else None)


def _resampling(read: "_Reader", approach: str) -> Resampling:
    read.allow("spacing", "order", "round", "mask_order", "mask_threshold")
    spacing = read.numbers("spacing", (2,) if approach == "2d" else (2, 3))
    if not all(isfinite(each) and each > 0 for each in spacing):
        raise InputError(f"{read.where} spacing: expected positive millimetres, got {list(spacing)}")
    threshold = read.positive("mask_threshold", 0.5) or 0.5
    if threshold > 1:
        raise InputError(f"{read.where} mask_threshold: expected a share of at most 1, got {threshold:g}")
    order = int(read.choice("order", ("1", "3"), "1"))
    mask_order = int(read.choice("mask_order", ("1",), "1"))
    # In a table the order is x, y, z: columns, rows, slices.
    slices = spacing[2] if len(spacing) == 3 else None
    return Resampling(
        (slices, spacing[1], spacing[0]), order, bool(read.yes_or_no("round", False)), mask_order, threshold
    )


def _discretisation(read: "_Reader") -> Discretisation:
    read.allow("method", "width", "bins", "origin")
    method: Method = read.choice("method", ("fbs", "fbn", "none"), None)
    width, bins = _binning(read, method)
    origin = read.numbers("origin", (1,))[0] if "origin" in read.given else None
    if origin is not None and method != "fbs":
        raise InputError(f"{read.where} origin: expected it with method fbs only, got {method}; leave it out")
    return Discretisation(method, width, bins, origin)


def _volume_histogram(read: "_Reader") -> VolumeHistogram:
    read.allow("method", "width", "bins")
    method: IvhMethod = read.choice("method", ("discrete", "fbs", "fbn"), None)
    return VolumeHistogram(method, *_binning(read, method))


def _binning(read: "_Reader", method: str) -> tuple[float, int]:
    """(width, bins) as the method needs them: one of them, and not the other."""
    for key, wanted in (("width", method == "fbs"), ("bins", method == "fbn")):
        if wanted != (key in read.given):
            problem = "got none; add it" if wanted else "got one; leave it out"
            raise InputError(
                f"{read.where} {key}: expected {'a value' if wanted else 'none'} with method {method}, {problem}"
            )
    bins = read.positive("bins", 0.0) or 0.0
    if bins != int(bins) or bins > _MOST_BINS:
        raise InputError(f"{read.where} bins: expected a whole number from 1 to {_MOST_BINS}, got {bins:g}")
    return read.positive("width", 0.0) or 0.0, int(bins)


class _Reader:
    """Values of a table with one-line errors that say where they stand."""

    def __init__(self, table: Mapping[str, object], where: str) -> None:
        self.given, self.where = table, where

    def allow(self, *keys: str) -> None:
        unknown = sorted(set(self.given) - set(keys))
        if unknown:
            raise InputError(f"{self.where}: expected keys out of {', '.join(keys)}; got {unknown[0]!r}; leave it out")

    def table(self, key: str) -> "_Reader":
        value = self.given.get(key)
        if not isinstance(value, Mapping):
            raise InputError(f"{self.where} {key}: expected a table such as {{ method = … }}, got {value!r}; add it")
        return _Reader(value, f"{self.where} {key}")

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None) -> Any:
        value = self.given.get(key, default)
        if isinstance(value, bool) or str(value) not in allowed:
            raise InputError(f"{self.where} {key}: expected one of {', '.join(allowed)}; got {value!r}")
        return str(value)

    def choices(self, key: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        found = self.texts(key)
        for value in found:
            if value not in allowed:
                raise InputError(f"{self.where} {key}: expected names out of {', '.join(allowed)}; got {value!r}")
        return tuple(value for value in allowed if value in found)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.given.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise InputError(f"{self.where} {key}: expected a list of names, got {value!r}")
        return tuple(value)

    def text(self, key: str, default: str) -> str:
        value = self.given.get(key, default)
        if not isinstance(value, str):
            raise InputError(f"{self.where} {key}: expected a text, got {value!r}")
        return value

    def numbers(self, key: str, counts: tuple[int, ...]) -> tuple[float, ...]:
        value = self.given.get(key)
        listed = value if isinstance(value, list) else [value]
        whole = [float(each) for each in listed if isinstance(each, int | float) and not isinstance(each, bool)]
        if len(whole) != len(listed) or len(whole) not in counts or any(each != each for each in whole):
            wanted = " or ".join(map(str, counts))
            raise InputError(f"{self.where} {key}: expected {wanted} numbers, got {value!r}")
        return tuple(whole)

    def positive(self, key: str, default: float | None) -> float | None:
        if key not in self.given:
            return default
        (value,) = self.numbers(key, (1,))
        if not (isfinite(value) and value > 0):
            raise InputError(f"{self.where} {key}: expected a positive number, got {value:g}")
        return value

    def yes_or_no(self, key: str, default: bool | None) -> bool | None:
        value = self.given.get(key, default)
        if value is not None and not isinstance(value, bool):
            raise InputError(f"{self.where} {key}: expected true or false, got {value!r}")
        return value
