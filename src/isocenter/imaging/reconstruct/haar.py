"""Undecimated Haar wavelets on a periodic grid: no block shows, as every shift of the grid takes part.

Source: Coifman & Donoho, Translation-invariant de-noising, 1995; the frame: Nason & Silverman 1995.
"""

import numpy as np

N_BANDS = 3


def haar_forward(image: np.ndarray, levels: int) -> np.ndarray:
    """The details at each place, (levels, 3, rows, columns): between columns, between rows, and of both.

    With the coarse image that is left out they hold the image's energy (a tight frame); white noise of deviation 1
    has 2**-level in each, the finest being level 1.
    """
    coarse = image
    details = np.empty((levels, N_BANDS, *image.shape), image.dtype)
    for level in range(levels):
        low, high = _split(coarse, 2**level, 0)
        coarse, details[level, 0] = _split(low, 2**level, 1)
        details[level, 1], details[level, 2] = _split(high, 2**level, 1)
    return details


def haar_adjoint(details: np.ndarray) -> np.ndarray:
    """The (conjugate) transpose of `haar_forward`, (rows, columns)."""
    coarse = np.zeros(details.shape[2:], details.dtype)
    for level in range(len(details) - 1, -1, -1):
        low = _join(coarse, details[level, 0], 2**level, 1)
        high = _join(details[level, 1], details[level, 2], 2**level, 1)
        coarse = _join(low, high, 2**level, 0)
    return coarse


def _split(image: np.ndarray, step: int, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Half the sum and half the difference of each pixel and the one `step` further."""
    half = np.asarray(image * image.real.dtype.type(0.5))
    moved = np.roll(half, -step, axis)
    return half + moved, half - moved


def _join(low: np.ndarray, high: np.ndarray, step: int, axis: int) -> np.ndarray:
    """The transpose of `_split`."""
    half = low.real.dtype.type(0.5)
    return np.asarray(half * (low + high + np.roll(low - high, step, axis)))
