"""First derivatives of a smoothed volume, per finest step, so that thick slices do not look steep."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from isocenter.imaging.smooth import smooth_gaussian

_MOST_STEP: Final = 2.0


def blur(array: np.ndarray, *, sigma: float, steps: Sequence[float] | np.ndarray) -> np.ndarray:
    """The array blurred by a Gaussian whose width and the steps share a unit, float32."""
    # An axis of one voxel has nothing to blur with.
    wide = [float(step) if size > 1 else 1e6 for step, size in zip(steps, array.shape, strict=True)]
    return smooth_gaussian(array, sigma_mm=sigma, spacing_mm=wide)


def gradient(array: np.ndarray, *, steps: Sequence[float] | np.ndarray) -> np.ndarray:
    """Central differences along (slices, rows, columns) in intensity per unit of the steps, float32, (3, …)."""
    parts = np.zeros((3, *array.shape), dtype=np.float32)
    values = np.asarray(array, dtype=np.float32)
    for axis, step in enumerate(steps):
        if array.shape[axis] > 1:
            parts[axis] = np.gradient(values, float(step), axis=axis)
    return parts


def gradient_magnitude(array: np.ndarray, *, sigma: float, steps: Sequence[float] | np.ndarray) -> np.ndarray:
    """How steep the blurred intensities are, float32; sigma and steps in the same unit, the finest step 1."""
    # An edge falls between two slices however thick they are: there it is as steep as between few.
    near = np.minimum(np.asarray(steps, dtype=np.float64), _MOST_STEP)
    parts = gradient(blur(array, sigma=sigma, steps=steps), steps=near)
    return np.asarray(np.sqrt(np.einsum("akji,akji->kji", parts, parts)))
