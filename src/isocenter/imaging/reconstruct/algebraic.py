"""Iterations that solve A x = sinogram step by step: SIRT, SART, CGLS; they stop where only noise is left."""

import numpy as np

from isocenter.imaging.reconstruct.measurement_noise import estimate_noise
from isocenter.imaging.reconstruct.operators import Projection
from isocenter.imaging.reconstruct.scans import ProjectionScan, require_not_negative

_TINY = 1e-12


def sirt(scan: ProjectionScan, *, iterations: int | None = None, positive: bool = True) -> np.ndarray:
    """The image by simultaneous iterative reconstruction, (rows, columns) float32.

    iterations   None stops where the misfit falls to the noise in the sinogram, after 200 at most

    Source: Gilbert, J Theor Biol 1972;36:105; relaxed to 1.9: Gregor & Benson, IEEE Trans Med Imaging 2008;27:918.
    """
    require_not_negative(iterations=iterations)
    operator = Projection(scan.geometry)
    data = scan.sinogram.astype(np.float32)
    per_ray = _reciprocal(operator.forward(np.ones(operator.domain_shape, np.float32)))
    per_pixel = np.float32(1.9) * _reciprocal(operator.adjoint(np.ones(operator.range_shape, np.float32)))
    target = _noise_level(scan) if iterations is None else 0.0
    image = np.zeros(operator.domain_shape, np.float32)
    for _ in range(200 if iterations is None else iterations):
        rest = data - operator.forward(image)
        if _rms(rest) <= target:
            break
        image = image + per_pixel * operator.adjoint(per_ray * rest)
        if positive:
            image = np.maximum(image, 0)
    return image


def sart(
    scan: ProjectionScan, *, iterations: int | None = None, relaxation: float = 0.5, positive: bool = True
) -> np.ndarray:
    """The image by algebraic reconstruction, view after view, (rows, columns) float32.

    iterations   sweeps over all views; None stops where the misfit falls to the noise, after 10 at most

    Source: Andersen & Kak, Ultrason Imaging 1984;6:81; views ordered by the golden section: Köhler, IEEE NSS 2004.
    """
    require_not_negative(iterations=iterations, relaxation=relaxation)
    operator = Projection(scan.geometry)
    data = scan.sinogram.astype(np.float32)
    order = np.argsort(np.argsort(np.arange(len(data)) * 0.6180339887 % 1.0))
    views = [operator.views(np.array([view])) for view in order]
    per_ray = [_reciprocal(view.forward(np.ones(view.domain_shape, np.float32))) for view in views]
    per_pixel = [_reciprocal(view.adjoint(np.ones(view.range_shape, np.float32))) for view in views]
    target = _noise_level(scan) if iterations is None else 0.0
    image = np.zeros(operator.domain_shape, np.float32)
    for _ in range(10 if iterations is None else iterations):
        for at, view, rays, pixels in zip(order, views, per_ray, per_pixel, strict=True):
            rest = data[at : at + 1] - view.forward(image)
            image = image + np.float32(relaxation) * pixels * view.adjoint(rays * rest)
            if positive:
                image = np.maximum(image, 0)
        if target and _rms(data - operator.forward(image)) <= target:
            break
    return image


def cgls(scan: ProjectionScan, *, iterations: int | None = None) -> np.ndarray:
    """The least-squares image by conjugate gradients, (rows, columns) float32; few steps are its only smoothing.

    iterations   None stops where the misfit falls to the noise in the sinogram, after 40 at most

    Source: Björck, Numerical Methods for Least Squares Problems, SIAM 1996, alg. 7.4.1.
    """
    require_not_negative(iterations=iterations)
    operator = Projection(scan.geometry)
    rest = scan.sinogram.astype(np.float32)
    target = _noise_level(scan) if iterations is None else 0.0
    image = np.zeros(operator.domain_shape, np.float32)
    slope = operator.adjoint(rest)
    direction, size = slope, float(np.vdot(slope, slope))
    for _ in range(40 if iterations is None else iterations):
        if _rms(rest) <= target or size <= _TINY:
            break
        shadow = operator.forward(direction)
        step = np.float32(size / float(np.vdot(shadow, shadow)))
        image += step * direction
        rest -= step * shadow
        slope = operator.adjoint(rest)
        following = float(np.vdot(slope, slope))
        direction, size = slope + np.float32(following / size) * direction, following
    return image


def _noise_level(scan: ProjectionScan) -> float:
    """The misfit at which to stop: the noise in the sinogram, and what pixels cannot say of a smooth edge."""
    return float(np.hypot(estimate_noise(scan.sinogram), 0.002 * np.abs(scan.sinogram).max()))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))


def _reciprocal(values: np.ndarray) -> np.ndarray:
    """1 / values, 0 where a ray misses the image or no ray meets a pixel."""
    worth = values > 1e-6 * max(float(values.max(initial=0.0)), _TINY)
    return np.asarray(np.divide(1, values, out=np.zeros_like(values), where=worth))
