"""A network over an image larger than its window: overlapping windows, blended by a Gaussian, in bounded memory.

Slices that no later window touches are finished at once and leave the accumulators, which therefore hold one window's
depth of the volume, however long it is. Windows and weights are those of MONAI's `sliding_window_inference`
(mode "gaussian", sigma 0.125 of the window, floor 0.001), so a network trained there behaves alike here.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError, LimitError
from isocenter.zoo.predict import Predictor

_FLOOR = 1e-3
_BATCH_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Windows:
    """How an image is cut.

    size               (slices, rows, columns), or (rows, columns) for 2-D
    overlap            of neighbours, as a share of the window, in [0, 1)
    batch              windows per call at most; fewer where the memory budget asks for it
    sigma_scale        standard deviation of the weights as a share of the window
    pad_value          what surrounds an image that is smaller than the window
    max_memory_bytes   for accumulators, windows and result together; the network's own memory comes on top
    """

    size: tuple[int, ...]
    overlap: float = 0.5
    batch: int = 1
    sigma_scale: float = 0.125
    pad_value: float = 0.0
    max_memory_bytes: int = 2**30

    def __post_init__(self) -> None:
        if len(self.size) not in (2, 3) or min(self.size) < 1:
            raise InputError(f"windows: expected two or three positive sizes, got {self.size}")
        if not 0 <= self.overlap < 1 or self.batch < 1 or self.sigma_scale <= 0:
            raise InputError(
                f"windows: expected an overlap in [0, 1), a batch and a sigma above 0, "
                f"got {self.overlap}, {self.batch}, {self.sigma_scale}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Slab:
    """Finished slices.

    start    index of the first one
    values   (outputs, slices, rows, columns), float32
    """

    start: int
    values: np.ndarray


def sliding_window(
    predictor: Predictor,
    array: np.ndarray,
    *,
    windows: Windows,
    output: str = "logits",
    reduce: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """The network's answer on the whole image: (outputs, [slices,] rows, columns).

    array    (channels, [slices,] rows, columns), prepared
    output   which of the network's outputs; it has the window's size
    reduce   applied to each finished slab (outputs, slices, rows, columns) so that only what it returns is kept, slices
             on its third-last axis: `lambda v: v.argmax(0).astype(np.uint8)` keeps labels alone

    float32; float16 where only that keeps within the budget. Raises LimitError where not even that does.
    """
    depth = array.shape[1] if len(windows.size) == 3 else 1
    result: np.ndarray | None = None
    for slab in iter_slabs(predictor, array, windows=windows, output=output):
        values = slab.values if reduce is None else np.asarray(reduce(slab.values))
        if result is None:
            result = _empty_result(values, depth, array, windows, n_outputs=slab.values.shape[0])
        result[..., slab.start : slab.start + values.shape[-3], :, :] = values
    if result is None:
        raise InputError("sliding window: expected an image with slices, got none")
    return result if len(windows.size) == 3 else result[..., 0, :, :]


def iter_slabs(predictor: Predictor, array: np.ndarray, *, windows: Windows, output: str = "logits") -> Iterator[Slab]:
    """The network's answer slab by slab, from the first slice on, each slice once; as `sliding_window`."""
    is_2d = len(windows.size) == 2
    if array.ndim != len(windows.size) + 1:
        raise InputError(
            f"sliding window: expected (channels, {'' if is_2d else 'slices, '}rows, columns), got {array.shape}"
        )
    volume = array[:, np.newaxis] if is_2d else array
    size = (1, *windows.size) if is_2d else windows.size
    padded, before = _pad(volume, size, windows.pad_value)
    accumulator = _Accumulator(importance_map(size, windows.sigma_scale), padded.shape[1:], windows.max_memory_bytes)
    starts = [window_starts(n, w, windows.overlap) for n, w in zip(padded.shape[1:], size, strict=True)]
    batch = _affordable_batch(windows, volume.shape[0] * math.prod(size) * 4)
    inside = tuple(slice(b, b + n) for b, n in zip(before, volume.shape[1:], strict=True))
    for z, next_z in itertools.pairwise([*starts[0], padded.shape[1]]):
        for corners in _chunks(list(itertools.product([z], starts[1], starts[2])), batch):
            views = [padded[(slice(None), *_box(corner, size))] for corner in corners]
            stacked = np.stack(views)
            answers = predictor.run(stacked[:, :, 0] if is_2d else stacked)[output]
            _check_answer(answers, len(corners), windows.size)
            for corner, answer in zip(corners, answers, strict=True):
                accumulator.add(corner, answer[:, np.newaxis] if is_2d else answer)
        finished = accumulator.finish(z, next_z)
        first, last = max(z, inside[0].start), min(next_z, inside[0].stop)
        if first < last:
            yield Slab(first - before[0], finished[:, first - z : last - z, inside[1], inside[2]])


def importance_map(size: tuple[int, ...], sigma_scale: float = 0.125) -> np.ndarray:
    """How much each pixel of a window counts: a Gaussian around its centre, 1 at most, never under 0.001; float32.

    Source: Isensee et al. 2021 (nnU-Net), sliding window with Gaussian importance; floor as in MONAI 1.6.
    """
    weights = np.ones((), dtype=np.float32)
    for n in size:
        offset = np.arange(n, dtype=np.float32) - (n - 1) / 2
        weights = weights[..., np.newaxis] * np.exp(-(offset**2) / (2 * (sigma_scale * n) ** 2)).astype(np.float32)
    return np.maximum(weights, np.float32(max(float(weights.min()), _FLOOR)))


def window_starts(length: int, size: int, overlap: float) -> list[int]:
    """Where windows begin along one axis: evenly spaced, the last one moved back so that it ends with the image.

    >>> window_starts(10, 4, 0.5)
    [0, 2, 4, 6]
    >>> window_starts(11, 4, 0.5)
    [0, 2, 4, 6, 7]
    """
    step = max(int(size * (1 - overlap)), 1)
    count = max(math.ceil((length - size) / step), 0) + 1
    return [min(i * step, length - size) for i in range(count)]


class _Accumulator:
    """Weighted sums over a ring of slices as deep as a window; slice z lies in row z modulo that depth."""

    def __init__(self, weights: np.ndarray, shape: tuple[int, ...], max_memory_bytes: int) -> None:
        self._weights, self._max_memory_bytes = weights, max_memory_bytes
        self._ring_shape = (weights.shape[0], *shape[1:])
        self._total = np.zeros(self._ring_shape, dtype=np.float32)
        self._sum: np.ndarray | None = None

    def add(self, corner: tuple[int, ...], answer: np.ndarray) -> None:
        """Add one window's answer (outputs, slices, rows, columns)."""
        if self._sum is None:
            needed = (answer.shape[0] + 1) * self._total.nbytes
            if needed > self._max_memory_bytes:
                raise LimitError(
                    f"sliding window: expected accumulators within {self._max_memory_bytes} bytes, they take {needed}; "
                    "raise max_memory_bytes or use windows of fewer slices"
                )
            self._sum = np.zeros((answer.shape[0], *self._ring_shape), dtype=np.float32)
        depth = self._ring_shape[0]
        turn = corner[0] % depth
        weighted = answer * self._weights
        _, rows, columns = _box(corner, self._weights.shape)
        for window_part, ring_part in (
            (slice(0, depth - turn), slice(turn, depth)),
            (slice(depth - turn, depth), slice(0, turn)),
        ):
            self._sum[:, ring_part, rows, columns] += weighted[:, window_part]
            self._total[ring_part, rows, columns] += self._weights[window_part]

    def finish(self, start: int, stop: int) -> np.ndarray:
        """The blended slices [start, stop), which no later window touches; their rows become free."""
        if self._sum is None:
            raise InputError("sliding window: expected windows before slices are finished, got none")
        rows = np.arange(start, stop) % self._ring_shape[0]
        values = self._sum[:, rows]
        values /= self._total[rows]
        self._sum[:, rows] = 0
        self._total[rows] = 0
        return values


def _pad(volume: np.ndarray, size: tuple[int, ...], value: float) -> tuple[np.ndarray, tuple[int, ...]]:
    """The volume at least as large as the window, centred, and how many voxels came before it on each axis."""
    missing = [max(w - n, 0) for w, n in zip(size, volume.shape[1:], strict=True)]
    before = tuple(m // 2 for m in missing)
    if not any(missing):
        return volume, before
    widths = [(0, 0), *((b, m - b) for b, m in zip(before, missing, strict=True))]
    return np.pad(volume, widths, constant_values=value), before


def _affordable_batch(windows: Windows, window_bytes: int) -> int:
    """As many windows per call as a quarter of the budget holds, with an answer of their size and its weighted copy."""
    return max(1, min(windows.batch, int(windows.max_memory_bytes * _BATCH_SHARE) // (3 * window_bytes)))


def _empty_result(values: np.ndarray, depth: int, array: np.ndarray, windows: Windows, *, n_outputs: int) -> np.ndarray:
    """Room for the whole answer, in float16 where float32 would not keep within the budget."""
    shape = (*values.shape[:-3], depth, *values.shape[-2:])
    room = windows.max_memory_bytes - _working_bytes(array, windows, n_outputs)
    kinds: list[np.dtype[np.generic]] = [values.dtype]
    if values.dtype == np.float32:
        kinds.append(np.dtype(np.float16))
    for kind in kinds:
        if math.prod(shape) * kind.itemsize <= room:
            return np.zeros(shape, dtype=kind)
    raise LimitError(
        f"sliding window: expected a result within {windows.max_memory_bytes} bytes, shape {shape} takes more; "
        "pass `reduce`, or take the slabs one by one (iter_slabs)"
    )


def _working_bytes(array: np.ndarray, windows: Windows, n_outputs: int) -> int:
    """What accumulators, a finished slab and the windows of one call take."""
    plane = math.prod(max(n, w) for n, w in zip(array.shape[-2:], windows.size[-2:], strict=True))
    depth = windows.size[0] if len(windows.size) == 3 else 1
    window = math.prod(windows.size)
    batch = _affordable_batch(windows, array.shape[0] * window * 4)
    return int(4 * ((2 * n_outputs + 1) * depth * plane + batch * (array.shape[0] + 2 * n_outputs) * window))


def _check_answer(answers: np.ndarray, n: int, size: tuple[int, ...]) -> None:
    if answers.ndim != len(size) + 2 or answers.shape[0] != n or answers.shape[2:] != size:
        raise InputError(f"sliding window: expected ({n}, outputs, {size}) from the network, got {answers.shape}")


def _box(corner: tuple[int, ...], size: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(c, c + w) for c, w in zip(corner, size, strict=True))


def _chunks(items: list[tuple[int, ...]], n: int) -> Iterator[list[tuple[int, ...]]]:
    for first in range(0, len(items), n):
        yield items[first : first + n]
