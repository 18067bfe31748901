"""Slices that do not fit between their neighbours: found, and interpolated from the sound ones."""

from collections.abc import Sequence
from dataclasses import dataclass
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
# Differences below this share of the image's contrast count as none.
_FLOOR: Final = 0.01
# A slice with less than this share of its neighbours' contrast is blank.
_BLANK: Final = 0.03
_FEWEST: Final = 5
# A slice of no more different values is a drawing, as masks and phantoms are, and may go on as it is.
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

    array   (slices, rows, columns); fewer than five slices are too few to tell: none is found

    Each slice is held against the middle of its two nearest neighbours, and what differs against the same in all other
    slices, so that a steep change of anatomy at one place does not count as damage.
    """
    if array.ndim != 3:
        raise InputError(f"damage: expected (slices, rows, columns), got {array.shape}")
    if len(array) < _FEWEST:
        return ()
    values = np.asarray(array, dtype=np.float32)
    found: dict[int, DamageKind] = {}
    for index in _blank_slices(values):
        found[index] = "blank"
    for index in _doubled_slices(values, set(found)):
        found[index] = "duplicate"
    # A damaged slice spoils its neighbours' prediction: the worst is taken out first, then all are judged again.
    while len(found) < len(values) // 2:
        worst = _worst_slice(values, set(found))
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
        and np.unique(values[k]).size > _DRAWN
    ]  # fmt: skip


def _worst_slice(values: np.ndarray, skip: set[int]) -> DamagedSlice | None:
    """The slice that fits worst; None where all fit."""
    sound = [k for k in range(len(values)) if k not in skip]
    if len(sound) < _FEWEST:
        return None
    contrast = float(values[sound].std(dtype=np.float64))
    worst, worst_fit = None, None
    for place in range(len(sound)):
        fit = _fit_of(values, place, sound, contrast)
        if worst_fit is None or fit.badness > worst_fit.badness:
            worst, worst_fit = sound[place], fit
    if worst is None or worst_fit is None or worst_fit.badness < 1:
        return None
    return DamagedSlice(worst, worst_fit.kind)


@dataclass(frozen=True, slots=True)
class _Fit:
    """How badly a slice fits, 1 and more is damage, and what the misfit looks like."""

    badness: float
    kind: DamageKind


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


def _loudness(picture: np.ndarray) -> float:
    """The median absolute noise of a slice, edges and padding aside."""
    residual = edge_free_residual(picture)
    live = residual[residual != 0]
    return float(np.median(np.abs(live))) if live.size else 0.0


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
