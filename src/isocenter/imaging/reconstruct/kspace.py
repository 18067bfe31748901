"""Images from k-space that was not sampled in full: zero filling and CG-SENSE."""

import numpy as np

from isocenter.imaging.reconstruct.calibration import calibration_region, shortest_side
from isocenter.imaging.reconstruct.measurement_noise import estimate_kspace_noise, is_noise_bound, spectrum_of_image
from isocenter.imaging.reconstruct.operators import normal
from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier, to_image, to_kspace
from isocenter.imaging.reconstruct.scans import KspaceScan, require_not_negative
from isocenter.imaging.reconstruct.sensitivities import (
    coil_maps,
    combine_coils,
    even_maps,
    low_resolution,
    magnitude,
)
from isocenter.imaging.reconstruct.solvers import conjugate_gradients
from isocenter.imaging.reconstruct.sparsity import LEAST_NOISE, seek_noise, sparse_least_squares

_LEAST_CENTRE = 8
_PASSES = (1.0,) * 4
# Least expected size, relative to the largest: what is dark at low resolution may still hold a small bright thing.
_FLOOR = 0.2


def zero_filled(scan: KspaceScan) -> np.ndarray:
    """The magnitude image with nothing put where nothing was sampled, (rows, columns) float32.

    Coils are joined by their sensitivities where these are given, else by the root of their sum of squares.
    """
    images = to_image(scan.kspace)
    if scan.sensitivities is not None:
        return np.asarray(np.abs(combine_coils(images, scan.sensitivities)), np.float32)
    return np.asarray(np.sqrt((np.abs(images) ** 2).sum(axis=0)), np.float32)


def cg_sense(scan: KspaceScan, *, iterations: int = 40, regularisation: float | None = None) -> np.ndarray:
    """The magnitude image that fits all coils' samples best, (rows, columns) float32.

    iterations       of conjugate gradients, at most, in each solution
    regularisation   Tikhonov weight relative to the largest coil energy. None weighs noise against signal, all taken
                     from the data: first at each place of k-space and of the low-resolution image (a Wiener
                     estimate), then in each wavelet detail of the image so found, again and again

    Source: Pruessmann et al., Magn Reson Med 2001;46:638; prior from a low-resolution image: Lin et al., Magn Reson
    Med 2004;51:559; from details: `sparsity`.
    """
    require_not_negative(iterations=iterations, regularisation=regularisation)
    maps = coil_maps(scan)
    energy = (np.abs(maps) ** 2).sum(axis=0)
    if regularisation is not None:
        expected = np.ones(scan.mask.shape, np.float32)
        penalty = np.full(scan.mask.shape, regularisation * float(energy.max()), np.float32)
        return np.asarray(np.abs(_solve(scan, maps, expected, penalty, iterations)), np.float32)
    noise = estimate_kspace_noise(scan.kspace, scan.mask)
    expected = _expected_size(scan, energy)
    signal = spectrum_of_image(scan.kspace, scan.mask, noise)
    seen = energy > 0
    penalty = np.asarray(noise**2 / signal * np.mean(energy[seen] * expected[seen] ** 2), np.float32)
    first = _solve(scan, maps, expected, penalty, iterations)
    even, root = even_maps(maps)
    operator = MultiCoilFourier(scan.mask, even)
    noise = max(noise, LEAST_NOISE * float(np.abs(first * root).max()))
    image = sparse_least_squares(
        operator, scan.kspace, first * root, noise=noise, thresholds=_PASSES,
        n_iterations=max(1, iterations // 2) if iterations else 0,
    )  # fmt: skip
    if iterations and is_noise_bound(scan.kspace, scan.mask):
        n_samples = len(even) * int(np.count_nonzero(scan.mask))
        image = seek_noise(operator, scan.kspace, image, noise=noise, weight=1.0, n_samples=n_samples)
    return magnitude(image, root)


def _solve(
    scan: KspaceScan, maps: np.ndarray, expected: np.ndarray, penalty: np.ndarray, n_iterations: int
) -> np.ndarray:
    """The image that fits the samples at the least penalty, complex.

    penalty   of each frequency of the image over its expected size
    """
    # The unknown is the image over its expected size, in k-space, scaled so that the penalty alone would be one: the
    # iterations then need no more than without it.
    operator = MultiCoilFourier(scan.mask, maps * expected)
    scale = 1 / np.sqrt(np.float32((np.abs(maps) ** 2).sum(axis=0).max()) + penalty)

    def apply(u: np.ndarray) -> np.ndarray:
        seen = to_kspace(normal(operator, to_image(scale * u)))
        return np.asarray(scale * (seen + penalty * (scale * u)))

    right = scale * to_kspace(operator.adjoint(scan.kspace))
    return np.asarray(expected * to_image(scale * conjugate_gradients(apply, right, n_iterations=n_iterations)))


def _expected_size(scan: KspaceScan, energy: np.ndarray) -> np.ndarray:
    """How large the image is expected to be at each pixel, up to 1: that of the centre of k-space, and some more."""
    if shortest_side(calibration_region(scan.mask)) < _LEAST_CENTRE:
        return np.ones(scan.mask.shape, np.float32)
    coils = low_resolution(scan.kspace)
    size = np.sqrt((np.abs(coils) ** 2).sum(axis=0) / np.maximum(energy, 1e-3 * energy.max()))
    size = np.where(energy > 1e-3 * energy.max(), size, 0)
    return np.asarray(_FLOOR + (1 - _FLOOR) * size / max(float(size.max()), 1e-30), np.float32)
