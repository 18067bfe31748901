"""Who is in which part: by group, by class, and the same for ever.

A group (a patient, or pictures that are nearly the same) is never on two sides. The split depends on the examples'
keys, groups, labels and the seed alone, and its hash names it, so a changed split is noticed.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.learning.config import SplitConfig


@dataclass(frozen=True, slots=True)
class Member:
    """One example as the splitter sees it: its key in the data set, its group, its class."""

    key: str
    group: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """Keys of each part.

    test      kept apart until the end
    folds     (train, validation) pairs; the validation parts of several folds do not overlap
    digest    "sha256:…" over all parts and groups
    """

    test: tuple[str, ...]
    folds: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    digest: str


def make_split(members: Sequence[Member], config: SplitConfig, seed: int) -> Split:
    """The members in a test part and folds; classes alike in every part, groups whole.

    Raises InputError where `config.frozen` names another split than the one that came out.
    """
    if len({member.key for member in members}) != len(members):
        raise InputError("split: expected unique keys, got repeated ones")
    test, rest = _take(members, config.test_fraction, f"{seed}/test")
    folds: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    if config.folds == 1:
        validation, train = _take(rest, config.validation_fraction, f"{seed}/validation")
        folds.append((_keys(train), _keys(validation)))
    else:
        parts = _deal(rest, [1.0 / config.folds] * config.folds, f"{seed}/folds")
        for index, validation in enumerate(parts):
            train = [each for other, part in enumerate(parts) if other != index for each in part]
            folds.append((_keys(train), _keys(validation)))
    split = Split(_keys(test), tuple(folds), "")
    split = replace(split, digest=_digest(split, members))
    if config.frozen and config.frozen != split.digest:
        raise InputError(
            f"split: expected {config.frozen}, got {split.digest}; the data, the groups or the seed have changed"
        )
    return split


def find_near_duplicates(
    pictures: Mapping[str, np.ndarray], *, max_distance: int = 8, min_correlation: float = 0.95
) -> dict[str, str]:
    """Group name of every key; pictures that are nearly the same (also in steps) share one.

    pictures         gray, any size, (rows, columns)
    max_distance     of 64 perceptual-hash bits, for a pair to be looked at
    min_correlation  of the two pictures at 32 x 32 pixels, for the pair to be one group

    Source: DCT hash as described by C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash
    Functions", 2010.
    """
    keys = sorted(pictures)
    small = np.stack([_shrink(pictures[key]) for key in keys])
    bits = np.stack([_hash_bits(each) for each in small])
    flat = small.reshape(len(keys), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)
    parent = list(range(len(keys)))
    for first in range(len(keys)):
        distance = (bits[first] != bits[first + 1 :]).sum(axis=1)
        close = np.flatnonzero(distance <= max_distance) + first + 1
        for second in close[flat[close] @ flat[first] >= min_correlation]:
            parent[_root(parent, int(second))] = _root(parent, first)
    return {key: keys[_root(parent, index)] for index, key in enumerate(keys)}


def join_groups(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, str]:
    """Groups by either of two rules: keys that share a group in one of them, also in steps, share one here."""
    keys = sorted(first)
    number = {key: index for index, key in enumerate(keys)}
    parent = list(range(len(keys)))
    for groups in (first, second):
        leader: dict[str, int] = {}
        for key in keys:
            other = leader.setdefault(groups[key], number[key])
            parent[_root(parent, number[key])] = _root(parent, other)
    return {key: keys[_root(parent, number[key])] for key in keys}


def _keys(members: Sequence[Member]) -> tuple[str, ...]:
    """Sorted keys."""
    return tuple(sorted(member.key for member in members))


def _take(members: Sequence[Member], fraction: float, salt: str) -> tuple[list[Member], list[Member]]:
    """A part of the members and the rest."""
    if fraction <= 0:
        return [], list(members)
    part, rest = _deal(members, [fraction, 1.0 - fraction], salt)
    return part, rest


def _deal(members: Sequence[Member], fractions: Sequence[float], salt: str) -> list[list[Member]]:
    """Members dealt group by group: each to the part that lacks most of what the group brings."""
    groups: dict[str, list[Member]] = {}
    for member in sorted(members, key=lambda each: each.key):
        groups.setdefault(member.group, []).append(member)
    labels = sorted({member.label for member in members})
    totals = np.array([sum(member.label == label for member in members) for label in labels], dtype=np.float64)
    missing = np.outer(fractions, totals)
    parts: list[list[Member]] = [[] for _ in fractions]

    def order(item: tuple[str, list[Member]]) -> tuple[int, str]:
        return -len(item[1]), hashlib.sha256(f"{salt}/{item[0]}".encode()).hexdigest()

    for _, group in sorted(groups.items(), key=order):
        counts = np.array([sum(member.label == label for member in group) for label in labels])
        need = (missing / np.maximum(np.outer(fractions, totals), 1e-9)) @ (counts / totals)
        index = int(np.argmax(need))
        parts[index].extend(group)
        missing[index] -= counts
    return parts


def _digest(split: Split, members: Sequence[Member]) -> str:
    """A hash over who is where, in which group, with which label."""
    lines = [f"{member.key}\t{member.group}\t{member.label}" for member in sorted(members, key=lambda each: each.key)]
    lines += ["test", *split.test]
    for train, validation in split.folds:
        lines += ["train", *train, "validation", *validation]
    return "sha256:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _root(parent: list[int], index: int) -> int:
    """The head of an index's group."""
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


def _shrink(picture: np.ndarray) -> np.ndarray:
    """The picture at 32 x 32, float32."""
    return np.asarray(cv2.resize(picture.astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA))


def _hash_bits(small: np.ndarray) -> np.ndarray:
    """64 bits: the signs of the low frequencies against their median, the constant part left out."""
    low = cv2.dct(small)[:8, :8].ravel()
    return np.asarray(low > np.median(low[1:]))
