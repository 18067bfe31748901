"""Intensities as grey levels 1, 2, … that histograms and texture matrices count."""

from typing import Final

import numpy as np

from isocenter.core.errors import InputError, LimitError
from isocenter.imaging.features.radiomics_config import Discretisation

_MOST_LEVELS: Final = 4096


def discretise(values: np.ndarray, how: Discretisation, *, low: float | None = None) -> np.ndarray:
    """The grey level of each intensity of a region, int32 from 1.

    low   lower bound of the re-segmentation range, where bins of a fixed width begin

    >>> discretise(np.array([-500.0, -475.5, -475.0]), Discretisation("fbs", width=25.0), low=-500.0).tolist()
    [1, 1, 2]
    >>> discretise(np.array([1.0, 2.0, 3.0]), Discretisation("fbn", bins=2)).tolist()
    [1, 2, 2]

    Raises InputError where method "none" meets values that are no levels, LimitError for more than 4096 levels.
    Source: IBSI reference manual, fixed bin size (Q3RU), fixed bin number (K15C).
    """
    smallest, largest = float(values.min()), float(values.max())
    if how.method == "fbn":
        span = largest - smallest
        levels = np.floor(how.bins * (values - smallest) / (span or 1.0)) + 1
        levels = np.minimum(levels, how.bins)
    elif how.method == "fbs":
        levels = _fixed_width(values, how, smallest if low is None else low)
    else:
        levels = np.rint(values)
        if smallest < 1 or np.abs(levels - values).max() > 0:
            raise InputError(
                f"levels: expected whole numbers from 1 for method none, got {smallest:g} to {largest:g}; "
                "set texture to fbs or fbn"
            )
    if levels.max() > _MOST_LEVELS:
        raise LimitError(
            f"levels: expected at most {_MOST_LEVELS} grey levels, got {int(levels.max())}; take wider bins or a range"
        )
    return levels.astype(np.int32)


def _fixed_width(values: np.ndarray, how: Discretisation, start: float) -> np.ndarray:
    """Bins of one width; with an origin, level 1 is the bin of the smallest value."""
    if how.origin is None:
        return np.asarray(np.floor((values - start) / how.width) + 1)
    bins = np.floor((values - how.origin) / how.width)
    return np.asarray(bins - bins.min() + 1)
