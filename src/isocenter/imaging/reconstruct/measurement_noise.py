"""How noisy a measurement is, from itself."""

import numpy as np

from isocenter.imaging.reconstruct.calibration import calibration_region, calibration_spectrum, shortest_side

# A normal variable's standard deviation over its median absolute deviation.
_MAD = 1.4826
_PATCH = 5


def estimate_noise(sinogram: np.ndarray) -> float:
    """The root mean square of the noise, in the sinogram's unit, from fourth differences along the detector.

    Each level of the signal is looked at on its own, because counting makes noise that depends on it.

    Source: median absolute deviation of the finest detail: Donoho & Johnstone, Biometrika 1994;81:425.
    """
    values = np.asarray(sinogram, np.float64)
    n_bins = values.shape[1]
    if n_bins < 5:
        return 0.0
    kernel = np.array([1.0, -4.0, 6.0, -4.0, 1.0])
    detail = sum(k * values[:, i : n_bins - 4 + i] for i, k in enumerate(kernel)) / np.sqrt(70.0)
    level = sum(values[:, i : n_bins - 4 + i] for i in range(5)) / 5
    order = np.argsort(level, axis=None)
    groups = np.array_split(np.abs(np.asarray(detail)).ravel()[order], min(12, max(1, order.size // 200)))
    return float(np.sqrt(np.mean([(_MAD * np.median(group)) ** 2 for group in groups])))


def estimate_kspace_noise(kspace: np.ndarray, mask: np.ndarray) -> float:
    """The noise in one complex sample, root mean square over coils.

    The smaller of two: the median of the samples furthest from the centre, and what patches of the fully sampled
    centre leave unexplained by each other, as coils are smooth.

    Source: a complex normal's median magnitude is sqrt(ln 2) of its root mean square; the null space of the
    calibration matrix: Uecker et al., Magn Reson Med 2014;71:990.
    """
    far = np.where(mask, _radius(mask.shape), -1.0)
    chosen = far >= np.quantile(far[mask], 0.9)
    outer = float(np.median(np.abs(kspace[:, chosen])) / np.sqrt(np.log(2.0)))
    if is_noise_bound(kspace, mask):
        return outer
    region = calibration_region(mask)
    values, _, n_patches = calibration_spectrum(kspace[:, region[0], region[1]], _PATCH)
    # Coils of a body fill the upper part of the spectrum; the weakest third is noise.
    return min(outer, float(np.sqrt(max(float(values[len(values) // 3]), 0.0) / n_patches)))


def is_noise_bound(kspace: np.ndarray, mask: np.ndarray) -> bool:
    """Whether one coil, or too few lines in the centre, let `estimate_kspace_noise` see only noise and signal far from
    the centre together: the noise is that or less."""
    return len(kspace) < 2 or shortest_side(calibration_region(mask)) < 2 * _PATCH


def spectrum_of_image(kspace: np.ndarray, mask: np.ndarray, noise: float) -> np.ndarray:
    """The expected power of an image's k-space at each place, all coils together, (rows, columns) float32.

    A smooth curve over the distance from the centre: the mean power of the samples there, without the noise's.
    """
    power = (np.abs(kspace) ** 2).sum(axis=0)
    distance = np.log1p(64 * _radius(mask.shape))
    edges = np.linspace(0, distance.max() + 1e-6, 33)
    ring = np.digitize(distance, edges) - 1
    counts = np.bincount(ring[mask], minlength=32)
    means = np.bincount(ring[mask], power[mask], minlength=32) / np.maximum(counts, 1)
    signal = np.maximum(means - len(kspace) * noise**2, 0.02 * len(kspace) * noise**2 + 1e-12 * means.max())
    known = counts > 0
    centres = (edges[:-1] + edges[1:]) / 2
    logs = np.interp(distance, centres[known], np.log(signal[known]))
    return np.asarray(np.exp(logs), np.float32)


def _radius(shape: tuple[int, ...]) -> np.ndarray:
    """Distance from the centre of k-space, 1 at the middle of its edges."""
    y, x = (np.abs(np.arange(n) - n // 2) / (n / 2) for n in shape)
    return np.asarray(np.hypot(y[:, None], x[None, :]))
