"""Slices that do not fit between their neighbours: found, and interpolated from the sound ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.noise import estimate_sigma

DamageKind = Literal["blank", "duplicate", "noisy", "striped", "shifted brightness", "unlike its neighbours"]
# Deviations (of the median absolute kind) beyond all slices' middle, and times it, that mark a slice.
_FAR: Final = 6.0
_TIMES: Final = 2.0
_MAD: Final = 1.4826
# A slice with less than this share of its neighbours' contrast is blank.
_BLANK: Final = 0.03
_FEWEST: Final = 5
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
    """Slices that repeat the one before them in every pixel, contents and all."""
    return [
        k for k in range(1, len(values))
        if k not in skip and k - 1 not in skip and np.ptp(values[k]) > 0 and np.array_equal(values[k], values[k - 1])
    ]  # fmt: skip


def _worst_slice(values: np.ndarray, skip: set[int]) -> DamagedSlice | None:
    """The slice farthest out by any measure; None where all fit."""
    sound = [k for k in range(len(values)) if k not in skip]
    if len(sound) < _FEWEST:
        return None
    table = np.array([_measure(values, k, sound) for k in sound])
    middle = np.median(table, axis=0)
    spread = _MAD * np.median(np.abs(table - middle), axis=0) + 1e-3 * middle + 1e-12
    score = (table - middle) / spread
    # The next ones are also pulled out by a bad neighbour: only the worst counts at a time.
    score[table < _TIMES * middle] = 0
    row, column = np.unravel_index(int(np.argmax(score)), score.shape)
    if score[row, column] < _FAR:
        return None
    kinds: tuple[DamageKind, ...] = ("noisy", "striped", "striped", "shifted brightness", "unlike its neighbours")
    # What is noisy or striped is unlike its neighbours too: the more telling name wins.
    telling = next(n for n in range(len(kinds)) if score[row, n] >= _FAR)
    return DamagedSlice(sound[int(row)], kinds[telling])


def _measure(values: np.ndarray, index: int, sound: list[int]) -> tuple[float, float, float, float, float]:
    """How noisy a slice is, how striped along rows and columns, how far off in brightness, and in all."""
    place = sound.index(index)
    near = [sound[n] for n in (place - 1, place + 1) if 0 <= n < len(sound)]
    expected = values[near].mean(axis=0)
    difference = values[index] - expected
    noise = estimate_sigma(values[index : index + 1])
    rows, columns = (np.median(difference, axis=axis) for axis in (1, 0))
    stripes = [float(np.std(np.diff(profile, 2))) if profile.size > 2 else 0.0 for profile in (rows, columns)]
    shift = abs(float(np.median(difference[np.abs(expected) > np.median(np.abs(expected))], axis=None)))
    return noise, stripes[0], stripes[1], shift, float(np.abs(difference).mean(dtype=np.float64))


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
