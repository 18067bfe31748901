"""Least squares for k-space with few wavelet details, as a row of quadratic problems that conjugate gradients solve.

Each detail is penalised by the noise over its own size, both squared, as the last image shows it: noise is held down,
edges are let through. Repeated, this seeks the fewest details (reweighted least squares).

Source: Chartrand & Yin, ICASSP 2008:3869; a row of quadratic problems: Charbonnier et al., IEEE Trans Image Process
1997;6:298; the first as an empirical Wiener filter: Ghael, Sayeed & Baraniuk, Proc SPIE 1997;3169:389.
"""

from collections.abc import Callable, Sequence

import numpy as np

from isocenter.imaging.reconstruct.haar import haar_adjoint, haar_forward
from isocenter.imaging.reconstruct.operators import LinearOperator, normal
from isocenter.imaging.reconstruct.solvers import conjugate_gradients

_LEVELS = 3
# Own measurement on phantoms and slices of CT and MR: 1 was best on slices, 2 on phantoms.
_WEIGHT = 1.5
# Of the noise: what a detail's size is taken to be at least.
_SMALLEST = 0.5
# Of an image's largest value: no noise below this is looked for.
LEAST_NOISE = 1e-5
_STEPS = 12
_MOST_PASSES = 10
# A smaller fall of the noise is none.
_FALL = 0.97


def sparse_least_squares(
    operator: LinearOperator,
    data: np.ndarray,
    start: np.ndarray,
    *,
    noise: float,
    thresholds: Sequence[float],
    n_iterations: int,
) -> np.ndarray:
    """The image that explains the data with few wavelet details, (rows, columns) complex.

    operator     with sensitivities whose squares sum to one, or to zero, at each pixel
    noise        in one complex sample, root mean square
    thresholds   one problem each: the size below which a detail is taken for noise, in units of the noise; to begin
                 high and end at 1 finds the large details first
    """
    image = start
    right = operator.adjoint(data)
    for threshold in thresholds:
        apply = _penalised(operator, _penalty(image, noise, threshold))
        image = image + conjugate_gradients(apply, right - apply(image), n_iterations=n_iterations, tolerance=1e-4)
    return image


def seek_noise(
    operator: LinearOperator, data: np.ndarray, image: np.ndarray, *, noise: float, weight: float, n_samples: int
) -> np.ndarray:
    """A better image where the noise is known to be this or less: in turn the noise from the misfit that the image
    leaves, and the image with that noise, until the noise falls no more.

    weight      of the details; 1 weighs them by the noise
    n_samples   how many values of the data were measured; the others are zero in the data and in what operator makes
    """
    least = LEAST_NOISE * float(np.abs(image).max())
    for _ in range(_MOST_PASSES):
        found = max(misfit_noise(operator, data, image, noise=noise, n_samples=n_samples), least)
        if found > _FALL * noise:
            break
        noise = found
        image = sparse_least_squares(
            operator, data, image, noise=weight * noise, thresholds=(1.0,), n_iterations=_STEPS
        )  # fmt: skip
    return image


def misfit_noise(
    operator: LinearOperator, data: np.ndarray, image: np.ndarray, *, noise: float, n_samples: int
) -> float:
    """The noise in one complex sample by the misfit of an image found with `noise`, root mean square.

    The squared misfit is shared among the samples that the fit has not used up; how many it has, a random probe says.

    Source: Wahba, J R Stat Soc B 1983;45:133; the probe: Hutchinson, Commun Stat Simul Comput 1990;19:433.
    """
    rng = np.random.default_rng(0)
    probe = ((rng.standard_normal(data.shape) + 1j * rng.standard_normal(data.shape)) / 2**0.5).astype(data.dtype)
    apply = _penalised(operator, _penalty(image, noise, 1.0))
    fitted = operator.forward(conjugate_gradients(apply, operator.adjoint(probe), n_iterations=_STEPS))
    free = max(n_samples - float(np.vdot(probe, fitted).real), 0.02 * n_samples)
    return float(np.sqrt(np.sum(np.abs(data - operator.forward(image)) ** 2) / free))


def _penalised(operator: LinearOperator, penalty: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The normal operator and the penalty of the details."""

    def apply(x: np.ndarray) -> np.ndarray:
        return np.asarray(normal(operator, x) + haar_adjoint(penalty * haar_forward(x, len(penalty))))

    return apply


def _penalty(image: np.ndarray, noise: float, threshold: float) -> np.ndarray:
    """The quadratic weight of each detail, (levels, 3, rows, columns) float32."""
    levels = max(1, min(_LEVELS, int(np.log2(min(image.shape)))))
    share = 0.25 ** np.arange(1, levels + 1).reshape(-1, 1, 1, 1)
    power = np.abs(haar_forward(image, levels)) ** 2
    least = (_SMALLEST * threshold * noise) ** 2
    return np.asarray(_WEIGHT * threshold * noise**2 * share / (power + least * share), np.float32)
