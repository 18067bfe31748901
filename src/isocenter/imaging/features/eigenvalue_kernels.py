"""The eigenvalue of a symmetric matrix that lies furthest from 0, without LAPACK.

Matrices of about a hundred grey levels are where LAPACK starts threads that cost a hundred times the work.

Source: Golub GH, Van Loan CF. Matrix Computations (2013), 10.1 (Lanczos), 8.4.1 (Sturm sequences and bisection).
"""

import numpy as np
from numba import njit

# Steps between two looks at the eigenvalue, and how little it changes between them when it is found.
_BETWEEN = 8
_SETTLED = 1e-13
_HALVINGS = 60


@njit(cache=True, fastmath={"reassoc", "contract"})
def largest_eigenvalue(matrix: np.ndarray) -> float:
    """The largest absolute eigenvalue of a symmetric matrix, float64 (n, n), to about 1e-12 of it."""
    n = len(matrix)
    basis = np.zeros((n, n))
    diagonal, beside = np.zeros(n), np.zeros(n)
    # Any start that favours no eigenvector.
    vector = np.cos(1.0 + np.arange(n) * 2.399963)
    vector /= np.sqrt((vector**2).sum())
    found = 0.0
    for m in range(n):
        basis[m] = vector
        image = np.zeros(n)
        for i in range(n):
            image += vector[i] * matrix[i]
        diagonal[m] = (image * vector).sum()
        # Twice: rounding would else let found eigenvectors in again.
        for _ in range(2):
            for k in range(m + 1):
                image -= (basis[k] * image).sum() * basis[k]
        beside[m] = np.sqrt((image**2).sum())
        is_last = m == n - 1 or beside[m] < 1e-14
        if is_last or m % _BETWEEN == _BETWEEN - 1:
            before, found = found, _furthest(diagonal[: m + 1], beside[:m])
            if is_last or found - before < _SETTLED * found:
                break
        vector = image / beside[m]
    return found


@njit(cache=True)
def _furthest(diagonal: np.ndarray, beside: np.ndarray) -> float:
    """The largest absolute eigenvalue of a tridiagonal matrix, by bisection."""
    low, high = 0.0, float(np.abs(diagonal).max() + 2 * np.abs(beside).sum())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _count_below(diagonal, beside, middle) == len(diagonal) and _count_below(diagonal, beside, -middle) == 0:
            high = middle
        else:
            low = middle
    return (low + high) / 2


@njit(cache=True)
def _count_below(diagonal: np.ndarray, beside: np.ndarray, place: float) -> int:
    """How many eigenvalues of a tridiagonal matrix are smaller than a number."""
    count = 0
    pivot = 1.0
    for i in range(len(diagonal)):
        pivot = diagonal[i] - place - (beside[i - 1] ** 2 / pivot if i else 0.0)
        if pivot == 0:
            pivot = 1e-300
        count += pivot < 0
    return count
