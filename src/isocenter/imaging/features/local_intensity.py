"""The brightest millilitre: means over a ball of 1 ml around voxels of a region.

Source: IBSI reference manual, local intensity features (9ST6); the ball's radius is 6.2 mm, and voxels whose centre
lies within it count, those outside the region too.
"""

import numpy as np

from isocenter.imaging.features.roi import BALL_MM, Roi


def local_intensity_features(roi: Roi) -> dict[str, float]:
    """The mean around the region's maximum ("peak_loc"; the highest of several) and the highest mean ("peak_glob")."""
    if roi.spacing_mm is None:
        return {"peak_loc": np.nan, "peak_glob": np.nan}
    from isocenter.imaging.features.local_kernels import ball_means

    columns = _ball_columns(roi.spacing_mm)
    places = np.argwhere(roi.mask)
    means = ball_means(roi.image, places, columns)
    brightest = roi.values == roi.values.max()
    return {"peak_loc": float(means[brightest].max()), "peak_glob": float(means.max())}


def _ball_columns(spacing_mm: tuple[float, float, float]) -> np.ndarray:
    """The ball as runs along columns: (n, 3) of slice offset, row offset and half length in voxels."""
    dk, dj, di = spacing_mm
    reach = BALL_MM * (1 + 1e-12)
    runs = []
    for k in range(-int(reach / dk), int(reach / dk) + 1):
        for j in range(-int(reach / dj), int(reach / dj) + 1):
            left = reach**2 - (k * dk) ** 2 - (j * dj) ** 2
            if left >= 0:
                runs.append((k, j, int(np.sqrt(left) / di)))
    return np.array(runs, dtype=np.int64)
