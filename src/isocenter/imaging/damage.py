"""Slices that do not fit between their neighbours: found, and interpolated from the sound ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, Literal

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.noise import edge_free_residual

DamageKind = Literal["blank", "duplicate", "noisy", "striped", "shifted brightness", "unlike its neighbours"]
# A slice is damaged when it differs from the middle of its neighbours by this much more than they differ between
# themselves (anatomy and noise alone give at most about 1); at the ends one neighbour stands for the middle.
_UNLIKE: Final = 1.6
_UNLIKE_AT_END: Final = 3.0
# The same for its noise, for jumps from row to row, and for its brightness.
_LOUDER: Final = 1.8
_STRIPED: Final = 3.0
_SHIFTED: Final = 3.0
# A slice's brightness, noise and place against its neighbours' may also stand out from what the other slices of the
# volume show: by this many times their usual (median) difference, and by no less than a share that can be seen.
_OUTSTANDING: Final = 6.0
_LEAST_GAIN: Final = float(np.log(1.12))
_LEAST_LOUDNESS: Final = float(np.log(1.5))
_LEAST_MOVE_PX: Final = 1.5
# The noise of a slice with less than this share of pixels that differ from those around them is not judged.
_LEAST_LIVE: Final = 0.01
# Brightness and place are looked at in slices reduced to about this many pixels along the shorter side.
_SMALL: Final = 128
# Differences below this share of the image's contrast count as none.
_FLOOR: Final = 0.01
# A slice with less than this share of its neighbours' contrast is blank.
_BLANK: Final = 0.03
_FEWEST: Final = 5
# What holds no more different values is a drawing, as masks and phantoms are.
_DRAWN: Final = 32
# Optical flow replaces the straight line only where it explains the difference of both slices this much better.
_FLOW_GAIN: Final = 0.7


@dataclass(frozen=True, slots=True)
class DamagedSlice:
    """A slice that does not fit.

    index   along the slices, from 0
    """

    index: int
    kind: DamageKind


def find_damaged_slices(array: np.ndarray) -> tuple[DamagedSlice, ...]:
    """The slices that are blank, doubled, noisy, striped, of another brightness, or unlike what lies around them.

    array   (slices, rows, columns); fewer than five slices are too few to tell, and a drawing of few distinct values (a
            mask, labels) may change as it likes: none is found

    Each slice is held against the middle of its two nearest neighbours, and what differs against the same in all other
    slices, so that a steep change of anatomy at one place does not count as damage.
    """
    if array.ndim != 3:
        raise InputError(f"damage: expected (slices, rows, columns), got {array.shape}")
    if len(array) < _FEWEST:
        return ()
    values = np.asarray(array, dtype=np.float32)
    if _is_drawn(values):
        return ()
    found: dict[int, DamageKind] = {}
    for index in _blank_slices(values):
        found[index] = "blank"
    for index in _doubled_slices(values, set(found)):
        found[index] = "duplicate"
    # A damaged slice spoils its neighbours' prediction: the worst is taken out first, then all are judged again.
    seen = _Departures(values)
    while len(found) < len(values) // 2:
        worst = _worst_slice(values, set(found), seen)
        if worst is None:
            break
        found[worst.index] = worst.kind
    return tuple(DamagedSlice(index, found[index]) for index in sorted(found))


def interpolate_slices(array: np.ndarray, damaged: Sequence[int]) -> np.ndarray:
    """The array with some slices replaced by what lies between the nearest others, float32.

    array     (slices, rows, columns)
    damaged   slice numbers; at the ends the nearest sound slice is repeated

    Where the two slices are related by motion (optical flow explains their difference), both are moved half-way before
    they are mixed; else each pixel is interpolated in a straight line.
    Source: Kroeger et al., ECCV 2016:471-488 (the flow, as OpenCV has it).
    """
    missing = sorted({int(index) for index in damaged})
    if missing and not (missing[0] >= 0 and missing[-1] < len(array)):
        raise InputError(f"slices: expected numbers from 0 to {len(array) - 1}, got {missing}")
    if len(missing) == len(array):
        raise InputError("slices: expected at least one sound slice, all are to be replaced")
    repaired = np.array(array, dtype=np.float32)
    sound = np.setdiff1d(np.arange(len(array)), missing)
    for index in missing:
        below, above = sound[sound < index], sound[sound > index]
        if not below.size or not above.size:
            repaired[index] = array[above[0] if above.size else below[-1]]
            continue
        low, high = int(below[-1]), int(above[0])
        share = (index - low) / (high - low)
        one, other = np.asarray(array[low], np.float32), np.asarray(array[high], np.float32)
        repaired[index] = _between(one, other, share)
    return repaired


def _blank_slices(values: np.ndarray) -> list[int]:
    """Slices without contrast whose neighbours have some."""
    spread = values.std(axis=(1, 2))
    usual = np.median(spread)
    inner = [k for k in range(len(values)) if spread[k] <= _BLANK * usual]
    # Empty slices at either end lie outside the body; only those with contents on both sides are damage.
    full = [k for k in range(len(values)) if k not in inner]
    return [k for k in inner if full and full[0] < k < full[-1]]


def _doubled_slices(values: np.ndarray, skip: set[int]) -> list[int]:
    """Slices that repeat the one before them in every pixel, noise and all."""
    return [
        k for k in range(1, len(values))
        if k not in skip and k - 1 not in skip and np.array_equal(values[k], values[k - 1])
        and not _is_drawn(values[k])
    ]  # fmt: skip


def _is_drawn(values: np.ndarray) -> bool:
    """Whether there are only few distinct values; a small sample tells most images apart."""
    return (
        np.unique(values.reshape(-1)[:: max(1, values.size // 4096)]).size <= _DRAWN
        and np.unique(values).size <= _DRAWN
    )


def _worst_slice(values: np.ndarray, skip: set[int], seen: "_Departures") -> DamagedSlice | None:
    """The slice that fits worst; None where all fit."""
    sound = [k for k in range(len(values)) if k not in skip]
    if len(sound) < _FEWEST:
        return None
    contrast = float(values[sound].std(dtype=np.float64))
    departures = np.zeros((len(sound), 2, 3))  # at the ends there is but one neighbour
    for place in range(1, len(sound) - 1):
        departures[place] = seen.at(sound[place - 1], sound[place], sound[place + 1])
    fits = _against_all([_fit_of(values, place, sound, contrast) for place in range(len(sound))], departures)
    worst = max(range(len(sound)), key=lambda place: fits[place].badness)
    return DamagedSlice(sound[worst], fits[worst].kind) if fits[worst].badness >= 1 else None


@dataclass(frozen=True, slots=True)
class _Fit:
    """How badly a slice fits, 1 and more is damage, and what the misfit looks like."""

    badness: float
    kind: DamageKind


def _against_all(fits: list[_Fit], departures: np.ndarray) -> list[_Fit]:
    """The fits again, each departure held against those of all slices too: where slices are thick, anatomy differs
    much from slice to slice, while brightness, noise and place hardly do.

    departures   (slices, 2, 3), of `_Departures`
    """
    here, between = departures[:, 0], np.abs(departures[:, 1])
    typical = _OUTSTANDING * np.median(np.abs(here - np.median(here, axis=0)), axis=0)
    limits = np.maximum(np.maximum((_LEAST_GAIN, _LEAST_LOUDNESS, _LEAST_MOVE_PX), typical), 2 * between)
    badness = np.abs(here) / limits
    badness[:, 1] *= here[:, 1] > 0  # less noise than the neighbours have is no damage
    kinds: tuple[DamageKind, ...] = ("shifted brightness", "noisy", "unlike its neighbours")
    return [
        fit if fit.badness >= max(1, each.max()) else replace(fit, badness=each.max(), kind=kinds[int(each.argmax())])
        for fit, each in zip(fits, badness, strict=True)
    ]


def _fit_of(values: np.ndarray, place: int, sound: list[int], contrast: float) -> _Fit:
    """A slice against what its neighbours make expect, and that against how much the neighbours differ themselves.

    Where anatomy changes fast, the neighbours differ as well; next to a damaged slice they differ even more.
    """
    inside = 0 < place < len(sound) - 1
    first = sound[place - 1] if place else sound[1]
    second = sound[place + 1] if inside else sound[2] if not place else sound[place - 2]
    one, other = values[first], values[second]
    expected = (one + other) / 2 if inside else one
    difference, usual = values[sound[place]] - expected, other - one
    floor = _FLOOR * contrast + 1e-12
    size, usual_size = (float(np.abs(each).mean(dtype=np.float64)) + floor for each in (difference, usual))
    noise, one_noise, other_noise = (_loudness(values[k]) + floor for k in (sound[place], first, second))
    stripes, usual_stripes = _stripes(difference), _stripes(usual)
    bright = np.abs(expected - expected.min()) >= np.median(np.abs(expected - expected.min()))
    shift, usual_shift = (abs(float(np.median(each[bright]))) for each in (difference, usual))
    louder = noise / max(one_noise, other_noise)
    badness = (
        size / usual_size / (_UNLIKE if inside else _UNLIKE_AT_END),
        louder / _LOUDER,
        stripes / (usual_stripes + usual_size * _white_stripes(usual) + floor) / _STRIPED,
        shift / (usual_shift + usual_size / 4) / (_SHIFTED if inside else 2 * _SHIFTED),
    )
    kind: DamageKind = "unlike its neighbours"
    if stripes > 4 * _white_stripes(difference) * size:
        kind = "striped"
    elif louder > _LOUDER:
        kind = "noisy"
    elif shift > size / 2:
        kind = "shifted brightness"
    return _Fit(max(badness), kind)


@dataclass(slots=True, eq=False)
class _Departures:
    """How far slices depart from their neighbours in brightness, noise and place, each three asked about only once.

    values   (slices, rows, columns)
    small    the same with rows and columns reduced to about 128, for brightness and place
    """

    values: np.ndarray
    small: list[np.ndarray] = field(init=False)
    factor: int = field(init=False)
    noise: list[float] = field(init=False)
    seen: dict[tuple[int, int, int], np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows, columns = self.values.shape[1:]
        self.factor = max(1, min(rows, columns) // _SMALL)
        size = (columns // self.factor, rows // self.factor)
        self.small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in self.values]
        floor = _FLOOR / 10 * float(self.values.std(dtype=np.float64)) + 1e-12
        self.noise = [_loudness(each) + floor for each in self.values]

    def at(self, first: int, index: int, second: int) -> np.ndarray:
        """(2, 3): of the slice against both neighbours, and of one neighbour against the other; brightness and noise as
        logarithms, place in pixels."""
        key = (first, index, second)
        if key not in self.seen:
            one, here, other = (self.small[k] for k in key)
            one_noise, noise, other_noise = (self.noise[k] for k in key)
            louder = np.log(noise / max(one_noise, other_noise))
            moves = (self.factor * _move(here, one, other), self.factor * _move(one, other, other))
            self.seen[key] = np.array(
                [(_gain(here, one, other), louder, moves[0]), (_gain(one, other, other), 0.0, moves[1])]
            )
        return self.seen[key]


def _gain(picture: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """The logarithm of a slice's brightness over that of its neighbours, where these are bright and alike."""
    low = min(float(one.min()), float(other.min()), float(picture.min()))
    mean = (one + other) / 2 - low
    bright = mean > 0.1 * float(np.percentile(mean, 99.5))
    alike = bright & (np.abs(one - other) <= 0.3 * mean)
    if alike.sum() < 0.1 * bright.sum() or not alike.any():
        return 0.0  # one of them is empty, or shows something else
    return float(np.log(max(float(np.median((picture[alike] - low) / mean[alike])), 1e-3)))


def _move(picture: np.ndarray, one: np.ndarray, other: np.ndarray) -> float:
    """How many pixels a slice lies beside both of its neighbours: the smaller of the two ways, 0 where unlike."""
    if min(picture.shape) < 16:
        return 0.0
    fade = _window_of(picture.shape)
    # Faded here, not by OpenCV, which multiplies its window into the caller's array.
    here = picture * fade
    ways = [cv2.phaseCorrelate(each * fade, here)[0] for each in (one, other)]
    if np.hypot(*np.subtract(*ways)) > max(1.0, 0.25 * np.hypot(*ways[0])):
        return 0.0
    return float(min(np.hypot(*way) for way in ways))


@cache
def _window_of(shape: tuple[int, int]) -> np.ndarray:
    """Slices fade out towards their border, so that a shift does not wrap round."""
    return np.asarray(cv2.createHanningWindow((shape[1], shape[0]), cv2.CV_32F))


def _loudness(picture: np.ndarray) -> float:
    """The median absolute noise of a slice, edges and padding aside; 0 where nearly all is padding."""
    residual = edge_free_residual(picture)
    live = residual[residual != 0]
    return float(np.median(np.abs(live))) if live.size > _LEAST_LIVE * residual.size else 0.0


def _stripes(difference: np.ndarray) -> float:
    """How much the medians of neighbouring rows, or columns, jump."""
    profiles = [np.median(difference, axis=axis) for axis in (0, 1)]
    return max((float(np.std(np.diff(profile, 2))) for profile in profiles if profile.size > 3), default=0.0)


def _white_stripes(difference: np.ndarray) -> float:
    """What `_stripes` gives for white noise whose mean absolute value is 1: medians of n, second differences."""
    return float(np.sqrt(np.pi / 2) * np.sqrt(np.pi / 2) * np.sqrt(6) / np.sqrt(min(difference.shape)))


def _between(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """What lies between two slices, `share` of the way from one to the other."""
    straight = (1 - share) * one + share * other
    low, high = min(float(one.min()), float(other.min())), max(float(one.max()), float(other.max()))
    if high <= low or min(one.shape) < 16:
        return straight
    eight = [np.round((each - low) * (255 / (high - low))).astype(np.uint8) for each in (one, other)]
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there, back = finder.calc(eight[0], eight[1], None), finder.calc(eight[1], eight[0], None)
    moved = _warp(other, there, 1.0)
    if np.abs(moved - one).mean() > _FLOW_GAIN * np.abs(other - one).mean():
        return straight
    return np.asarray((1 - share) * _warp(one, back, share) + share * _warp(other, there, 1 - share))


def _warp(picture: np.ndarray, flow: np.ndarray, share: float) -> np.ndarray:
    """The picture read at places moved by a share of the flow."""
    j, i = np.mgrid[: picture.shape[0], : picture.shape[1]].astype(np.float32)
    x, y = i + np.float32(share) * flow[..., 0], j + np.float32(share) * flow[..., 1]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
