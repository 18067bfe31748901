"""The Fourier transform at any frequencies, by gridding: an operator with an exact transpose.

Source: Kaiser-Bessel gridding: Jackson et al., IEEE Trans Med Imaging 1991;10:473; kernel shape: Beatty et al., IEEE
Trans Med Imaging 2005;24:799.
"""

import numpy as np

from isocenter.core.errors import InputError

_WIDTH = 6
_OVERSAMPLING = 2


class NonCartesianFourier:
    """Samples sum(image * exp(-2 pi i (f_row * row + f_column * column))), rows and columns from the image's centre.

    frequencies   (samples, 2), along rows and columns (downwards and to the right), cycles per pixel in [-0.5, 0.5]
    size          rows and columns of the image; the centre is ((rows - 1) / 2, (columns - 1) / 2)
    """

    def __init__(self, frequencies: np.ndarray, size: tuple[int, int]) -> None:
        if frequencies.ndim != 2 or frequencies.shape[1] != 2 or np.abs(frequencies).max(initial=0) > 0.5 + 1e-9:
            raise InputError(
                f"frequencies: expected (samples, 2) within half a cycle per pixel, got {frequencies.shape}"
            )
        self._size = size
        self._grid = tuple(_OVERSAMPLING * n for n in size)
        self._places = frequencies * np.array(self._grid) + np.array(self._grid) // 2
        # The transform below is about index n // 2; the image's centre may lie half a pixel before it.
        shift = np.array([(n - 1) / 2 - n // 2 for n in size])
        self._phase = np.exp(2j * np.pi * (frequencies @ shift)).astype(np.complex64)
        ratio = _WIDTH / _OVERSAMPLING * (_OVERSAMPLING - 0.5)
        self._beta = float(np.pi * np.sqrt(ratio**2 - 0.8))
        self._roll_off = np.outer(*(self._kernel_transform(n) for n in size)).astype(np.float32)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        """(rows, columns)."""
        return self._size

    @property
    def range_shape(self) -> tuple[int, ...]:
        """(samples,)."""
        return (len(self._places),)

    def forward(self, image: np.ndarray) -> np.ndarray:
        """The samples of an image, (samples,) complex."""
        from scipy import fft

        from isocenter.imaging.reconstruct.kernels_grid import gather

        padded = np.zeros(self._grid, np.result_type(image.dtype, np.complex64))
        padded[self._inside()] = image / self._roll_off
        spectrum = fft.fftshift(fft.fft2(fft.ifftshift(padded), workers=2))
        return np.asarray(gather(spectrum, self._places, _WIDTH, self._beta) * self._phase)

    def adjoint(self, data: np.ndarray) -> np.ndarray:
        """The conjugate transpose: the image that the samples' waves sum up to, (rows, columns) complex."""
        from scipy import fft

        from isocenter.imaging.reconstruct.kernels_grid import spread

        spectrum = np.zeros(self._grid, np.result_type(data.dtype, np.complex64))
        spread(data * self._phase.conj(), self._places, _WIDTH, self._beta, spectrum)
        image = fft.fftshift(fft.ifft2(fft.ifftshift(spectrum), norm="forward", workers=2))
        return np.asarray(image[self._inside()] / self._roll_off)

    def _inside(self) -> tuple[slice, slice]:
        """Where the image lies on the padded grid: index n // 2 of both coincide."""
        low = [big // 2 - n // 2 for big, n in zip(self._grid, self._size, strict=True)]
        return slice(low[0], low[0] + self._size[0]), slice(low[1], low[1] + self._size[1])

    def _kernel_transform(self, n: int) -> np.ndarray:
        """What the kernel does along one axis of the image."""
        x = (np.arange(n) - n // 2) / (_OVERSAMPLING * n)
        root = np.sqrt(((np.pi * _WIDTH * x) ** 2 - self._beta**2).astype(complex))
        return np.asarray((np.sin(root) / root).real)
