"""What nuclear medicine reads from a lesion in a PET image of standardised uptake values."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask

# A ball of one millilitre.
_PEAK_RADIUS_MM = (3 * 1000 / (4 * np.pi)) ** (1 / 3)
_SUBSAMPLES = 9


@dataclass(frozen=True, slots=True)
class Peak:
    """The brightest millilitre.

    place    (k, j, i) of its centre
    spread   what the mean may miss because centres are tried a voxel apart
    """

    value: float
    spread: float
    place: tuple[int, int, int]


def find_peak(array: np.ndarray, mask: Mask) -> Peak:
    """The highest mean over a ball of 1 ml whose centre lies in a voxel of the mask (SUVpeak).

    array   on the mask's grid, finite

    Between two centres a smooth mean is highest at most half a voxel away, where a parabola has lost a quarter of what
    it loses at the next voxel: that is the spread.

    A voxel that the ball cuts counts by the share of it that lies inside; the ball may reach beyond the mask, and
    what would lie beyond the image does not count.

    Raises InputError for an empty mask, UnknownSpacingError where the image states no pixel size.
    Source: Wahl RL et al. J Nucl Med 2009;50(Suppl 1):122S-150S (PERCIST): a sphere of about 1 cm3.
    """
    from scipy.signal import fftconvolve

    spacing = tuple(float(step) for step in mask.grid.spacing_mm)
    weights = ball_weights(spacing, float(_PEAK_RADIUS_MM))
    if not mask.array.any():
        raise InputError("peak: expected a mask with voxels in it, got an empty one")
    reach = [size // 2 for size in weights.shape]
    box = []
    for axis, margin in enumerate(reach):
        places = np.flatnonzero(mask.array.any(axis=tuple(other for other in range(3) if other != axis)))
        # One voxel more than the ball needs, for the means around the highest.
        box.append(slice(max(int(places[0]) - margin - 1, 0), int(places[-1]) + 2 + margin))
    part = array[tuple(box)].astype(np.float64)
    # The ball is symmetric, so that convolution is correlation.
    total = fftconvolve(np.pad(part, [(margin, margin) for margin in reach]), weights, mode="valid")
    weight = fftconvolve(np.pad(np.ones_like(part), [(margin, margin) for margin in reach]), weights, mode="valid")
    means = total / weight
    index = np.unravel_index(int(np.argmax(np.where(mask.array[tuple(box)], means, -np.inf))), means.shape)
    around = means[tuple(slice(max(int(n) - 1, 0), int(n) + 2) for n in index)]
    value = float(means[index])
    place = tuple(int(n) + side.start for n, side in zip(index, box, strict=True))
    return Peak(value, float(np.abs(around - value).max()) / 4, (place[0], place[1], place[2]))


@cache
def ball_weights(spacing_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    """The share of each voxel that lies inside a ball around the middle one; odd sizes along the three axes."""
    offsets = (np.arange(_SUBSAMPLES) + 0.5) / _SUBSAMPLES - 0.5
    squares = []
    for step in spacing_mm:
        n_beside = int(np.ceil(radius_mm / step - 0.5)) if radius_mm > step / 2 else 0
        places = (np.arange(-n_beside, n_beside + 1)[:, None] + offsets) * step
        squares.append(places.ravel() ** 2)
    inside = squares[0][:, None, None] + squares[1][None, :, None] + squares[2] <= radius_mm**2
    sizes = [len(square) // _SUBSAMPLES for square in squares]
    parts = inside.reshape(sizes[0], _SUBSAMPLES, sizes[1], _SUBSAMPLES, sizes[2], _SUBSAMPLES)
    weights = parts.mean(axis=(1, 3, 5))
    weights.setflags(write=False)
    return np.asarray(weights)


def metabolic_volume_ml(array: np.ndarray, mask: Mask, *, share_of_max: float = 0.41) -> float:
    """Volume of the mask's voxels at or above a share of its highest value (MTV), in millilitres.

    Source: 41 % of SUVmax, Boellaard R et al. Eur J Nucl Med Mol Imaging 2015;42:328-354 (EANM guideline 2.0).
    """
    return metabolic_mask(array, mask, share_of_max=share_of_max).volume_ml


def total_glycolysis_g(array: np.ndarray, mask: Mask) -> float:
    """Total lesion glycolysis in grams: mean SUV (g/ml) times volume (ml) of the mask. 0 for an empty mask."""
    return float(array[mask.array].astype(np.float64).sum()) * mask.grid.voxel_volume_ml


def metabolic_mask(array: np.ndarray, mask: Mask, *, share_of_max: float = 0.41) -> Mask:
    """The mask's voxels at or above a share of its highest value. Raises InputError for an empty mask."""
    if not mask.array.any():
        raise InputError("metabolic volume: expected a mask with voxels in it, got an empty one")
    if not 0 < share_of_max <= 1:
        raise InputError(f"metabolic volume: expected a share of the maximum in (0, 1], got {share_of_max}")
    return Mask(mask.array & (array >= share_of_max * float(array[mask.array].max())), mask.grid)
