"""Images from k-space that was not sampled in full: zero filling and CG-SENSE."""

import numpy as np

from isocenter.imaging.reconstruct.calibration import calibration_region, shortest_side
from isocenter.imaging.reconstruct.measurement_noise import estimate_kspace_noise, spectrum_of_image
from isocenter.imaging.reconstruct.operators import normal
from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier, to_image, to_kspace
from isocenter.imaging.reconstruct.scans import KspaceScan, require_not_negative
from isocenter.imaging.reconstruct.sensitivities import coil_maps, combine_coils, low_resolution
from isocenter.imaging.reconstruct.solvers import conjugate_gradients

_LEAST_CENTRE = 8
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

    regularisation   Tikhonov weight relative to the largest coil energy. None weighs noise against signal at each
                     place of k-space and of the low-resolution image, all taken from the data (a Wiener estimate)

    Source: Pruessmann et al., Magn Reson Med 2001;46:638; prior from a low-resolution image: Lin et al., Magn Reson
    Med 2004;51:559.
    """
    require_not_negative(iterations=iterations, regularisation=regularisation)
    maps = coil_maps(scan)
    energy = (np.abs(maps) ** 2).sum(axis=0)
    largest = float(energy.max())
    if regularisation is None:
        noise = estimate_kspace_noise(scan.kspace, scan.mask)
        expected = _expected_size(scan, energy)
        spectrum = spectrum_of_image(scan.kspace, scan.mask, noise) / np.mean(
            energy[energy > 0] * expected[energy > 0] ** 2
        )
        penalty = np.asarray(noise**2 / spectrum, np.float32)
    else:
        expected = np.ones(scan.mask.shape, np.float32)
        penalty = np.full(scan.mask.shape, regularisation * largest, np.float32)
    # The unknown is the image over its expected size, in k-space, scaled so that the penalty alone would be one: the
    # iterations then need no more than without it.
    operator = MultiCoilFourier(scan.mask, maps * expected)
    scale = 1 / np.sqrt(np.float32(largest) + penalty)

    def apply(u: np.ndarray) -> np.ndarray:
        seen = to_kspace(normal(operator, to_image(scale * u)))
        return np.asarray(scale * (seen + penalty * (scale * u)))

    right = scale * to_kspace(operator.adjoint(scan.kspace))
    relative = to_image(scale * conjugate_gradients(apply, right, n_iterations=iterations))
    return np.asarray(np.abs(expected * relative), np.float32)


def _expected_size(scan: KspaceScan, energy: np.ndarray) -> np.ndarray:
    """How large the image is expected to be at each pixel, up to 1: that of the centre of k-space, and some more."""
    if shortest_side(calibration_region(scan.mask)) < _LEAST_CENTRE:
        return np.ones(scan.mask.shape, np.float32)
    coils = low_resolution(scan.kspace)
    size = np.sqrt((np.abs(coils) ** 2).sum(axis=0) / np.maximum(energy, 1e-3 * energy.max()))
    size = np.where(energy > 1e-3 * energy.max(), size, 0)
    return np.asarray(_FLOOR + (1 - _FLOOR) * size / max(float(size.max()), 1e-30), np.float32)
