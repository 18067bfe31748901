"""How an MR scanner turns an image into k-space, as linear operators with their exact transposes."""

import numpy as np

from isocenter.core.errors import InputError


def to_kspace(image: np.ndarray) -> np.ndarray:
    """The centred orthonormal Fourier transform over the last two axes."""
    from scipy import fft

    moved = fft.ifftshift(image, axes=(-2, -1))
    return np.asarray(fft.fftshift(fft.fft2(moved, norm="ortho", workers=2), axes=(-2, -1)))


def to_image(kspace: np.ndarray) -> np.ndarray:
    """The inverse, and transpose, of `to_kspace`."""
    from scipy import fft

    moved = fft.ifftshift(kspace, axes=(-2, -1))
    return np.asarray(fft.fftshift(fft.ifft2(moved, norm="ortho", workers=2), axes=(-2, -1)))


class MultiCoilFourier:
    """Sampled k-space of an image seen by several coils.

    mask            (rows, columns), 1 where k-space is measured
    sensitivities   (coils, rows, columns), complex

    Source: Pruessmann et al., Magn Reson Med 1999;42:952, eq. 1.
    """

    def __init__(self, mask: np.ndarray, sensitivities: np.ndarray) -> None:
        if sensitivities.ndim != 3 or sensitivities.shape[1:] != mask.shape:
            raise InputError(
                f"coils: expected sensitivities (coils, {mask.shape[0]}, {mask.shape[1]}), got {sensitivities.shape}"
            )
        self._mask = mask.astype(bool)
        self._sensitivities = sensitivities

    @property
    def domain_shape(self) -> tuple[int, ...]:
        """(rows, columns)."""
        return self._mask.shape

    @property
    def range_shape(self) -> tuple[int, ...]:
        """(coils, rows, columns)."""
        return self._sensitivities.shape

    def forward(self, image: np.ndarray) -> np.ndarray:
        """The k-space of each coil, zero where nothing is measured."""
        return np.asarray(to_kspace(self._sensitivities * image) * self._mask)

    def adjoint(self, data: np.ndarray) -> np.ndarray:
        """The coils' images of the measured samples, each times its conjugate sensitivity, summed."""
        return np.asarray((self._sensitivities.conj() * to_image(data * self._mask)).sum(axis=0))
