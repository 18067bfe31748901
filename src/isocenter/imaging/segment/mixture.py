"""A Gaussian mixture of intensities, alone and on a Markov random field."""

from typing import Final

import numpy as np

from isocenter.imaging.segment.kmeans import FINE_BINS, interval_limits, value_histogram

_EM_STEPS: Final = 500
_EM_TOLERANCE: Final = 1e-6
_SWEEPS: Final = 30
# More values than these are sampled; and how often the whole of a larger volume is swept at last.
_MOST_VALUES: Final = 4_000_000
_LAST_SWEEPS: Final = 5
# Sweeps end when no mean moves by more than this share of the narrowest class.
_SETTLED: Final = 5e-3

# Weights, means and standard deviations of the classes.
Mixture = tuple[np.ndarray, np.ndarray, np.ndarray]


def fit_mixture(values: np.ndarray, classes: int) -> Mixture:
    """Weights, means and standard deviations of a Gaussian mixture of numbers, by expectation and maximisation.

    Source: Dempster, Laird & Rubin, J R Stat Soc B 1977;39:1-38.
    """
    values = values[:: max(1, values.size // _MOST_VALUES)]
    limits = interval_limits(values, classes)
    first = np.searchsorted(limits, values, side="left")
    count = np.bincount(first, minlength=classes).astype(float)
    means = np.bincount(first, values, minlength=classes) / count
    spread = np.bincount(first, (values - means[first]) ** 2, minlength=classes) / count
    floor = max(float(np.ptp(values)) * 1e-3, 1e-12)
    weights, widths = count / values.size, np.maximum(np.sqrt(spread), floor)
    x, mass = value_histogram(values, FINE_BINS // 16)
    before = -np.inf
    for _ in range(_EM_STEPS):
        log_joint = log_likelihood(x, weights, means, widths).astype(np.float64)
        top = log_joint.max(axis=1, keepdims=True)
        share = np.exp(log_joint - top)
        total = share.sum(axis=1, keepdims=True)
        likelihood = float((mass * (top + np.log(total))[:, 0]).sum() / mass.sum())
        share = share / total * mass[:, None]
        count = np.maximum(share.sum(axis=0), 1e-9)
        weights, means = count / mass.sum(), (share * x[:, None]).sum(axis=0) / count
        widths = np.maximum(np.sqrt((share * (x[:, None] - means) ** 2).sum(axis=0) / count), floor)
        if likelihood - before < _EM_TOLERANCE:
            break
        before = likelihood
    return weights, means, widths


def smooth_beliefs(array: np.ndarray, inside: np.ndarray, mixture: Mixture, pulls: np.ndarray) -> np.ndarray:
    """Beliefs (…, classes) after sweeps of the mean field; means and widths follow them.

    In a volume of more than four million voxels these are learnt on every second voxel along each axis.
    """
    part = (slice(None, None, 2),) * 3
    if array.size > _MOST_VALUES and inside[part].any():
        _, mixture = _sweep_until_settled(array[part], inside[part], mixture, pulls, most=_SWEEPS)
        return _sweep_until_settled(array, inside, mixture, pulls, most=_LAST_SWEEPS)[0]
    return _sweep_until_settled(array, inside, mixture, pulls, most=_SWEEPS)[0]


def _sweep_until_settled(
    array: np.ndarray, inside: np.ndarray, mixture: Mixture, pulls: np.ndarray, *, most: int
) -> tuple[np.ndarray, Mixture]:
    from isocenter.imaging.segment.cluster_kernels import sweep_mixture

    # The field takes the place of the weights: with both, a rare class would be counted out twice.
    weights, means, widths = mixture
    floor = float(widths.min()) / 2
    array, inside = np.ascontiguousarray(array), np.ascontiguousarray(inside)
    beliefs = _softmax(log_likelihood(array, weights, means, widths))
    beliefs[~inside] = 0
    for _ in range(most):
        classes = np.stack((means, widths), axis=1)
        count, first, second = sweep_mixture(array, inside, beliefs, pulls.astype(np.float32), classes).sum(axis=0).T
        shift = first / np.maximum(count, 1e-9)
        means = means + shift
        widths = np.maximum(np.sqrt(np.maximum(second / np.maximum(count, 1e-9) - shift**2, 0)), floor)
        if np.abs(shift).max() < _SETTLED * widths.min():
            break
    return beliefs, (weights, means, widths)


def smooth_field(likelihood: np.ndarray, inside: np.ndarray, pulls: np.ndarray) -> np.ndarray:
    """Beliefs (…, classes) of a field whose neighbours pull on each other, from a log-likelihood that stays as it is.

    pulls   of a neighbour along slices, rows, columns
    """
    from isocenter.imaging.segment.cluster_kernels import sweep_mean_field

    likelihood = np.ascontiguousarray(likelihood, dtype=np.float32)
    beliefs = _softmax(likelihood)
    beliefs[~inside] = 0
    for _ in range(_SWEEPS // 2):
        for colour in (0, 1):
            sweep_mean_field(likelihood, inside, beliefs, pulls.astype(np.float32), colour)
    return beliefs


def _softmax(scores: np.ndarray) -> np.ndarray:
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(scores / scores.sum(axis=-1, keepdims=True), dtype=np.float32)


def log_likelihood(x: np.ndarray, weights: np.ndarray, means: np.ndarray, widths: np.ndarray) -> np.ndarray:
    """Log of weight times density (…, classes) but for a constant, float32."""
    parts = [
        float(np.log(max(w, 1e-300)) - np.log(s)) - 0.5 * ((x - float(m)) / float(s)) ** 2
        for w, m, s in zip(weights, means, widths, strict=True)
    ]
    return np.stack(parts, axis=-1).astype(np.float32)
