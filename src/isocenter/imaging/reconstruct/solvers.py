"""Least squares with a prior, by accelerated proximal gradients; conjugate gradients."""

from collections.abc import Callable

import numpy as np

from isocenter.imaging.reconstruct.operators import LinearOperator, operator_norm
from isocenter.imaging.reconstruct.priors import Prior


def proximal_gradient(
    operator: LinearOperator,
    data: np.ndarray,
    prior: Prior,
    *,
    strength: float | Callable[[np.ndarray], float],
    start: np.ndarray | None = None,
    n_iterations: int = 150,
) -> np.ndarray:
    """The image that minimises |A x - data|² / 2 + strength * prior(x), or nearly so.

    strength   a number, or what makes one of the misfit A x - data that is left

    Source: FISTA, Beck & Teboulle, SIAM J Imaging Sci 2009;2:183, with the restart of O'Donoghue & Candès, Found
    Comput Math 2015;15:715.
    """
    dtype = np.complex64 if np.iscomplexobj(data) else np.float32
    size = 1.02 * operator_norm(operator, dtype=dtype) ** 2
    image = np.zeros(operator.domain_shape, dtype) if start is None else start.astype(dtype)
    if size == 0:
        return image
    ahead, pace = image, 1.0
    for _ in range(n_iterations):
        rest = operator.forward(ahead) - data
        now = strength(rest) if callable(strength) else strength
        moved = prior(ahead - operator.adjoint(rest) / dtype(size), now / size)
        if np.vdot(ahead - moved, moved - image).real > 0:
            pace = 1.0
        faster = (1 + np.sqrt(1 + 4 * pace * pace)) / 2
        change = moved - image
        ahead = moved + dtype((pace - 1) / faster) * change
        image, pace = moved, faster
        if np.linalg.norm(change) <= 1e-5 * np.linalg.norm(moved):
            break
    return image


def conjugate_gradients(
    apply: Callable[[np.ndarray], np.ndarray],
    right: np.ndarray,
    *,
    n_iterations: int = 30,
    tolerance: float = 1e-5,
) -> np.ndarray:
    """The solution of apply(x) = right for a symmetric (Hermitian), positive definite map, from x = 0.

    Source: Hestenes & Stiefel, J Res Natl Bur Stand 1952;49:409.
    """
    x = np.zeros_like(right)
    rest, direction = right.copy(), right.copy()
    size = first = float(np.vdot(rest, rest).real)
    for _ in range(n_iterations):
        if size <= tolerance**2 * first or size == 0:
            break
        image = apply(direction)
        step = size / float(np.vdot(direction, image).real)
        x = x + right.real.dtype.type(step) * direction
        rest = rest - right.real.dtype.type(step) * image
        following = float(np.vdot(rest, rest).real)
        direction = rest + right.real.dtype.type(following / size) * direction
        size = following
    return x
