"""How much two arrays on one grid agree: squared differences, correlation, information, edges."""

import numpy as np

from isocenter.core.errors import GeometryError, InputError
from isocenter.imaging.register.refine import information
from isocenter.imaging.smooth import smooth_gaussian


def mean_squared_difference(one: np.ndarray, other: np.ndarray, *, mask: np.ndarray | None = None) -> float:
    """The mean squared difference of the intensities; 0 for equal images."""
    a, b = _inside(one, other, mask)
    return float(np.mean((a - b) ** 2))


def correlation(one: np.ndarray, other: np.ndarray, *, mask: np.ndarray | None = None) -> float:
    """Pearson's correlation coefficient, -1 to 1; 0 where one of the two is constant."""
    a, b = _inside(one, other, mask)
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale > 0 else 0.0


def local_correlation(
    one: np.ndarray, other: np.ndarray, *, window: float = 2.0, mask: np.ndarray | None = None
) -> float:
    """The mean squared correlation of Gaussian windows, 0 to 1: a line may join the intensities anew in each place.

    window   standard deviation in voxels

    Source: Avants BB et al. Med Image Anal 2008;12(1):26-41 (cross-correlation of neighbourhoods).
    """
    _require_alike(one, other)
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    a, b = a - a.mean(), b - b.mean()

    def blur(array: np.ndarray) -> np.ndarray:
        return smooth_gaussian(array, sigma_mm=window, spacing_mm=(1.0, 1.0, 1.0)).astype(np.float64)

    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    both = blur(a * b) - mean_a * mean_b
    flat = (var_a <= 1e-6 * a.var()) | (var_b <= 1e-6 * b.var())
    shared = np.where(flat, 0.0, both**2 / np.where(flat, 1.0, var_a * var_b))
    return float(np.clip(shared, 0, 1)[slice(None) if mask is None else mask].mean())


def mutual_information(
    one: np.ndarray, other: np.ndarray, *, n_bins: int = 32, mask: np.ndarray | None = None
) -> float:
    """Mutual information in nats: 0 for independent images.

    Source: Viola P, Wells WM. Int J Comput Vis 1997;24(2):137-154.
    """
    return information(_joint(one, other, n_bins, mask))[0]


def normalised_information(
    one: np.ndarray, other: np.ndarray, *, n_bins: int = 32, mask: np.ndarray | None = None
) -> float:
    """Normalised mutual information, 1 (independent) to 2 (one determines the other).

    Source: Studholme C, Hill DLG, Hawkes DJ. Pattern Recognition 1999;32(1):71-86.
    """
    return information(_joint(one, other, n_bins, mask))[1]


def gradient_agreement(one: np.ndarray, other: np.ndarray, *, mask: np.ndarray | None = None) -> float:
    """How well the directions of the edges agree, 0 to 1, whatever their sign: the mean squared cosine, edges weighed.

    Source: Haber E, Modersitzki J. MICCAI 2006:726-733 (normalised gradient fields).
    """
    _require_alike(one, other)
    free = [axis for axis in range(one.ndim) if one.shape[axis] > 1]
    a, b = (np.stack([np.gradient(np.asarray(x, dtype=np.float64), axis=n) for n in free]) for x in (one, other))
    weight = np.sqrt((a**2).sum(0) * (b**2).sum(0))
    cosine = (a * b).sum(0)
    inside = slice(None) if mask is None else mask
    total = weight[inside].sum()
    if total <= 0:
        return 0.0
    shared = np.divide(cosine**2, weight, out=np.zeros_like(weight), where=weight > 0)
    return float(shared[inside].sum() / total)


def _joint(one: np.ndarray, other: np.ndarray, n_bins: int, mask: np.ndarray | None) -> np.ndarray:
    if n_bins < 2:
        raise InputError(f"mutual information: expected at least 2 bins, got {n_bins}")
    a, b = _inside(one, other, mask)
    return np.asarray(np.histogram2d(a, b, bins=n_bins)[0])


def _inside(one: np.ndarray, other: np.ndarray, mask: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The finite values of both inside the mask, flat."""
    _require_alike(one, other)
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    known = np.isfinite(a) & np.isfinite(b)
    if mask is not None:
        known &= mask
    if not known.any():
        raise InputError("similarity: expected voxels to compare, got none that are finite and inside the mask")
    return a[known], b[known]


def _require_alike(one: np.ndarray, other: np.ndarray) -> None:
    if one.shape != other.shape:
        raise GeometryError(f"similarity: expected two arrays of one shape, got {one.shape} and {other.shape}")
