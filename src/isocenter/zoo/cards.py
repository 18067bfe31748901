"""Model cards as text: strict TOML in, strict TOML out, and what a card must say to be believed.

Arrays that are too long for a text file (class means of features, …) lie beside the graph as members of the package;
the card refers to them: `{file = "ood-mean.f32", shape = [3, 512]}` (little-endian float32, row by row).
"""

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from isocenter.core.card import ModelCard, OperatingPoint, Performance, PrepareStep
from isocenter.core.errors import PackageError
from isocenter.zoo.ood import check_ood

BUILT_IN_FOLDER = Path(__file__).parent / "cards"
PRECISIONS = ("f32", "bf16", "int8")
CALIBRATIONS = ("none", "temperature", "vector")
_TEXTS = ("name", "version", "task", "kind", "modality", "body_part", "intended_use", "licence", "precision")
_TABLES = ("outputs", "data", "calibration", "ood", "parameters")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_REQUIRED = tuple(f.name for f in fields(ModelCard) if f.default is MISSING and f.default_factory is MISSING)


def card_from_toml(text: str) -> ModelCard:
    """The card that a TOML text describes. Raises PackageError for unknown, missing or impossible entries."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PackageError(f"card: expected TOML, got {error}") from error
    known = {f.name for f in fields(ModelCard)}
    _check_keys("card", table, known, _REQUIRED)
    entries = dict(table)
    _check_types(entries)
    entries["limits"], entries["classes"] = tuple(entries["limits"]), tuple(entries["classes"])
    entries["input_shape"] = tuple(entries["input_shape"])
    entries["prepare"] = tuple(_step(step) for step in entries["prepare"])
    entries["operating_points"] = tuple(_operating_point(p) for p in entries.get("operating_points", []))
    entries["performance"] = tuple(_performance(p) for p in entries.get("performance", []))
    entries["tolerance"] = float(entries.get("tolerance", 0.02))
    card = ModelCard(**entries)
    check_card(card)
    return card


def card_to_toml(card: ModelCard) -> str:
    """The card as TOML text, one way only: the same card gives the same text. Raises PackageError as reading would."""
    check_card(card)
    simple = [
        f.name for f in fields(ModelCard) if f.name not in (*_TABLES, "prepare", "operating_points", "performance")
    ]
    lines = [f"{name} = {_value(getattr(card, name))}" for name in simple]
    if not card.prepare:
        lines.append("prepare = []")
    for name in _TABLES:
        lines += ["", f"[{name}]", *_entries(getattr(card, name))]
    for step in card.prepare:
        lines += ["", "[[prepare]]", f"op = {_value(step.op)}", *_entries(step.options)]
    for point in card.operating_points:
        row = {"name": point.name, "class_name": point.class_name, "threshold": point.threshold}
        lines += ["", "[[operating_points]]", *_entries({**row, "metrics": point.metrics})]
    for figure in card.performance:
        row = {f.name: getattr(figure, f.name) for f in fields(Performance)}
        lines += ["", "[[performance]]", *_entries(row)]
    return "\n".join(lines) + "\n"


def built_in_card(name: str) -> ModelCard:
    """The card that ships as text, without weights: of a task that asks no trained model."""
    return read_card(BUILT_IN_FOLDER / f"{name}.toml")


def read_card(path: Path) -> ModelCard:
    """The card in a TOML file."""
    try:
        return card_from_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PackageError(f"{path.name}: expected a readable card") from error
    except PackageError as error:
        raise PackageError(f"{path.name}: {error}") from error


def check_card(card: ModelCard) -> None:
    """Raise PackageError unless the card is complete and says nothing impossible."""
    _require(_NAME.fullmatch(card.name), "name", "lower-case words joined by hyphens", card.name)
    _require(_VERSION.fullmatch(card.version), "version", "three numbers such as 1.0.0", card.version)
    for name in ("task", "kind", "modality", "intended_use", "licence"):
        _require(getattr(card, name).strip(), name, "a text", getattr(card, name))
    _require(card.limits, "limits", "at least one known limit", card.limits)
    _require(card.precision in PRECISIONS, "precision", f"one of {PRECISIONS}", card.precision)
    _require(0 < card.tolerance <= 0.5, "tolerance", "a probability change in (0, 0.5]", card.tolerance)
    _require(card.stride >= 1, "stride", "a positive number", card.stride)
    shape_fits = len(card.input_shape) in (3, 4) and card.input_shape[0] >= 1 and min(card.input_shape) >= 0
    _require(shape_fits, "input_shape", "(channels, [slices,] rows, columns)", card.input_shape)
    _require(len(set(card.classes)) == len(card.classes), "classes", "unique names", card.classes)
    for point in card.operating_points:
        _require(point.class_name in card.classes, "operating_points", "a class of the card", point.class_name)
        _require(0 <= point.threshold <= 1, "operating_points", "a threshold in [0, 1]", point.threshold)
        _require(all(_is_interval(v) for v in point.metrics.values()), "metrics", "(value, low, high)", point.metrics)
    for figure in card.performance:
        interval = (figure.value, figure.low, figure.high)
        _require(_is_interval(interval), f"performance {figure.metric}", "low <= value <= high", interval)
        _require(figure.n > 0, f"performance {figure.metric}", "a number of cases", figure.n)
    _check_calibration(card)
    check_ood(card.ood, card.classes)


def array_member(name: str, array: np.ndarray) -> tuple[dict[str, object], bytes]:
    """What the card says of an array that lies beside the graph, and the bytes of that member.

    >>> array_member("ood-mean.f32", np.zeros((2, 3)))[0]
    {'file': 'ood-mean.f32', 'shape': [2, 3]}
    """
    return {"file": name, "shape": list(array.shape)}, np.ascontiguousarray(array, dtype="<f4").tobytes()


def with_arrays(card: ModelCard, files: Mapping[str, bytes]) -> ModelCard:
    """The card with every reference to a member replaced by its array. Raises PackageError where one does not fit."""
    resolved = {name: _resolve(getattr(card, name), files) for name in ("calibration", "ood", "parameters")}
    return replace(card, **resolved)


def _resolve(value: Any, files: Mapping[str, bytes]) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {"file", "shape"}:
            return _array(str(value["file"]), value["shape"], files)
        return {key: _resolve(entry, files) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_resolve(entry, files) for entry in value)
    return value


def _array(name: str, shape: Sequence[int], files: Mapping[str, bytes]) -> np.ndarray:
    data = files.get(name)
    if data is None or any(n < 1 for n in shape) or len(data) != 4 * math.prod(shape):
        found = "no such member" if data is None else f"{len(data)} bytes"
        raise PackageError(f"{name}: expected a float32 array of shape {list(shape)}, got {found}")
    array = np.frombuffer(data, dtype="<f4").reshape(shape).astype(np.float32)
    if not np.isfinite(array).all():
        raise PackageError(f"{name}: expected finite numbers, got others")
    return array


def _check_types(table: Mapping[str, Any]) -> None:
    """Every entry has the type of its field (numbers in tables are checked where they are used)."""
    for name in _TEXTS:
        if name in table:
            _require(isinstance(table[name], str), name, "a text", table[name])
    for name in _TABLES:
        if name in table:
            _require(isinstance(table[name], dict), name, "a table", table[name])
    for name, kind in (("limits", str), ("classes", str), ("input_shape", int)):
        _require(_is_list_of(table[name], kind), name, f"a list of {kind.__name__}", table[name])
    for name in ("prepare", "operating_points", "performance"):
        if name in table:
            _require(_is_list_of(table[name], dict), name, "an array of tables", table[name])
    _require(_is_number(table.get("tolerance", 0.02)), "tolerance", "a number", table.get("tolerance"))
    stride = table.get("stride", 1)
    _require(isinstance(stride, int) and not isinstance(stride, bool), "stride", "a whole number", stride)
    _require(all(isinstance(v, str) for v in table["outputs"].values()), "outputs", "texts", table["outputs"])


def _check_calibration(card: ModelCard) -> None:
    method = card.calibration.get("method", "none")
    keys = {"none": set(), "temperature": {"temperature"}, "vector": {"scale", "bias"}}
    _require(method in CALIBRATIONS, "calibration", f"one of {CALIBRATIONS}", method)
    _require(
        set(card.calibration) - {"method"} == keys[str(method)],
        "calibration",
        f"the entries of {method}",
        card.calibration,
    )
    if method == "temperature":
        temperature = card.calibration["temperature"]
        _require(
            _is_number(temperature) and float(str(temperature)) > 0, "temperature", "a positive number", temperature
        )


def _step(table: Mapping[str, Any]) -> PrepareStep:
    _require(isinstance(table.get("op"), str), "prepare", "an op", table)
    return PrepareStep(table["op"], {key: value for key, value in table.items() if key != "op"})


def _operating_point(table: Mapping[str, Any]) -> OperatingPoint:
    known = {f.name for f in fields(OperatingPoint)}
    _check_keys("operating_points", table, known, known - {"metrics"})
    _require(_is_number(table["threshold"]), "operating_points", "a threshold", table["threshold"])
    metrics = table.get("metrics", {})
    fits = isinstance(metrics, dict) and all(_is_list_of(v, (int, float)) and len(v) == 3 for v in metrics.values())
    _require(fits, "operating_points", "metrics of (value, low, high)", metrics)
    rows = {key: (float(v[0]), float(v[1]), float(v[2])) for key, v in metrics.items()}
    return OperatingPoint(table["name"], table["class_name"], float(table["threshold"]), rows)


def _performance(table: Mapping[str, Any]) -> Performance:
    known = {f.name for f in fields(Performance)}
    _check_keys("performance", table, known, known)
    for name in ("value", "low", "high", "n"):
        _require(_is_number(table[name]), f"performance {name}", "a number", table[name])
    numbers = {name: float(table[name]) for name in ("value", "low", "high")}
    return Performance(metric=table["metric"], n=int(table["n"]), split=table["split"], **numbers)


def _check_keys(where: str, table: Mapping[str, Any], known: set[str], required: Any) -> None:
    unknown, missing = sorted(set(table) - known), sorted(set(required) - set(table))
    if unknown or missing:
        problem = f"no entry {unknown[0]!r}" if unknown else f"an entry {missing[0]!r}"
        raise PackageError(f"{where}: expected {problem}, got {'one' if unknown else 'none'}")


def _require(condition: object, where: str, expected: str, got: object) -> None:
    if not condition:
        raise PackageError(f"card {where}: expected {expected}, got {str(got)[:120]!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_list_of(value: object, kind: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, kind) and not isinstance(v, bool) for v in value)


def _is_interval(values: Sequence[float]) -> bool:
    return len(values) == 3 and all(map(_is_number, values)) and values[1] <= values[0] <= values[2]


def _entries(table: Mapping[str, object]) -> list[str]:
    return [f"{_key(key)} = {_value(value)}" for key, value in table.items()]


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _value(value: object) -> str:
    """One TOML value; inline tables for mappings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(float(value))
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(_entries(value)) + "}"
    raise PackageError(f"card: expected texts, finite numbers, lists and tables, got {type(value).__name__}")


def _text(text: str) -> str:
    """A TOML basic string. Source: TOML 1.0, section String: control characters, quote and backslash are escaped."""

    def escaped(character: str) -> str:
        if character in '"\\':
            return "\\" + character
        return f"\\u{ord(character):04x}" if ord(character) < 32 or ord(character) == 127 else character

    return '"' + "".join(map(escaped, text)) + '"'
