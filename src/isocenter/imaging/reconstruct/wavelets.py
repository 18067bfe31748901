"""Orthonormal wavelets on a periodic grid: Daubechies' filters of eight taps, four vanishing moments.

Source: Daubechies, Commun Pure Appl Math 1988;41:909, table 1 (N = 4).
"""

import numpy as np

_LOW = np.array(
    [
        0.23037781330885523, 0.71484657055254153, 0.63088076792959036, -0.02798376941698385,
        -0.18703481171888114, 0.03084138183598697, 0.03288301166698295, -0.01059740178499728,
    ]
)  # fmt: skip
_HIGH = _LOW[::-1] * np.array([1, -1] * 4)
_SMALLEST = 8


def n_levels(shape: tuple[int, ...]) -> int:
    """How often an image can be halved so that its coarsest form keeps eight pixels a side; at least once."""
    return max(1, int(np.log2(max(min(shape) / _SMALLEST, 1))))


def wavelet_forward(image: np.ndarray, levels: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """The coarse image and, from fine to coarse, the details (3, rows, columns) of each level.

    image   (rows, columns), real or complex; padded by repetition of its edge where its sides are not multiples of
            2**levels
    """
    step = 2**levels
    rows, columns = (-image.shape[0]) % step, (-image.shape[1]) % step
    coarse = np.pad(image, ((0, rows), (0, columns)), mode="edge") if rows or columns else image
    details = []
    for _ in range(levels):
        low, high = _split(coarse, 0)
        coarse, across = _split(low, 1)
        details.append(np.stack([across, *_split(high, 1)]))
    return coarse, details


def wavelet_inverse(coarse: np.ndarray, details: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """The image of its coarse form and its details, cut to `shape`; undoes `wavelet_forward`."""
    for across, down, both in reversed(details):
        coarse = _join(_join(coarse, across, 1), _join(down, both, 1), 0)
    return coarse[: shape[0], : shape[1]]


def _split(image: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Low and high half along an axis: filtered, every second sample."""
    turned = np.moveaxis(image, axis, 0)
    n = len(turned)
    index = np.arange(0, n, 2)
    low = np.zeros((n // 2, *turned.shape[1:]), image.dtype)
    high = np.zeros_like(low)
    for tap in range(len(_LOW)):
        part = turned[(index + tap) % n]
        low += part * low.real.dtype.type(_LOW[tap])
        high += part * low.real.dtype.type(_HIGH[tap])
    return np.moveaxis(low, 0, axis), np.moveaxis(high, 0, axis)


def _join(low: np.ndarray, high: np.ndarray, axis: int) -> np.ndarray:
    """The transpose of `_split`."""
    low, high = np.moveaxis(low, axis, 0), np.moveaxis(high, axis, 0)
    half = len(low)
    even, odd = np.zeros((2, *low.shape), low.dtype)
    for tap in range(0, len(_LOW), 2):
        move = tap // 2
        for out, k in ((even, tap), (odd, tap + 1)):
            mixed = low * low.real.dtype.type(_LOW[k]) + high * low.real.dtype.type(_HIGH[k])
            out += np.roll(mixed, move, axis=0)
    out = np.empty((2 * half, *low.shape[1:]), low.dtype)
    out[0::2], out[1::2] = even, odd
    return np.moveaxis(out, 0, axis)
