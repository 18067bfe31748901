"""Means over a ball around many voxels."""

import numpy as np
from numba import njit


@njit(cache=True)
def ball_means(image: np.ndarray, places: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The mean of the image's voxels in a ball around each place.

    places    (n, 3) indices
    columns   (m, 3): slice offset, row offset, half length along columns; what leaves the image does not count
    """
    slices, rows, width = image.shape
    sums = np.zeros((slices, rows, width + 1))
    for k in range(slices):
        for j in range(rows):
            for i in range(width):
                sums[k, j, i + 1] = sums[k, j, i] + image[k, j, i]
    means = np.empty(len(places))
    for n in range(len(places)):
        total, count = 0.0, 0
        for m in range(len(columns)):
            k, j = places[n, 0] + columns[m, 0], places[n, 1] + columns[m, 1]
            if k < 0 or j < 0 or k >= slices or j >= rows:
                continue
            low = max(places[n, 2] - columns[m, 2], 0)
            high = min(places[n, 2] + columns[m, 2] + 1, width)
            total += sums[k, j, high] - sums[k, j, low]
            count += high - low
        means[n] = total / count
    return means
