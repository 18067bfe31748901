"""Whether a measurement repeats: intraclass correlation, concordance, repeatability, and a table over many features.

Measurements stand in an array of (subjects, repeats): each row one subject, each column one repeat, rater or scan.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import fdtri, gdtrix, ndtri

from isocenter.core.errors import InputError
from isocenter.evaluation.intervals import Estimate

Model = Literal["1,1", "2,1", "3,1"]
# Koo TK, Li MY. J Chiropr Med 2016;15:155-163: of the lower end of the interval.
_GRADES: Final = ((0.9, "excellent"), (0.75, "good"), (0.5, "moderate"))


def intraclass_correlation(values: np.ndarray, *, model: Model = "2,1", level: float = 0.95) -> Estimate:
    """The share of all variance that lies between subjects, of a single measurement.

    values   (subjects, repeats)
    model    "1,1" each subject has repeats of its own; "2,1" the repeats are a sample of raters or scanners, whose
             differences count as error (absolute agreement); "3,1" they are all there are (consistency)

    >>> ratings = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> [round(intraclass_correlation(ratings, model=model).value, 2) for model in ("1,1", "2,1", "3,1")]
    [0.17, 0.29, 0.71]

    NaN where nothing varies. Raises InputError for fewer than 2 subjects or repeats, or values that are not finite.
    Source: Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428 (and the example); intervals: McGraw KO, Wong SP. Psychol
    Methods 1996;1:30-46.
    """
    table = _checked(values)
    n, k = table.shape
    between, columns, error, within = _mean_squares(table)
    if np.ptp(table) == 0:
        return Estimate(np.nan, np.nan, np.nan, n)
    if model == "2,1":
        return _two_way_random(between, columns, error, n=n, k=k, level=level)
    rest, freedom = (within, n * (k - 1)) if model == "1,1" else (error, (n - 1) * (k - 1))
    value = (between - rest) / (between + (k - 1) * rest)
    if rest == 0:
        return Estimate(1.0, 1.0, 1.0, n)
    ratio, tail = between / rest, 0.5 + level / 2
    low, high = ratio / _f(n - 1, freedom, tail), ratio * _f(freedom, n - 1, tail)
    return Estimate(value, (low - 1) / (low + k - 1), (high - 1) / (high + k - 1), n)


def _two_way_random(between: float, columns: float, error: float, *, n: int, k: int, level: float) -> Estimate:
    """ICC(2,1) with the interval by Satterthwaite's degrees of freedom."""
    value = (between - error) / (between + (k - 1) * error + k * (columns - error) / n)
    if value >= 1:
        return Estimate(1.0, 1.0, 1.0, n)
    a = k * value / (n * (1 - value))
    b = 1 + k * value * (n - 1) / (n * (1 - value))
    spread = (a * columns) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    freedom = (a * columns + b * error) ** 2 / spread if spread else 1.0
    tail = 0.5 + level / 2
    rest = k * columns + (k * n - k - n) * error
    f_low, f_high = _f(n - 1, freedom, tail), _f(freedom, n - 1, tail)
    low = n * (between - f_low * error) / (f_low * rest + n * between)
    high = n * (f_high * between - error) / (rest + n * f_high * between)
    return Estimate(value, low, high, n)


def concordance_correlation(one: np.ndarray, other: np.ndarray, *, level: float = 0.95) -> Estimate:
    """How closely pairs lie to the line of identity: 1 all on it, 0 no relation; the interval by Fisher's transform.

    >>> round(concordance_correlation(np.array([1.0, 2, 3, 4]), np.array([2.0, 3, 4, 5])).value, 4)
    0.7143

    NaN where neither varies. Raises InputError unless both hold the same number of at least 3 finite values.
    Source: Lin LI. Biometrics 1989;45:255-268, with the variance as corrected in Biometrics 2000;56:324-325.
    """
    x, y = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 3 or not np.isfinite([x, y]).all():
        raise InputError(
            f"concordance: expected two lists of as many finite values, 3 or more, got {x.shape}, {y.shape}"
        )
    n = len(x)
    gap = x.mean() - y.mean()
    both = x.var() + y.var() + gap**2
    if both == 0:
        return Estimate(np.nan, np.nan, np.nan, n)
    shared = float(((x - x.mean()) * (y - y.mean())).mean())
    value = float(2 * shared / both)
    deviations = float(x.std() * y.std())
    if deviations == 0 or shared == 0 or abs(value) >= 1:
        return Estimate(value, value, value, n)
    r, u2 = shared / deviations, gap**2 / deviations
    rest = 1 - value**2
    variance = (
        (1 - r**2) * value**2 / (rest * r**2)
        + 2 * value**3 * (1 - value) * u2 / (r * rest**2)
        - value**4 * u2**2 / (2 * r**2 * rest**2)
    ) / (n - 2)
    half = float(ndtri(0.5 + level / 2)) * max(0.0, variance) ** 0.5
    return Estimate(value, float(np.tanh(np.arctanh(value) - half)), float(np.tanh(np.arctanh(value) + half)), n)


def repeatability_coefficient(values: np.ndarray, *, level: float = 0.95) -> Estimate:
    """The difference that two measurements of an unchanged subject stay below in 95 of 100 cases, in the values' unit.

    values   (subjects, repeats)

    >>> round(repeatability_coefficient(np.array([[10.0, 12.0], [20.0, 20.0], [31.0, 30.0]])).value, 3)
    2.53

    Raises InputError as `intraclass_correlation` does.
    Source: Raunig DL et al. Stat Methods Med Res 2015;24:27-67, equations for the repeatability coefficient.
    """
    table = _checked(values)
    n, k = table.shape
    within = float(table.var(axis=1, ddof=1).mean())
    reach = float(ndtri(0.5 + level / 2)) * 2**0.5
    freedom = n * (k - 1)
    # Quantiles of chi squared: twice those of a gamma distribution with half the degrees of freedom.
    low, high = (2 * float(gdtrix(1.0, freedom / 2, share)) for share in (0.5 + level / 2, 0.5 - level / 2))
    return Estimate(
        reach * within**0.5, reach * (freedom * within / low) ** 0.5, reach * (freedom * within / high) ** 0.5, n
    )


@dataclass(frozen=True, slots=True)
class Stability:
    """How well one feature repeats.

    tag                of the feature
    icc                absolute agreement, ICC(2,1)
    repeatability      coefficient in the feature's unit
    within_percent     within-subject standard deviation as a share of the mean, None for a mean of 0
    grade              "excellent", "good", "moderate", "poor" by the lower end of the ICC's interval; "constant"
    """

    tag: str
    icc: Estimate
    repeatability: Estimate
    within_percent: float | None
    grade: str


def feature_stability(tables: Sequence[Sequence[Mapping[str, float]]]) -> tuple[Stability, ...]:
    """How well each feature repeats over scans, raters or perturbations, the best first; constants last.

    tables   [subject][repeat] -> values by tag; a feature that is not a number somewhere is left out

    Raises InputError unless every subject has the same number of repeats, at least 2 of each.
    """
    counts = {len(repeats) for repeats in tables}
    if len(tables) < 2 or len(counts) != 1 or min(counts) < 2:
        raise InputError(
            f"stability: expected 2 or more subjects with as many repeats each, got {len(tables)} with {sorted(counts)}"
        )
    shared = set.intersection(*(set(table) for repeats in tables for table in repeats))
    rows = []
    for tag in (tag for tag in tables[0][0] if tag in shared):
        values = np.array([[table[tag] for table in repeats] for repeats in tables], dtype=np.float64)
        if np.isfinite(values).all():
            rows.append(_stability(tag, values))
    return tuple(sorted(rows, key=lambda row: (row.grade == "constant", -np.nan_to_num(row.icc.low, nan=-2))))


def _stability(tag: str, values: np.ndarray) -> Stability:
    icc = intraclass_correlation(values)
    mean = float(values.mean())
    within = float(values.var(axis=1, ddof=1).mean()) ** 0.5
    grade = next((name for least, name in _GRADES if icc.low >= least), "poor")
    if np.isnan(icc.value):
        grade = "constant"
    share = 100 * within / abs(mean) if mean else None
    return Stability(tag, icc, repeatability_coefficient(values), share, grade)


def _checked(values: np.ndarray) -> np.ndarray:
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or min(table.shape) < 2 or not np.isfinite(table).all():
        raise InputError(
            f"repeats: expected finite values of (2 or more subjects, 2 or more repeats), got {table.shape}"
        )
    return table


def _mean_squares(table: np.ndarray) -> tuple[float, float, float, float]:
    """Mean squares between subjects, between columns, of the two-way residual and within subjects."""
    n, k = table.shape
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    between = k * float(rows.var(ddof=1))
    across = n * float(columns.var(ddof=1))
    rest = table - rows[:, None] - columns + table.mean()
    return between, across, float((rest**2).sum()) / ((n - 1) * (k - 1)), float(table.var(axis=1, ddof=1).mean())


def _f(one: float, other: float, share: float) -> float:
    """A quantile of the F distribution."""
    return float(fdtri(one, other, share))
