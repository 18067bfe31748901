"""How a scanner turns an image into numbers, as linear operators with their exact transposes.

To add one: a class with `domain_shape`, `range_shape`, `forward` and `adjoint` that passes the three laws (linear,
adjoint, normal) of `tests/imaging/reconstruct/test_operators.py`.
"""

from typing import Protocol

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.geometry import ScanGeometry


class LinearOperator(Protocol):
    """A linear map from an image to what is measured, and its transpose."""

    @property
    def domain_shape(self) -> tuple[int, ...]:
        """Shape of an image."""

    @property
    def range_shape(self) -> tuple[int, ...]:
        """Shape of a measurement."""

    def forward(self, image: np.ndarray) -> np.ndarray:
        """What would be measured of the image."""

    def adjoint(self, data: np.ndarray) -> np.ndarray:
        """The (conjugate) transpose applied to a measurement."""


class Projection:
    """Line integrals (value times mm) of an image along the rays of a scan, parallel or fan.

    Source: Joseph, IEEE Trans Med Imaging 1982;1:192.
    """

    def __init__(self, geometry: ScanGeometry) -> None:
        self.geometry = geometry
        phi, offset_mm = geometry.lines()
        pixel_mm, (rows, columns) = geometry.pixel_mm, geometry.size
        cosine, sine = np.cos(phi).ravel(), np.sin(phi).ravel()
        offset = offset_mm.ravel() / pixel_mm
        is_steep = np.abs(cosine) >= np.abs(sine)
        self._steep, self._flat = np.flatnonzero(is_steep), np.flatnonzero(~is_steep)
        c, s, t = cosine[self._steep], sine[self._steep], offset[self._steep]
        middle = (rows - 1) / 2, (columns - 1) / 2
        self._by_row = (t - middle[0] * s) / c + middle[1], s / c, pixel_mm / np.abs(c)
        c, s, t = cosine[self._flat], sine[self._flat], offset[self._flat]
        self._by_column = middle[0] - (t + middle[1] * c) / s, c / s, pixel_mm / np.abs(s)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        """(rows, columns)."""
        return self.geometry.size

    @property
    def range_shape(self) -> tuple[int, ...]:
        """(views, detectors)."""
        return self.geometry.shape

    def forward(self, image: np.ndarray) -> np.ndarray:
        """The sinogram, (views, detectors), in the image's floating type."""
        from isocenter.imaging.reconstruct.kernels_ct import project_lines

        image = _floating(image, self.domain_shape)
        out = np.empty(self.range_shape, image.dtype)
        flat = out.reshape(-1)
        flat[self._steep] = project_lines(np.ascontiguousarray(image), *self._by_row)
        flat[self._flat] = project_lines(np.ascontiguousarray(image.T), *self._by_column)
        return out

    def adjoint(self, data: np.ndarray) -> np.ndarray:
        """Each ray's value laid back along the ray, (rows, columns)."""
        from isocenter.imaging.reconstruct.kernels_ct import smear_lines

        data = _floating(data, self.range_shape).reshape(-1)
        upright = np.zeros(self.geometry.size, data.dtype)
        turned = np.zeros(self.geometry.size[::-1], data.dtype)
        smear_lines(data[self._steep], *self._by_row, upright)
        smear_lines(data[self._flat], *self._by_column, turned)
        return upright + turned.T

    def views(self, chosen: np.ndarray) -> "Projection":
        """The operator of some views, by index."""
        return Projection(self.geometry.with_views(chosen))


class Scaled:
    """An operator whose measurement is multiplied, element by element: attenuation and sensitivity of a PET scanner,
    or the square root of statistical weights."""

    def __init__(self, operator: LinearOperator, factor: np.ndarray) -> None:
        self.operator = operator
        self.factor = np.broadcast_to(factor, operator.range_shape)

    @property
    def domain_shape(self) -> tuple[int, ...]:
        """Shape of an image."""
        return self.operator.domain_shape

    @property
    def range_shape(self) -> tuple[int, ...]:
        """Shape of a measurement."""
        return self.operator.range_shape

    def forward(self, image: np.ndarray) -> np.ndarray:
        """The measurement times the factor."""
        made = self.operator.forward(image)
        return np.asarray(made * self.factor.astype(made.real.dtype, copy=False))

    def adjoint(self, data: np.ndarray) -> np.ndarray:
        """The transpose: first the factor, then the operator's own transpose."""
        return self.operator.adjoint(data * self.factor.astype(data.real.dtype, copy=False))


def normal(operator: LinearOperator, image: np.ndarray) -> np.ndarray:
    """Forward, then back: symmetric and never negative, <x, N x> = |A x|^2."""
    return operator.adjoint(operator.forward(image))


def adjoint_error(operator: LinearOperator, rng: np.random.Generator, dtype: type = np.float64) -> float:
    """|<A x, y> - <x, A^T y>| over |A x| |y| for random x and y: zero up to rounding for an exact transpose."""

    def draw(shape: tuple[int, ...]) -> np.ndarray:
        real = rng.standard_normal(shape)
        if np.issubdtype(dtype, np.complexfloating):
            return (real + 1j * rng.standard_normal(shape)).astype(dtype)
        return real.astype(dtype)

    x, y = draw(operator.domain_shape), draw(operator.range_shape)
    made = operator.forward(x)
    wide = np.complex128 if np.iscomplexobj(made) else np.float64
    left = np.vdot(y.astype(wide), made.astype(wide))
    right = np.vdot(operator.adjoint(y).astype(wide), x.astype(wide))
    return abs(complex(left) - complex(right)) / float(np.linalg.norm(made) * np.linalg.norm(y))


def operator_norm(operator: LinearOperator, *, n_iterations: int = 12, dtype: type = np.float32) -> float:
    """The largest singular value, by power iteration from a smooth start; a little too small, by below 2 %."""
    x = np.random.default_rng(0).random(operator.domain_shape).astype(dtype) + dtype(0.5)
    size = 0.0
    for _ in range(n_iterations):
        x = x / np.linalg.norm(x)
        x = normal(operator, x)
        size = float(np.linalg.norm(x))
        if size == 0:
            return 0.0
    return float(np.sqrt(size))


def _floating(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array as float32 or float64 of the shape that the operator takes."""
    if array.shape != shape:
        raise InputError(f"operator: expected an array of {shape}, got {array.shape}")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
