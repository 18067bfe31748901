"""A card's pre-processing, executed: the one place where training and inference make an image into a network's input.

A step is an operation's name with options (`core.card.PrepareStep`); OPERATIONS lists them all. Every step keeps the
map from prepared pixels back to source voxels, so that what a network draws can be put back on the image.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from isocenter.core.card import PrepareStep
from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume

# ITU-R BT.601 luma, as PS3.3 C.7.6.3.1.2 uses it for YBR_FULL.
_LUMA: Final = np.array((0.299, 0.587, 0.114), dtype=np.float32)
_INTERPOLATION: Final = {
    "nearest": cv2.INTER_NEAREST, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA
}  # fmt: skip
_FITS: Final = ("stretch", "pad", "cover")


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A network's input and the way back.

    array       float32, (channels, rows, columns), or (channels, slices, rows, columns) for a stack
    to_source   (4, 4); prepared index (k, j, i, 1) -> source index (k, j, i, 1)
    """

    array: np.ndarray = field(repr=False)
    to_source: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What the steps hand on: (channels, slices, rows, columns) and its map to the source."""

    array: np.ndarray
    to_source: np.ndarray


def prepare(volume: Volume, steps: Sequence[PrepareStep]) -> Prepared:
    """The volume as the network takes it, by the card's steps in order; the volume itself is not changed.

    Colour becomes three channels, gray one. Raises InputError for an unknown operation or option, and where the
    image holds NaN or infinity.
    """
    array = np.asarray(volume.array, dtype=np.float32)
    if not np.isfinite(array).all():
        raise InputError("prepare: expected finite intensities, got NaN or infinity; repair or exclude the image")
    array = np.moveaxis(array, -1, 0) if volume.is_colour else array[np.newaxis]
    state = _State(array, np.eye(4))
    for step in steps:
        state = _run_step(state, step)
    result = state.array[:, 0] if volume.is_2d else state.array
    return Prepared(np.array(result, dtype=np.float32, order="C"), state.to_source)


def restore(values: np.ndarray, prepared: Prepared, source_grid: Grid) -> np.ndarray:
    """A map or mask that lies on the prepared pixels, resampled onto the source grid; zero where nothing was seen.

    values   (rows, columns) for an image, (slices, rows, columns) for a stack; bool stays bool (cut at one half)

    Returns (slices, rows, columns), float32 or bool.
    """
    maps = values[np.newaxis] if values.ndim == 2 else values
    if maps.ndim != 3 or maps.shape[-2:] != prepared.array.shape[-2:] or maps.shape[0] != source_grid.shape[0]:
        raise GeometryError(
            f"restore: expected {source_grid.shape[0]} maps of {prepared.array.shape[-2:]}, got shape {values.shape}"
        )
    scale_row, scale_column = prepared.to_source[1, 1], prepared.to_source[2, 2]
    to_prepared = np.array(
        [
            [1 / scale_column, 0, -prepared.to_source[2, 3] / scale_column],
            [0, 1 / scale_row, -prepared.to_source[1, 3] / scale_row],
        ]
    )
    size = (source_grid.shape[2], source_grid.shape[1])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # The frame's half pixel beyond the last centre belongs to the image: it takes the edge's value, the padding zero.
    warped = [
        cv2.warpAffine(each.astype(np.float32), to_prepared, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        * _seen(to_prepared, each.shape, size)
        for each in maps
    ]
    restored = np.stack(warped)
    return restored > 0.5 if values.dtype == np.bool_ else restored


def _seen(to_prepared: np.ndarray, shape: tuple[int, ...], size: tuple[int, int]) -> np.ndarray:
    """Which source pixels (columns, rows in `size`) have their centre inside the prepared frame, (rows, columns)."""
    columns = to_prepared[0, 0] * np.arange(size[0]) + to_prepared[0, 2]
    rows = to_prepared[1, 1] * np.arange(size[1]) + to_prepared[1, 2]
    inside = (
        ((rows >= -0.5) & (rows <= shape[0] - 0.5))[:, np.newaxis] & (columns >= -0.5) & (columns <= shape[1] - 0.5)
    )
    return np.asarray(inside)


def _run_step(state: _State, step: PrepareStep) -> _State:
    """One step, after a strict look at its name and its options."""
    if step.op not in OPERATIONS:
        raise InputError(f"prepare: expected one of {sorted(OPERATIONS)}, got {step.op!r}")
    operation, required, optional = OPERATIONS[step.op]
    given = set(step.options)
    if not required <= given or not given <= required | optional:
        raise InputError(
            f"prepare {step.op}: expected options {sorted(required)}, allowed {sorted(optional)}, got {sorted(given)}"
        )
    return operation(state, step.options)


def _number(options: Mapping[str, object], name: str, default: float | None = None) -> float:
    """A finite number among the options."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise InputError(f"prepare option {name}: expected a finite number, got {value!r}")
    return float(value)


def _count(options: Mapping[str, object], name: str) -> int:
    """A positive whole number among the options, at most 8192."""
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 8192:
        raise InputError(f"prepare option {name}: expected a whole number from 1 to 8192, got {value!r}")
    return value


def _choice(options: Mapping[str, object], name: str, allowed: Sequence[str]) -> str:
    """One of some words among the options; the first is the default."""
    value = options.get(name, allowed[0])
    if value not in allowed:
        raise InputError(f"prepare option {name}: expected one of {list(allowed)}, got {value!r}")
    return str(value)


def _numbers(options: Mapping[str, object], name: str) -> np.ndarray:
    """A list of finite numbers among the options."""
    value = options[name]
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise InputError(f"prepare option {name}: expected a list of numbers, got {value!r}")
    return np.array([_number({name: each}, name) for each in value], dtype=np.float32)


def _gray(state: _State, options: Mapping[str, object]) -> _State:
    """Colour to luma; gray stays as it is."""
    if state.array.shape[0] == 1:
        return state
    return _State(np.tensordot(_LUMA, state.array, axes=1)[np.newaxis], state.to_source)


def _resize(state: _State, options: Mapping[str, object]) -> _State:
    """To rows x columns: stretched, padded (whole image, aspect kept) or covering (aspect kept, centre cut)."""
    rows, columns = _count(options, "rows"), _count(options, "columns")
    fit = _choice(options, "fit", _FITS)
    old_rows, old_columns = state.array.shape[2:]
    scale = np.array((rows / old_rows, columns / old_columns))
    if fit != "stretch":
        scale[:] = scale.min() if fit == "pad" else scale.max()
    inner = np.maximum(1, np.rint(scale * (old_rows, old_columns))).astype(int)
    shrinks = inner[0] < old_rows or inner[1] < old_columns
    word = _choice(options, "interpolation", ("auto", *_INTERPOLATION))
    flag = _INTERPOLATION[word] if word != "auto" else (cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    resized = _per_plane(
        state.array, lambda plane: cv2.resize(plane, (int(inner[1]), int(inner[0])), interpolation=flag)
    )
    factor = np.array((old_rows, old_columns)) / inner
    step = np.diag((1.0, factor[0], factor[1], 1.0))
    step[1:3, 3] = factor / 2 - 0.5  # pixel centres: (new + 1/2) * factor = old + 1/2
    return _cut(_State(resized, state.to_source @ step), rows, columns, _number(options, "fill", 0.0))


def _crop(state: _State, options: Mapping[str, object]) -> _State:
    """The centre, rows x columns; what lies outside the image is `fill`."""
    return _cut(state, _count(options, "rows"), _count(options, "columns"), _number(options, "fill", 0.0))


def _cut(state: _State, rows: int, columns: int, fill: float) -> _State:
    """The centre of every plane, cut or padded to rows x columns."""
    channels, slices, old_rows, old_columns = state.array.shape
    if (old_rows, old_columns) == (rows, columns):
        return state
    top, left = (old_rows - rows) // 2, (old_columns - columns) // 2
    array = np.full((channels, slices, rows, columns), fill, dtype=np.float32)
    source = state.array[:, :, max(top, 0) : max(top, 0) + rows, max(left, 0) : max(left, 0) + columns]
    at_row, at_column = max(-top, 0), max(-left, 0)
    array[:, :, at_row : at_row + source.shape[2], at_column : at_column + source.shape[3]] = source
    step = np.eye(4)
    step[1:3, 3] = top, left
    return _State(array, state.to_source @ step)


def _window(state: _State, options: Mapping[str, object]) -> _State:
    """Linear window to [0, 1] (PS3.3 C.11.2.1.3.2, LINEAR_EXACT)."""
    center, width = _number(options, "center"), _number(options, "width")
    if width <= 0:
        raise InputError(f"prepare option width: expected a positive number, got {width}")
    return _State(np.clip((state.array - center) / width + 0.5, 0.0, 1.0), state.to_source)


def _clip_percentile(state: _State, options: Mapping[str, object]) -> _State:
    """Values below and above two percentiles of the image are set to them."""
    bounds = _number(options, "low", 1.0), _number(options, "high", 99.0)
    if not 0 <= bounds[0] < bounds[1] <= 100:
        raise InputError(f"prepare clip_percentile: expected 0 <= low < high <= 100, got {bounds}")
    low, high = np.percentile(state.array, bounds)
    return _State(np.clip(state.array, low, high), state.to_source)


def _zscore(state: _State, options: Mapping[str, object]) -> _State:
    """Mean 0 and standard deviation 1, over all pixels or over those that are not zero; a flat image becomes 0."""
    over = _choice(options, "over", ("all", "nonzero"))
    values = state.array[state.array != 0] if over == "nonzero" and state.array.any() else state.array
    mean, deviation = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    return _State((state.array - mean) / max(deviation, 1e-6), state.to_source)


def _scale(state: _State, options: Mapping[str, object]) -> _State:
    """`low` to 0 and `high` to 1 (the image's own smallest and largest value where not given), not clipped."""
    low = _number(options, "low", float(state.array.min()))
    high = _number(options, "high", float(state.array.max()))
    if {"low", "high"} <= set(options) and high <= low:
        raise InputError(f"prepare scale: expected low < high, got {low} and {high}")
    return _State((state.array - low) / max(high - low, 1e-6), state.to_source)


def _normalise(state: _State, options: Mapping[str, object]) -> _State:
    """Minus `mean`, divided by `std`: one number each per channel, or one for all."""
    mean, std = _numbers(options, "mean"), _numbers(options, "std")
    n_channels = state.array.shape[0]
    if {mean.size, std.size} - {1, n_channels} or (std <= 0).any():
        raise InputError(f"prepare normalise: expected 1 or {n_channels} means and positive stds, got {mean} and {std}")
    return _State((state.array - mean.reshape(-1, 1, 1, 1)) / std.reshape(-1, 1, 1, 1), state.to_source)


def _channels(state: _State, options: Mapping[str, object]) -> _State:
    """One gray channel repeated; nothing where the number is already right."""
    count = _count(options, "count")
    if state.array.shape[0] not in (1, count):
        raise InputError(
            f"prepare channels: expected 1 or {count} channels, got {state.array.shape[0]}; add gray first"
        )
    return _State(np.repeat(state.array, count // state.array.shape[0], axis=0), state.to_source)


def _per_plane(array: np.ndarray, operation: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """An operation on every (rows, columns) plane of (channels, slices, rows, columns)."""
    planes = [operation(np.ascontiguousarray(plane)) for plane in array.reshape(-1, *array.shape[2:])]
    return np.stack(planes).reshape(*array.shape[:2], *planes[0].shape)


_Operation = Callable[[_State, Mapping[str, object]], _State]

# name: (function, required options, optional options)
OPERATIONS: Final[Mapping[str, tuple[_Operation, frozenset[str], frozenset[str]]]] = {
    "gray": (_gray, frozenset(), frozenset()),
    "resize": (_resize, frozenset({"rows", "columns"}), frozenset({"fit", "interpolation", "fill"})),
    "crop": (_crop, frozenset({"rows", "columns"}), frozenset({"fill"})),
    "window": (_window, frozenset({"center", "width"}), frozenset()),
    "clip_percentile": (_clip_percentile, frozenset(), frozenset({"low", "high"})),
    "zscore": (_zscore, frozenset(), frozenset({"over"})),
    "scale": (_scale, frozenset(), frozenset({"low", "high"})),
    "normalise": (_normalise, frozenset({"mean", "std"}), frozenset()),
    "channels": (_channels, frozenset({"count"}), frozenset()),
}
