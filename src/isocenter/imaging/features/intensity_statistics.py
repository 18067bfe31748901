"""How the intensities of a region are distributed: mean, moments, percentiles, spread.

Source: IBSI reference manual, intensity-based statistical features (UHIW).
"""

import numpy as np

# 10, 25, 50, 75, 90 of 100, by linear interpolation between sorted values.
_PERCENTILES = (0.10, 0.25, 0.50, 0.75, 0.90)


def statistics_features(values: np.ndarray) -> dict[str, float]:
    """The 18 statistics by tag without family ("mean", "var" …); NaN where one does not exist.

    values   one per voxel of the region, at least one
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    return counted_statistics(ordered, np.ones(len(ordered)))


def counted_statistics(ordered: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """The statistics of values that occur several times each.

    ordered   float64, ascending; `counts` says how often each occurs, at least once
    """
    n = float(counts.sum())
    ranks = np.cumsum(counts)
    mean = _dot(counts, ordered) / n
    apart = ordered - mean
    squares = apart * apart
    variance = _dot(counts, squares) / n
    # A variance that rounding alone makes is none.
    has_spread = ordered[-1] > ordered[0]
    third = _dot(counts * apart, squares) / n / variance**1.5 if has_spread else np.nan
    fourth = _dot(counts * squares, squares) / n / variance**2 - 3 if has_spread else np.nan
    p10, p25, p50, p75, p90 = (_percentile(ordered, ranks, share) for share in _PERCENTILES)
    inside = slice(int(np.searchsorted(ordered, p10, "left")), int(np.searchsorted(ordered, p90, "right")))
    middle, often = ordered[inside], counts[inside]
    robust = np.nan
    if middle.size:
        robust = _dot(often, np.abs(middle - _dot(often, middle) / often.sum())) / float(often.sum())
    energy = _dot(counts * ordered, ordered)
    return {
        "mean": mean,
        "var": variance if has_spread else 0.0,
        "skew": third,
        "kurt": fourth,
        "median": p50,
        "min": float(ordered[0]),
        "p10": p10,
        "p90": p90,
        "max": float(ordered[-1]),
        "iqr": p75 - p25,
        "range": float(ordered[-1] - ordered[0]),
        "mad": _dot(counts, np.abs(apart)) / n,
        "rmad": robust,
        "medad": _dot(counts, np.abs(ordered - p50)) / n,
        "cov": variance**0.5 / mean if mean else np.nan,
        "qcod": (p75 - p25) / (p75 + p25) if p75 + p25 else np.nan,
        "energy": energy,
        "rms": (energy / n) ** 0.5,
    }


def _dot(one: np.ndarray, other: np.ndarray) -> float:
    """The sum of products in one thread: the threads of a BLAS cost more than they give at this size."""
    return float(np.einsum("i,i->", one, other))


def _percentile(ordered: np.ndarray, ranks: np.ndarray, share: float) -> float:
    """A percentile by linear interpolation between neighbouring sorted values (Hyndman and Fan's type 7)."""
    place = share * (float(ranks[-1]) - 1)
    low = int(place)
    first, second = (
        ordered[min(int(np.searchsorted(ranks, rank, "right")), len(ordered) - 1)] for rank in (low, low + 1)
    )
    return float(first + (place - low) * (second - first))
