"""The histogram of grey levels, and the intensity-volume histogram.

Source: IBSI reference manual, intensity histogram features (ZVCW), intensity-volume histogram features (P88C).
"""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.features.discretise import discretise
from isocenter.imaging.features.intensity_statistics import counted_statistics
from isocenter.imaging.features.radiomics_config import Discretisation, VolumeHistogram

_MOST_STEPS = 10_000_000


def histogram_features(levels: np.ndarray) -> dict[str, float]:
    """The 23 features of the grey level histogram by tag without family ("mean" … "min_grad_g").

    levels   whole numbers from 1, one per voxel of the region
    """
    counts = np.bincount(levels)[1:].astype(np.float64)
    filled = np.flatnonzero(counts)
    shown = counted_statistics(filled + 1.0, counts[filled])
    shares = counts / counts.sum()
    present = shares[shares > 0]
    tallest = np.flatnonzero(counts == counts.max()) + 1
    # Several tallest bins: the one nearest to the mean, the lower of two equally near.
    mode = float(tallest[np.argmin(np.abs(tallest - shown["mean"]))])
    slopes = np.gradient(counts) if len(counts) > 1 else np.zeros(1)
    features = {name: value for name, value in shown.items() if name not in ("energy", "rms")}
    return features | {
        "mode": mode,
        "entropy": float(-(present * np.log2(present)).sum()),
        "uniformity": float((present**2).sum()),
        "max_grad": float(slopes.max()),
        "max_grad_g": float(np.argmax(slopes) + 1),
        "min_grad": float(slopes.min()),
        "min_grad_g": float(np.argmin(slopes) + 1),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """Shares of voxels at or above each intensity; `low` and `high` bound the intensities."""

    intensities: np.ndarray
    shares: np.ndarray
    step: float


def volume_histogram_features(
    values: np.ndarray, how: VolumeHistogram, *, bounds: tuple[float | None, float | None]
) -> dict[str, float]:
    """The features of the intensity-volume histogram by tag without family; "auc" has no reference and is NaN.

    values   intensities of the region
    bounds   the re-segmentation range

    Raises InputError where method "discrete" meets intensities that are not whole numbers.
    """
    curve = _curve(np.asarray(values, dtype=np.float64), how, bounds)
    if len(curve.intensities) < 2:
        share_10 = share_90 = np.nan
    else:
        fraction = (curve.intensities - curve.intensities[0]) / (curve.intensities[-1] - curve.intensities[0])
        share_10, share_90 = (_share_at(curve, fraction, wanted) for wanted in (0.10, 0.90))
    level_10, level_90 = (_intensity_at(curve, wanted) for wanted in (0.10, 0.90))
    return {
        "v10": share_10,
        "v90": share_90,
        "i10": level_10,
        "i90": level_90,
        "diff_v10_v90": share_10 - share_90,
        "diff_i10_i90": level_10 - level_90,
        "auc": np.nan,
    }


def _share_at(curve: _Curve, fraction: np.ndarray, wanted: float) -> float:
    """The largest share of voxels at an intensity fraction of at least `wanted`; a fraction that is it but for rounding
    counts.
    """
    return float(curve.shares[int(np.argmax(fraction >= wanted - 1e-12))])


def _intensity_at(curve: _Curve, wanted: float) -> float:
    """The smallest intensity that at most that share of voxels reach; one step above the last where all others do."""
    reached = np.flatnonzero(curve.shares <= wanted)
    if reached.size:
        return float(curve.intensities[reached[0]])
    return float(curve.intensities[-1] + curve.step)


def _curve(values: np.ndarray, how: VolumeHistogram, bounds: tuple[float | None, float | None]) -> _Curve:
    low, high = bounds
    if how.method == "fbn":
        values = discretise(values, Discretisation("fbn", bins=how.bins)).astype(np.float64)
        first, step, n_steps = 1.0, 1.0, how.bins
    elif how.method == "fbs":
        if low is None or high is None:
            raise InputError("ivh: expected a range with both ends for method fbs, got none; add range = [low, high]")
        values = low + (np.floor((values - low) / how.width) + 0.5) * how.width
        first, step = low + 0.5 * how.width, how.width
        n_steps = int(np.floor((high - low) / how.width - 1 + 1e-9)) + 1
    else:
        if np.abs(values - np.rint(values)).max() > 0:
            raise InputError("ivh: expected whole intensities for method discrete, got fractions; use fbs or fbn")
        first = float(values.min() if low is None else np.ceil(low))
        step, n_steps = 1.0, int((float(values.max()) if high is None else np.floor(high)) - first) + 1
    if n_steps > _MOST_STEPS:
        raise InputError(f"ivh: expected at most {_MOST_STEPS} steps, got {n_steps}; use fbn")
    intensities = first + step * np.arange(n_steps)
    # Half a step of slack keeps bin centres apart whatever their rounding.
    below = np.searchsorted(np.sort(values), intensities - step / 2, "left")
    return _Curve(intensities, (len(values) - below) / len(values), step)
