"""How the intensities of a region are distributed: mean, moments, percentiles, spread.

Source: IBSI reference manual, intensity-based statistical features (UHIW).
"""

import numpy as np

# 10, 25, 50, 75, 90 of 100, by linear interpolation between sorted values.
_PERCENTILES = (0.10, 0.25, 0.50, 0.75, 0.90)


def statistics_features(values: np.ndarray) -> dict[str, float]:
    """The 18 statistics by tag without family ("mean", "var" …); NaN where one does not exist.

    values   float64, one per voxel of the region, at least one
    """
    ordered = np.asarray(values, dtype=np.float64)
    if not (ordered[:-1] <= ordered[1:]).all():
        ordered = np.sort(ordered)
    n = len(ordered)
    mean = float(ordered.mean())
    apart = ordered - mean
    squares = apart * apart
    variance = float(squares.mean())
    # A variance that rounding alone makes is none.
    has_spread = ordered[-1] > ordered[0]
    third = float((squares * apart).mean()) / variance**1.5 if has_spread else np.nan
    fourth = float((squares * squares).mean()) / variance**2 - 3 if has_spread else np.nan
    p10, p25, p50, p75, p90 = (_percentile(ordered, share) for share in _PERCENTILES)
    middle = ordered[np.searchsorted(ordered, p10, "left") : np.searchsorted(ordered, p90, "right")]
    energy = float(ordered @ ordered)
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
        "mad": float(np.abs(apart).mean()),
        "rmad": float(np.abs(middle - middle.mean()).mean()) if middle.size else np.nan,
        "medad": float(np.abs(ordered - p50).mean()),
        "cov": variance**0.5 / mean if mean else np.nan,
        "qcod": (p75 - p25) / (p75 + p25) if p75 + p25 else np.nan,
        "energy": energy,
        "rms": (energy / n) ** 0.5,
    }


def _percentile(ordered: np.ndarray, share: float) -> float:
    """A percentile by linear interpolation between neighbouring sorted values (Hyndman and Fan's type 7)."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (place - low) * (ordered[high] - ordered[low]))
