"""Compressed sensing: an image from few, irregular samples of k-space by the sparsity of its wavelets."""

import numpy as np

from isocenter.imaging.reconstruct.measurement_noise import estimate_kspace_noise, is_noise_bound
from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier
from isocenter.imaging.reconstruct.priors import Prior
from isocenter.imaging.reconstruct.scans import KspaceScan, require_not_negative
from isocenter.imaging.reconstruct.sensitivities import coil_maps, even_maps, magnitude
from isocenter.imaging.reconstruct.solvers import proximal_gradient
from isocenter.imaging.reconstruct.sparsity import LEAST_NOISE, seek_noise, sparse_least_squares

# The first threshold, relative to the largest value; from there down to the noise in even steps of its logarithm.
_FIRST = 0.05
_LAST_PASSES = 3
_STEPS = 12
# Strength of a prior of the caller's, in units of the misfit that is left (own measurement with wavelets).
_PIVOT = 0.6


def cs(scan: KspaceScan, *, weight: float = 1.0, iterations: int = 8) -> np.ndarray:
    """The magnitude image with few wavelet details that explains the samples, (rows, columns) float32.

    weight       of the details against the misfit; 1 weighs them by the noise found in the data
    iterations   re-weightings, each solved by conjugate gradients; more follow where the noise has to be sought in the
                 misfit: with one coil, or without calibration lines

    Source: Lustig, Donoho & Pauly, Magn Reson Med 2007;58:1182; sparser by re-weighting: Candès, Wakin & Boyd, J
    Fourier Anal Appl 2008;14:877.
    """
    require_not_negative(weight=weight, iterations=iterations)
    even, root = even_maps(coil_maps(scan))
    operator = MultiCoilFourier(scan.mask, even)
    start = operator.adjoint(scan.kspace)
    largest = float(np.abs(start).max())
    noise = max(estimate_kspace_noise(scan.kspace, scan.mask), LEAST_NOISE * largest)
    first = max(1.0, _FIRST * largest / max(weight * noise, LEAST_NOISE * largest))
    falling = np.geomspace(first, 1.0, max(1, int(iterations) - _LAST_PASSES + 1))
    thresholds = [*falling, *[1.0] * _LAST_PASSES][: int(iterations)]
    image = sparse_least_squares(
        operator, scan.kspace, start, noise=weight * noise, thresholds=thresholds, n_iterations=_STEPS
    )  # fmt: skip
    if thresholds and weight and is_noise_bound(scan.kspace, scan.mask):
        n_samples = len(even) * int(np.count_nonzero(scan.mask))
        image = seek_noise(operator, scan.kspace, image, noise=noise, weight=weight, n_samples=n_samples)
    return magnitude(image, root)


def reconstruct_with_prior(
    scan: KspaceScan, prior: Prior, *, weight: float | None = None, iterations: int = 80
) -> np.ndarray:
    """The magnitude image that explains the samples and pleases a prior, any function (image, strength) -> image.

    weight   of the prior against the squared misfit; None follows the misfit that is left
    """
    require_not_negative(weight=weight, iterations=iterations)
    # Maps cut outside the body would leave the noise there to be explained by the body.
    even, root = even_maps(coil_maps(scan, least_strength=0.0))
    operator = MultiCoilFourier(scan.mask, even)
    n_samples = len(even) * int(np.count_nonzero(scan.mask))

    def strength(rest: np.ndarray) -> float:
        return float(_PIVOT * np.sqrt(np.sum(np.abs(rest) ** 2) / n_samples))

    image = proximal_gradient(
        operator, scan.kspace, prior,
        strength=strength if weight is None else weight, start=operator.adjoint(scan.kspace), n_iterations=iterations,
    )  # fmt: skip
    return magnitude(image, root)
