"""What each coil sees of the body, from the centre of k-space; and coil images made one."""

import numpy as np

from isocenter.core.errors import LimitError
from isocenter.imaging.reconstruct.calibration import calibration_region, calibration_spectrum, shortest_side
from isocenter.imaging.reconstruct.operators_mri import to_image
from isocenter.imaging.reconstruct.scans import KspaceScan

_KERNEL = 6
_MAX_PAIRS = 2**28
# Of the largest sum of squares: less is nothing seen.
_SEEN = 1e-6


def coil_maps(scan: KspaceScan, *, least_strength: float = 0.5) -> np.ndarray:
    """The sensitivities: given, or estimated from the calibration region; (coils, rows, columns) complex64.

    least_strength   estimated maps are zero where the calibration explains less of the signal than this, 0 to 1:
                     outside the body; where they are not, their squares sum to one

    Raises LimitError where their estimate would need more than about 4 GiB.
    """
    if scan.sensitivities is not None:
        return scan.sensitivities
    if scan.is_single_coil:
        return np.ones_like(scan.kspace)
    region = calibration_region(scan.mask)
    if shortest_side(region) < _KERNEL + 2 or min(scan.mask.shape) < 2 * _KERNEL:
        return smooth_maps(scan.kspace)
    if len(scan.kspace) * scan.kspace.size > _MAX_PAIRS:
        raise LimitError(
            f"sensitivities: expected at most {_MAX_PAIRS} pairs of coils times pixels to estimate them, got "
            f"{len(scan.kspace)} coils of {scan.mask.shape}; give sensitivities, or fewer (compressed) coils"
        )
    return espirit_maps(scan.kspace, region, least_strength)


def smooth_maps(kspace: np.ndarray) -> np.ndarray:
    """Sensitivities as the coils' low-resolution images over their root sum of squares; all alike where these hold
    nothing."""
    low = low_resolution(kspace)
    size = np.sqrt((np.abs(low) ** 2).sum(axis=0))
    if not size.max() > 0:
        return np.full(kspace.shape, len(kspace) ** -0.5, np.complex64)
    return np.asarray(low / np.maximum(size, 1e-6 * size.max()), np.complex64)


def low_resolution(kspace: np.ndarray) -> np.ndarray:
    """The coils' images from the centre of k-space alone, under a Gaussian of 6 % of its width; complex."""
    y, x = (np.abs(np.arange(n) - n // 2) / (n / 2) for n in kspace.shape[1:])
    return to_image(kspace * np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * 0.06**2)).astype(np.float32))


def espirit_maps(kspace: np.ndarray, region: tuple[slice, slice], least_strength: float) -> np.ndarray:
    """Sensitivities as the eigenvectors of what neighbours in k-space say of each other.

    Source: Uecker et al., Magn Reson Med 2014;71:990 (ESPIRiT), one map.
    """
    rows, columns = kspace.shape[1:]
    kernels = _signal_kernels(kspace[:, region[0], region[1]])
    maps, strength = _dominant(_kernel_products(kernels, (rows, columns)))
    maps = maps * np.exp(-1j * np.angle(maps[..., :1]))
    maps[strength < least_strength] = 0
    return np.ascontiguousarray(np.moveaxis(maps, -1, 0), np.complex64)


def _signal_kernels(calibration: np.ndarray) -> np.ndarray:
    """Orthonormal kernels that span the calibration data, (kernels, coils, k, k), without the noise's."""
    values, vectors, _ = calibration_spectrum(calibration, _KERNEL)
    floor = np.median(values[: max(1, len(values) // 4)])
    kept = values > max(0.02**2 * values[-1], 4 * floor)
    return np.asarray(vectors[:, kept].conj().T.reshape(-1, len(calibration), _KERNEL, _KERNEL))


def _kernel_products(kernels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """At each pixel the sum over kernels of their images' outer products, (rows, columns, coils, coils)."""
    n_coils = kernels.shape[1]
    rows, columns = size
    # The sum over kernels is a correlation of (2k-1)² taps: one transform for each pair of coils, not per kernel.
    small = 2 * _KERNEL - 1
    spectra = np.fft.fft2(kernels, (small, small))
    out = np.empty((rows, columns, n_coils, n_coils), np.complex64)
    for one in range(n_coils):
        for two in range(n_coils):
            taps = np.fft.ifft2((spectra[:, one] * spectra[:, two].conj()).sum(axis=0))
            taps = np.roll(taps, (_KERNEL - 1, _KERNEL - 1), axis=(0, 1))
            padded = np.zeros(size, np.complex64)
            top, left = rows // 2 - (_KERNEL - 1), columns // 2 - (_KERNEL - 1)
            padded[top : top + small, left : left + small] = taps
            out[:, :, one, two] = to_image(padded) * np.float32(np.sqrt(rows * columns) / _KERNEL**2)
    return out


def _dominant(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The eigenvector of the largest eigenvalue at each pixel, and that value."""
    values, vectors = np.linalg.eigh(matrices)
    return vectors[..., -1], values[..., -1]


def combine_coils(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """The one image that the coils' images fit best, complex; zero where no coil sees anything."""
    energy = (np.abs(maps) ** 2).sum(axis=0)
    summed = (maps.conj() * images).sum(axis=0)
    seen = energy > _SEEN * energy.max()
    return np.asarray(np.divide(summed, energy, out=np.zeros_like(summed), where=seen))


def even_maps(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sensitivities over the root of their sum of squares, and that root, (rows, columns).

    What they see is then the image times the root, with noise alike everywhere, whatever the coils' scale and
    shading. Zero where no coil sees anything.
    """
    energy = (np.abs(maps) ** 2).sum(axis=0)
    root = np.sqrt(np.maximum(energy, _SEEN * energy.max())).astype(np.float32)
    return np.asarray(np.where(energy > _SEEN * energy.max(), maps / root, 0), np.complex64), root


def magnitude(image: np.ndarray, root: np.ndarray) -> np.ndarray:
    """The magnitude of an image that was found with `even_maps`, (rows, columns) float32; zero where nothing is
    seen."""
    seen = root > 1.001 * np.sqrt(_SEEN) * root.max()
    return np.asarray(np.where(seen, np.abs(image) / root, 0), np.float32)
