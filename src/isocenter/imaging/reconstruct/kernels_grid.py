"""Interpolation between a grid and free places with the Kaiser-Bessel kernel, and its transpose, compiled."""

import numpy as np
from numba import njit


@njit(cache=True)
def _bessel(x):  # type: ignore[no-untyped-def]
    """The modified Bessel function of order zero, by its power series (Abramowitz & Stegun 9.6.12)."""
    total, term, k = 1.0, 1.0, 1
    quarter = x * x / 4
    while term > 1e-12 * total:
        term *= quarter / (k * k)
        total += term
        k += 1
    return total


@njit(cache=True)
def _weights(place, width, beta, out):  # type: ignore[no-untyped-def]
    """The kernel at the `width` grid points around a place; the first of them."""
    first = int(np.floor(place)) - width // 2 + 1
    for k in range(width):
        inside = 1 - (2 * (first + k - place) / width) ** 2
        out[k] = _bessel(beta * np.sqrt(inside)) / width if inside > 0 else 0.0
    return first


@njit(cache=True)
def gather(grid, places, width, beta):  # type: ignore[no-untyped-def]
    """The grid's values at free places, (places,); the grid is periodic."""
    rows, columns = grid.shape
    out = np.zeros(len(places), grid.dtype)
    by_row, by_column = np.empty(width), np.empty(width)
    for n in range(len(places)):
        top = _weights(places[n, 0], width, beta, by_row)
        left = _weights(places[n, 1], width, beta, by_column)
        total = 0j
        for i in range(width):
            for j in range(width):
                total += by_row[i] * by_column[j] * grid[(top + i) % rows, (left + j) % columns]
        out[n] = total
    return out


@njit(cache=True)
def spread(values, places, width, beta, grid):  # type: ignore[no-untyped-def]
    """Add the transpose of `gather` to the grid."""
    rows, columns = grid.shape
    by_row, by_column = np.empty(width), np.empty(width)
    for n in range(len(places)):
        top = _weights(places[n, 0], width, beta, by_row)
        left = _weights(places[n, 1], width, beta, by_column)
        for i in range(width):
            for j in range(width):
                grid[(top + i) % rows, (left + j) % columns] += by_row[i] * by_column[j] * values[n]
