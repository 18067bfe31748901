"""How sure a figure is: confidence intervals for shares, means and anything that can be computed again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from isocenter.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its confidence interval.

    n   independent cases (or groups) behind it
    """

    value: float
    low: float
    high: float
    n: int


def wilson(successes: int, n: int, *, level: float = 0.95) -> Estimate:
    """A share with its score interval.

    >>> estimate = wilson(81, 263)
    >>> round(estimate.low, 4), round(estimate.high, 4)
    (0.2553, 0.3662)

    Source: Wilson, JASA 1927;22:209-212; example from Newcombe, Statistics in Medicine 1998;17:857-872.
    """
    if n < 1 or not 0 <= successes <= n:
        raise InputError(f"share: expected 0 <= successes <= n and n > 0, got {successes} of {n}")
    z = float(ndtri(0.5 + level / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Estimate(share, min(share, max(0.0, float(centre - half))), max(share, min(1.0, float(centre + half))), n)


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    n_cases: int,
    *,
    rng: np.random.Generator,
    groups: Sequence[str] | None = None,
    n_rounds: int = 2000,
    level: float = 0.95,
) -> Estimate:
    """A figure with its percentile bootstrap interval.

    statistic   takes case indices (n,) and gives the figure; NaN where a draw does not define it (left out)
    groups      one per case; whole groups are drawn where given, for cases of one patient are not independent

    Source: Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    if n_cases < 1 or (groups is not None and len(groups) != n_cases):
        raise InputError(f"bootstrap: expected at least one case and one group per case, got {n_cases}")
    names = np.arange(n_cases) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    members = [np.flatnonzero(names == name) for name in range(int(names.max()) + 1)]
    draws = np.full(n_rounds, np.nan)
    for index in range(n_rounds):
        chosen = rng.integers(0, len(members), len(members))
        draws[index] = statistic(np.concatenate([members[each] for each in chosen]))
    draws = draws[np.isfinite(draws)]
    value = float(statistic(np.arange(n_cases)))
    if not draws.size:
        return Estimate(value, value, value, len(members))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, min(float(low), value), max(float(high), value), len(members))


def bootstrap_mean(
    values: np.ndarray, *, rng: np.random.Generator, groups: Sequence[str] | None = None, n_rounds: int = 2000
) -> Estimate:
    """The mean of values (n,) with its bootstrap interval."""
    values = np.asarray(values, dtype=np.float64)
    return bootstrap(lambda index: float(values[index].mean()), len(values), rng=rng, groups=groups, n_rounds=n_rounds)
