"""Edges in two and three dimensions: Canny, and zero crossings of the Laplacian of a Gaussian."""

from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.imaging.segment.gradients import blur, gradient
from isocenter.imaging.segment.inputs import gray_array, relative_steps, sigma_in_steps
from isocenter.imaging.segment.threshold import hysteresis, otsu_limit

# Width of the blur in finest steps where none is given.
_SIGMA: Final = 1.5
# The lower limit in parts of the upper one. Source: Canny 1986, section VIII, advises a ratio between 2 and 3.
_LOW: Final = 0.4


def find_edges(
    volume: Volume,
    *,
    method: Literal["canny", "log"] = "canny",
    sigma_mm: float | None = None,
    low: float | None = None,
    high: float | None = None,
) -> np.ndarray:
    """The voxels on edges, bool, one voxel thick.

    method      "canny", or "log": zero crossings of the Laplacian of a Gaussian that are steep enough
    sigma_mm    of the Gaussian; 1.5 of the finest steps where not given
    low, high   limits of the gradient (intensity per finest step): a voxel above `high` starts an edge, one above
                `low` continues it. Where not given, Otsu's limit of the ridges parts edges from noise, and 0.4 of it

    Raises InputError for low > high; a constant image has no edge.
    Source: Canny J. IEEE PAMI 1986;8(6):679-698. Marr D, Hildreth E. Proc R Soc Lond B 1980;207:187-217.
    """
    array = gray_array(volume)
    if not array.size or array.min() == array.max():
        return np.zeros(array.shape, dtype=np.bool_)
    steps = relative_steps(volume)
    smooth = blur(array, sigma=sigma_in_steps(volume, sigma_mm, _SIGMA), steps=steps)
    slopes = gradient(smooth, steps=steps)
    steepness = np.asarray(np.sqrt(np.einsum("akji,akji->kji", slopes, slopes)))
    ridges = _ridges(steepness, slopes, steps) if method == "canny" else _crossings(smooth, steepness, steps)
    lower, upper = _limits(ridges, low, high)
    return hysteresis(ridges, low=lower, high=upper)


def _ridges(steepness: np.ndarray, slopes: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The steepness where it is greatest across the edge."""
    from isocenter.imaging.segment.edges_kernel import thin_ridges

    # A gradient lost in the rounding of the blur has no direction.
    floor = 1e-5 * float(steepness.max())
    length = np.maximum(steepness, max(floor, 1e-30))
    direction = slopes / length / np.reshape(steps, (3, 1, 1, 1)).astype(np.float32)
    return np.asarray(thin_ridges(np.where(steepness > floor, steepness, 0), direction.astype(np.float32)))


def _crossings(smooth: np.ndarray, steepness: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The steepness where the Laplacian changes its sign."""
    from isocenter.imaging.segment.edges_kernel import zero_crossings

    laplacian = np.zeros_like(smooth)
    for axis, step in enumerate(steps):
        if smooth.shape[axis] > 1:
            pads = [(1, 1) if a == axis else (0, 0) for a in range(3)]
            laplacian += np.diff(np.pad(smooth, pads, mode="edge"), n=2, axis=axis) / np.float32(step**2)
    floor = 1e-5 * float(steepness.max())
    return np.where(zero_crossings(laplacian) & (steepness > floor), steepness, np.float32(0))


def _limits(ridges: np.ndarray, low: float | None, high: float | None) -> tuple[float, float]:
    """The given limits, or those that the ridges themselves suggest."""
    if high is None:
        found = ridges[ridges > 0]
        high = 0.0 if not found.size else float(found[0]) if found.min() == found.max() else otsu_limit(found)
        high = high if low is None else max(high, low)
    low = _LOW * high if low is None else low
    if not 0 <= low <= high:
        raise InputError(f"edge: expected 0 <= low <= high, got {low:g} and {high:g}")
    return max(low, 1e-30), max(high, 1e-30)
