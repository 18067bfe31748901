"""How close an image comes to a reference (MSE, PSNR, SSIM), and how much of it is signal (SNR, CNR)."""

from typing import Final, Literal

import numpy as np

from isocenter.core.errors import InputError

SsimWindow = Literal["gaussian", "uniform"]
# Wang et al. 2004, section III-B: stabilising constants, and the window's standard deviation in pixels.
_K1: Final = 0.01
_K2: Final = 0.03
_SIGMA: Final = 1.5
_RADIUS: Final = 5
_UNIFORM_SIDE: Final = 7


def mse(reference: np.ndarray, image: np.ndarray) -> float:
    """Mean squared difference, in the square of the images' unit.

    >>> mse(np.array([[0.0, 2.0]]), np.array([[0.0, 0.0]]))
    2.0

    Raises InputError for two shapes, no voxels, or values that are not finite.
    """
    reference, image = _pair(reference, image)
    return float(np.mean((reference - image) ** 2))


def psnr(reference: np.ndarray, image: np.ndarray, *, data_range: float | None = None) -> float:
    """Peak signal-to-noise ratio in decibels; infinite for equal images.

    data_range   the peak: largest minus smallest possible value; None takes the reference's own

    >>> round(psnr(np.array([[0.0, 1.0]]), np.array([[0.1, 0.9]])), 6)
    20.0

    Raises InputError as `mse` does, and where the range is not positive.
    Source: 10 log10(range^2 / MSE), as in Wang Z, Bovik AC. IEEE Signal Process Mag 2009;26(1):98-117, equation 2.
    """
    reference, image = _pair(reference, image)
    span = _span(reference, data_range)
    error = float(np.mean((reference - image) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(span * span / error))


def ssim(
    reference: np.ndarray,
    image: np.ndarray,
    *,
    data_range: float | None = None,
    window: SsimWindow = "gaussian",
    sample_covariance: bool = False,
) -> float:
    """Mean structural similarity of two gray images or volumes, at most 1 (equal images).

    The mean leaves out half a window at the border. Axes of length one are dropped; two- and three-dimensional
    windows follow the axes that remain. Colour is compared channel by channel by the caller.

    data_range          largest minus smallest possible value; None takes the reference's own
    window              "gaussian": 11 wide, sigma 1.5 (the paper's); "uniform": 7 wide
    sample_covariance   divide by N - 1, not N, in the local variances (scikit-image's default; the paper's is N)

    Raises InputError as `psnr` does, and where an axis is shorter than the window.
    Source: Wang Z, Bovik AC, Sheikh HR, Simoncelli EP. IEEE Trans Image Process 2004;13(4):600-612, equation 13.
    """
    values = ssim_map(reference, image, data_range=data_range, window=window, sample_covariance=sample_covariance)
    rim = _RADIUS if window == "gaussian" else _UNIFORM_SIDE // 2
    inner = tuple(slice(rim, size - rim) if size > 1 else slice(None) for size in values.shape)
    return float(values[inner].mean())


def ssim_map(
    reference: np.ndarray,
    image: np.ndarray,
    *,
    data_range: float | None = None,
    window: SsimWindow = "gaussian",
    sample_covariance: bool = False,
) -> np.ndarray:
    """Structural similarity around each voxel, same shape as the images; parameters as in `ssim`."""
    reference, image = _pair(reference, image)
    shape = reference.shape
    a, b = reference.squeeze(), image.squeeze()
    side = 2 * _RADIUS + 1 if window == "gaussian" else _UNIFORM_SIDE
    if a.ndim not in (2, 3) or min(a.shape) < side:
        raise InputError(
            f"SSIM: expected a gray image or volume of at least {side} voxels along each axis, got {shape}; "
            "compare slices or colour channels one by one"
        )
    span = _span(reference, data_range)
    mean_a, mean_b = _local_mean(a, window), _local_mean(b, window)
    n_in_window = side**a.ndim
    norm = n_in_window / (n_in_window - 1) if sample_covariance else 1.0
    variance_a = norm * (_local_mean(a * a, window) - mean_a * mean_a)
    variance_b = norm * (_local_mean(b * b, window) - mean_b * mean_b)
    covariance = norm * (_local_mean(a * b, window) - mean_a * mean_b)
    c1, c2 = (_K1 * span) ** 2, (_K2 * span) ** 2
    numerator = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    denominator = (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return np.asarray((numerator / denominator).reshape(shape))


def snr(image: np.ndarray, region: np.ndarray) -> float:
    """Mean over standard deviation in a region that should be uniform.

    region   bool, where to look; at least two voxels

    >>> float(snr(np.array([9.0, 11.0]), np.array([True, True])))
    10.0

    Raises InputError for a region that is empty, of another shape, or without any noise.
    """
    values = _region_values(image, region, "region")
    noise = float(values.std())
    if noise == 0:
        raise InputError("SNR: expected noise in the region, all its values are equal; choose a measured region")
    return float(abs(values.mean()) / noise)


def cnr(image: np.ndarray, region: np.ndarray, background: np.ndarray) -> float:
    """Difference of two regions' means over the standard deviation of the background.

    region, background   bool, on the image's grid; at least two voxels each

    Raises InputError as `snr` does.
    """
    values = _region_values(image, region, "region")
    behind = _region_values(image, background, "background")
    noise = float(behind.std())
    if noise == 0:
        raise InputError("CNR: expected noise in the background, all its values are equal; choose a measured region")
    return float(abs(values.mean() - behind.mean()) / noise)


def _pair(reference: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 of one shape."""
    if reference.shape != image.shape or not reference.size:
        raise InputError(f"image comparison: expected two images of one shape, got {reference.shape} and {image.shape}")
    a, b = np.asarray(reference, dtype=np.float64), np.asarray(image, dtype=np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("image comparison: expected finite values, got NaN or infinity; mask or replace them first")
    return a, b


def _span(reference: np.ndarray, data_range: float | None) -> float:
    span = float(reference.max() - reference.min()) if data_range is None else float(data_range)
    if not (np.isfinite(span) and span > 0):
        raise InputError(f"data range: expected a positive number, got {span}; a constant reference needs data_range")
    return span


def _local_mean(values: np.ndarray, window: SsimWindow) -> np.ndarray:
    from scipy import ndimage

    if window == "uniform":
        return np.asarray(ndimage.uniform_filter(values, size=_UNIFORM_SIDE))
    return np.asarray(ndimage.gaussian_filter(values, _SIGMA, radius=_RADIUS))


def _region_values(image: np.ndarray, region: np.ndarray, name: str) -> np.ndarray:
    if region.shape != image.shape or region.dtype != np.bool_ or np.count_nonzero(region) < 2:
        raise InputError(
            f"{name}: expected a bool mask of shape {image.shape} with at least two voxels, "
            f"got {region.dtype} {region.shape} with {np.count_nonzero(region)}"
        )
    values = np.asarray(image[region], dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{name}: expected finite values, got NaN or infinity; choose another region")
    return values
