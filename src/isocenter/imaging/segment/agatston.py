"""The Agatston rule on a volume in which nothing but calcium is marked.

Source: Agatston et al., J Am Coll Cardiol 1990;15:827 (130 HU, weights by peak); a minimum of 1 mm2 per lesion and the
factor increment / 3 for slices that are not 3 mm apart, as in CLINICAL practice since (Ohnesorge et al., Eur Radiol
2002;12:1532).
"""

from dataclasses import dataclass

import cc3d
import numpy as np

from isocenter.imaging.segment.grids import Triple

THRESHOLD_HU = 130.0
MIN_AREA_MM2 = 1.0


@dataclass(frozen=True, slots=True)
class CalciumScore:
    """What the rule gives.

    agatston     score over all slices
    volume_mm3   of the voxels that count
    n_areas      areas that count, slice by slice
    """

    agatston: float
    volume_mm3: float
    n_areas: int


def score_calcium(hu: np.ndarray, allowed: np.ndarray, spacing_mm: Triple) -> tuple[CalciumScore, np.ndarray]:
    """Score and mask of the calcium inside `allowed`.

    hu, allowed   (slices, rows, columns)

    >>> hu = np.zeros((1, 9, 9)); hu[0, 2:6, 3:5] = 400.0
    >>> score_calcium(hu, hu > -1, (3.0, 1.0, 1.0))[0].agatston
    32.0
    """
    bright = (hu >= THRESHOLD_HU) & allowed
    counted = np.zeros(hu.shape, bool)
    pixel_mm2 = spacing_mm[1] * spacing_mm[2]
    total, n_areas = 0.0, 0
    for k in np.flatnonzero(bright.any(axis=(1, 2))):
        labels = cc3d.connected_components(bright[k].astype(np.uint8), connectivity=8)
        areas = np.bincount(labels.ravel())[1:] * pixel_mm2
        peaks = np.full(len(areas) + 1, -np.inf)
        np.maximum.at(peaks, labels.ravel(), hu[k].ravel())
        # The last digit of a float sum must not decide whether four quarter-mm2 pixels are 1 mm2.
        large = areas >= MIN_AREA_MM2 - 1e-6
        weights = np.clip(np.floor(peaks[1:] / 100), 1, 4)
        total += float((areas * weights * large).sum())
        n_areas += int(large.sum())
        counted[k] = np.concatenate([[False], large])[labels]
    volume_mm3 = float(np.count_nonzero(counted) * np.prod(spacing_mm))
    return CalciumScore(total * spacing_mm[0] / 3.0, volume_mm3, n_areas), counted
