"""Images from k-space that was not sampled in full: zero filling and CG-SENSE."""

import numpy as np

from isocenter.imaging.reconstruct.measurement_noise import estimate_kspace_noise, spectrum_of_image
from isocenter.imaging.reconstruct.operators import normal
from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier, to_image, to_kspace
from isocenter.imaging.reconstruct.scans import KspaceScan
from isocenter.imaging.reconstruct.sensitivities import coil_maps, combine_coils
from isocenter.imaging.reconstruct.solvers import conjugate_gradients


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
                     place of k-space, both taken from the data (a Wiener estimate)

    Source: Pruessmann et al., Magn Reson Med 2001;46:638.
    """
    maps = coil_maps(scan)
    operator = MultiCoilFourier(scan.mask, maps)
    energy = (np.abs(maps) ** 2).sum(axis=0)
    if regularisation is None:
        noise = estimate_kspace_noise(scan.kspace, scan.mask)
        spectrum = spectrum_of_image(scan.kspace, scan.mask, noise) / np.mean(energy[energy > 0])
        penalty = (noise**2 / spectrum).astype(np.float32)
    else:
        penalty = np.full(scan.mask.shape, regularisation * energy.max(), np.float32)
    # In k-space, and scaled so that the penalty alone would be one: the iterations then need no more than without it.
    scale = 1 / np.sqrt(np.float32(energy.max()) + penalty)

    def apply(u: np.ndarray) -> np.ndarray:
        seen = to_kspace(normal(operator, to_image(scale * u)))
        return np.asarray(scale * (seen + penalty * (scale * u)))

    right = scale * to_kspace(operator.adjoint(scan.kspace))
    image = to_image(scale * conjugate_gradients(apply, right, n_iterations=iterations))
    return np.asarray(np.abs(image), np.float32)
