"""The inner loops of the total-variation prior, compiled."""

import numpy as np
from numba import njit


@njit(cache=True, fastmath=True, error_model="numpy")
def primal_of_dual(noisy, down, right, strength, lowest, out):  # type: ignore[no-untyped-def]
    """out = max(noisy + strength * divergence(down, right), lowest); the strength is a map."""
    rows, columns = noisy.shape
    for i in range(rows):
        for j in range(columns):
            flow = down[i, j] + right[i, j]
            if i > 0:
                flow -= down[i - 1, j]
            if j > 0:
                flow -= right[i, j - 1]
            out[i, j] = max(noisy[i, j] + strength[i, j] * flow, lowest)


@njit(cache=True, fastmath=True, error_model="numpy")
def dual_step(image, ahead, before, strength, momentum):  # type: ignore[no-untyped-def]
    """One step of the dual field along the image's gradient, kept inside unit discs, with momentum.

    ahead, before   (2, rows, columns): the extrapolated field and the last one, both changed in place
    The step is 1 / (8 * strength), the largest strength of a pixel and its two neighbours.
    """
    rows, columns = image.shape
    for i in range(rows):
        for j in range(columns):
            down = ahead[0, i, j]
            right = ahead[1, i, j]
            most = strength[i, j]
            if i + 1 < rows:
                most = max(most, strength[i + 1, j])
            if j + 1 < columns:
                most = max(most, strength[i, j + 1])
            step = np.float32(0.125) / max(most, np.float32(1e-30))
            if i + 1 < rows:
                down += step * (image[i + 1, j] - image[i, j])
            if j + 1 < columns:
                right += step * (image[i, j + 1] - image[i, j])
            size = max(np.float32(1), np.sqrt(down * down + right * right))
            down, right = down / size, right / size
            if i + 1 == rows:
                down = np.float32(0)
            if j + 1 == columns:
                right = np.float32(0)
            ahead[0, i, j] = down + momentum * (down - before[0, i, j])
            ahead[1, i, j] = right + momentum * (right - before[1, i, j])
            before[0, i, j] = down
            before[1, i, j] = right
