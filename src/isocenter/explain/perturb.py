"""Explanation without a look inside: hide a part of the image and see what the answer loses.

Source: Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks (occlusion).
"""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from isocenter.core.errors import InputError

# (N, channels, …) prepared images -> (N, classes) probabilities
Predict = Callable[[np.ndarray], np.ndarray]


def occlusion_map(
    predict: Predict, array: np.ndarray, *, column: int, patch: int, stride: int, batch: int = 16
) -> np.ndarray:
    """How much of the class's probability each pixel carries, by prepared pixel, signed, float32.

    array    (channels, rows, columns) or (channels, slices, rows, columns), prepared
    column   of the class
    patch    edge of the hidden square or cube in pixels; stride between neighbours
    batch    images per call

    A pixel's value is the mean drop of the probability over the patches that hide it; hidden pixels take their
    channel's mean. Negative where hiding raises the probability.
    """
    spatial = array.shape[1:]
    if len(spatial) not in (2, 3) or patch < 1 or not 1 <= stride <= patch or patch > min(spatial[-2:]):
        raise InputError(
            f"occlusion: expected 1 <= stride <= patch within {spatial}, got patch {patch}, stride {stride}"
        )
    fill = array.mean(axis=tuple(range(1, array.ndim)), keepdims=True)
    whole = float(predict(array[np.newaxis])[0, column])
    total, count = np.zeros(spatial, dtype=np.float64), np.zeros(spatial, dtype=np.int64)
    for boxes in _chunks(list(_boxes(spatial, patch, stride)), batch):
        hidden = np.repeat(array[np.newaxis], len(boxes), axis=0)
        for image, box in zip(hidden, boxes, strict=True):
            image[(slice(None), *box)] = fill
        drops = whole - predict(hidden)[:, column]
        for drop, box in zip(drops, boxes, strict=True):
            total[box] += drop
            count[box] += 1
    return np.asarray(total / count, dtype=np.float32)


def _boxes(spatial: tuple[int, ...], patch: int, stride: int) -> Iterator[tuple[slice, ...]]:
    """Patches that cover every pixel; an axis shorter than the patch (a thin stack) is hidden whole."""
    axes = []
    for n in spatial:
        last = max(n - patch, 0)
        axes.append([slice(start, start + patch) for start in sorted({*range(0, last + 1, stride), last})])
    return itertools.product(*axes)


def _chunks(items: list[tuple[slice, ...]], n: int) -> Iterator[list[tuple[slice, ...]]]:
    for first in range(0, len(items), n):
        yield items[first : first + n]
