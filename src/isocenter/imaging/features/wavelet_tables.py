"""Orthonormal wavelets: the taps of their low and high pass, from their defining conditions."""

import re
from functools import cache
from typing import Final

import numpy as np

from isocenter.core.errors import InputError

_ROOT_7: Final = 7**0.5
_COIF1: Final = (-3 + _ROOT_7, 1 - _ROOT_7, 14 - 2 * _ROOT_7, 14 + 2 * _ROOT_7, 5 + _ROOT_7, 1 - _ROOT_7)
# Low passes of the coiflets of order n (length 6 n): orthonormal, 2 n vanishing moments of the wavelet and 2 n - 1 of
# the scaling function; solved for these conditions to rounding (Daubechies, Ten lectures on wavelets, 1992, 8.2).
_COIFLETS: Final[dict[int, tuple[float, ...]]] = {
    1: tuple(tap / (16 * 2**0.5) for tap in _COIF1),
    2: (
        -0.000720549445520419, -0.0018232088709130112, 0.005611434819372653, 0.02368017194685351, -0.05943441864644567,
        -0.07648859907828388, 0.4170051844232606, 0.8127236354494084, 0.38611006682274873, -0.06737255472371884,
        -0.04146493678686825, 0.01638733646320146,
    ),
    3: (
        -3.459977319654679e-05, -7.098330250634507e-05, 0.00046621695981906026, 0.001117518770814417,
        -0.002574517688113519, -0.009007976136651556, 0.015880544863517355, 0.034555027573161805, -0.08230192710589217,
        -0.07179982161909636, 0.4284834763768013, 0.7937772226261964, 0.40517690240955795, -0.061123390003138725,
        -0.06577191128164919, 0.02345269614216607, 0.007782596425703216, -0.0037935128643982884,
    ),
}  # fmt: skip
_LARGEST_DAUBECHIES: Final = 10


@cache
def wavelet_filters(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The decomposition low pass and high pass of an orthonormal wavelet, each an even number of taps.

    name   haar, db1 … db10, coif1 … coif3

    The low pass runs in decomposition order (its largest taps last for Daubechies wavelets), the high pass is its
    alternating flip; convolving with both and with their reversals gives back twice the signal.

    >>> wavelet_filters("haar")[0].round(4).tolist()
    [0.7071, 0.7071]

    Raises InputError for another name.
    Source: Daubechies, Ten lectures on wavelets (1992), 6.1 and 8.2.
    """
    found = re.fullmatch(r"(db|coif)(\d{1,2})", "db1" if name == "haar" else name)
    family, order = (found[1], int(found[2])) if found else ("", 0)
    if family == "db" and 1 <= order <= _LARGEST_DAUBECHIES:
        low = _daubechies(order)
    elif family == "coif" and order in _COIFLETS:
        low = np.array(_COIFLETS[order])
    else:
        raise InputError(f"wavelet: expected haar, db1 to db{_LARGEST_DAUBECHIES} or coif1 to coif3, got {name!r}")
    high = low[::-1] * np.where(np.arange(low.size) % 2 == 0, -1, 1)
    low.setflags(write=False)
    high.setflags(write=False)
    return low, high


def _daubechies(order: int) -> np.ndarray:
    """The extremal-phase low pass with `order` vanishing moments, by spectral factorisation."""
    # |m0|^2 = cos^(2N)(w/2) P(sin^2(w/2)) with P(y) = sum of C(N-1+k, k) y^k, and y = (2 - z - 1/z)/4.
    coefficients = [1.0]
    for k in range(1, order):
        coefficients.append(coefficients[-1] * (order - 1 + k) / k)
    low = np.ones(1)
    for y in np.roots(coefficients[::-1]):
        half = 1 - 2 * y
        root = half - np.sqrt(half**2 - 1 + 0j)
        inside = root if abs(root) < 1 else 1 / root
        low = np.convolve(low, (1, -inside))
    for _ in range(order):
        low = np.convolve(low, (1, 1))
    taps = np.real(low)
    return np.asarray((taps * np.sqrt(2) / taps.sum())[::-1])
