"""An ellipsoid fitted to a blurred, noisy blob: sub-voxel size without a threshold.

The image of the ellipsoid is modelled as its signed distance through a Gaussian edge, averaged over the slice (box), so
that partial volume is part of the model; voxels of other tissue are left out and outliers weigh little (Tukey biweight,
Huber & Ronchetti, Robust Statistics 2009, 4.8). Solved by Levenberg-Marquardt with a numeric Jacobian.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtr

# Samples of the model across one slice.
_LAYERS = 5
_MAX_VOXELS = 3500


@dataclass(frozen=True, slots=True, eq=False)
class FittedEllipsoid:
    """An ellipsoid in millimetres of the crop's frame (z, y, x).

    shape          (3, 3) symmetric; p @ shape @ p = 1 on the surface
    inside_hu      and outside_hu: the plateaus
    edge_mm        standard deviation of the edge's blur in plane
    explained      share of the variance around the surface that the model explains (R2), robust voxels only
    kept           share of the voxels near the surface that take part (not other tissue)
    """

    centre_mm: np.ndarray
    shape: np.ndarray = field(repr=False)
    inside_hu: float
    outside_hu: float
    edge_mm: float
    explained: float
    kept: float
    residual_hu: float

    @property
    def semi_axes_mm(self) -> np.ndarray:
        """Ascending, shape (3,)."""
        return np.asarray(1 / np.sqrt(np.linalg.eigvalsh(self.shape)[::-1]))

    @property
    def volume_ml(self) -> float:
        """4/3 pi a b c."""
        return float(4 / 3 * np.pi * np.prod(self.semi_axes_mm) / 1000)

    @property
    def axial_axes_mm(self) -> tuple[float, float]:
        """Long and short full axis of the largest axial section, which goes through the centre."""
        values = np.linalg.eigvalsh(self.shape[1:, 1:])
        return float(2 / np.sqrt(values[0])), float(2 / np.sqrt(values[1]))

    @property
    def axial_direction(self) -> np.ndarray:
        """Unit vector (y, x) of the long axis in the axial plane."""
        return np.asarray(np.linalg.eigh(self.shape[1:, 1:])[1][:, 0])

    def distance_mm(self, points_mm: np.ndarray) -> np.ndarray:
        """Signed distance to first order, negative inside, of points (..., 3)."""
        return _distance(points_mm - self.centre_mm, np.linalg.cholesky(self.shape))


def fit_ellipsoid(
    points_mm: np.ndarray,
    values_hu: np.ndarray,
    *,
    start_mm: tuple[np.ndarray, float],
    voxel_mm: tuple[float, float],
    background_hu: float,
    usable: np.ndarray,
) -> FittedEllipsoid | None:
    """The ellipsoid that explains the values best, None if it runs away.

    points_mm     (n, 3) voxel centres (z, y, x); values_hu (n,)
    start_mm      centre and radius to begin with
    voxel_mm      slice spacing, pixel size
    usable        (n,) bool: False for voxels that are certainly other tissue (beyond the lung's hull)
    """
    centre, radius = start_mm
    slice_mm, in_plane_mm = voxel_mm
    inside_hu = float(np.clip(np.median(values_hu[np.linalg.norm(points_mm - centre, axis=1) < max(radius * 0.5, 0.8)]), background_hu + 150, 300)) if (np.linalg.norm(points_mm - centre, axis=1) < max(radius * 0.5, 0.8)).any() else 30.0  # fmt: skip
    params = np.array([*centre, *([np.log(radius)] * 3), 0, 0, 0, inside_hu / 1000, background_hu / 1000, np.log(0.6)])
    limit = 1.9 * radius + 3.0
    model = _Model(points_mm, values_hu / 1000, slice_mm, in_plane_mm, usable)
    for round_ in range(4):
        model.least_edge_mm = max(0.3 * in_plane_mm, (1.0, 0.6, 0.2, 0.15)[round_])
        model.slack = (0.3, 0.2, 0.12, 0.12)[round_]
        params[11] = max(params[11], np.log(model.least_edge_mm))
        chosen = model.choose(params, margin_mm=2.5 if round_ else 2.0)
        if np.count_nonzero(chosen) < 20:
            return None
        params = model.solve(params, chosen, n_steps=6 if round_ < 3 else 10)
        axes = np.exp(params[3:6])
        if np.linalg.norm(params[:3] - centre) > radius + 2.5 or axes.max() > limit or axes.min() < 0.6:
            return None
    return model.report(params)


class _Model:
    """Holds the voxels of one crop while its ellipsoid is fitted."""

    def __init__(self, points_mm: np.ndarray, values: np.ndarray, slice_mm: float, voxel_mm: float, usable: np.ndarray) -> None:
        self.points, self.values, self.usable = points_mm, values, usable
        self.layers = (np.arange(_LAYERS) + 0.5) / _LAYERS - 0.5 if slice_mm > 0.9 else np.zeros(1)
        self.layers = self.layers * slice_mm
        self.voxel_mm = voxel_mm
        self.least_edge_mm = 1.0
        self.slack = 0.25

    def choose(self, params: np.ndarray, margin_mm: float) -> np.ndarray:
        """Voxels that take part: inside and around, without other tissue."""
        distance = _distance(self.points - params[:3], _factor(params))
        half = 0.5 * (params[9] + params[10])
        slack = 0.9 + 0.5 * float(self.layers.max() - self.layers.min())
        foreign = (distance > slack) & (self.values > half)
        chosen = (distance < margin_mm + slack) & ~foreign & self.usable
        chosen &= ~self._near(foreign & (distance < margin_mm + slack + 2))
        index = np.flatnonzero(chosen)
        if len(index) > _MAX_VOXELS:
            rim = np.abs(distance[index]) < 2.0
            keep = rim.copy()
            keep[::7] = True
            index = index[keep]
            index = index[:: max(1, len(index) // _MAX_VOXELS)]
        out = np.zeros(len(self.values), bool)
        out[index] = True
        return out

    def _near(self, foreign: np.ndarray) -> np.ndarray:
        """Voxels right beside foreign tissue, whose value it lifts."""
        if not foreign.any():
            return foreign
        from scipy.spatial import cKDTree

        tree = cKDTree(self.points[foreign])
        near = np.zeros(len(self.values), bool)
        close = tree.query(self.points, distance_upper_bound=1.25)[0]
        near[np.isfinite(close)] = True
        return near

    def predict(self, params: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Modelled values of the chosen voxels."""
        factor = _factor(params)
        offset = self.points[chosen] - params[:3]
        total = np.zeros(len(offset))
        for layer in self.layers:
            moved = offset + np.array([layer, 0.0, 0.0])
            total += ndtr(-_distance(moved, factor) / np.exp(params[11]))
        return np.asarray(params[10] + (params[9] - params[10]) * total / len(self.layers))

    def _residual(self, params: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return np.asarray(self.values[chosen] - self.predict(params, chosen))

    def solve(self, params: np.ndarray, chosen: np.ndarray, n_steps: int) -> np.ndarray:
        """A few damped Gauss-Newton steps with robust weights and mild priors."""
        damping = 1e-2
        residual = self._residual(params, chosen)
        for _ in range(n_steps):
            weights = self._weights(params, chosen, residual)
            cost = float((weights * residual**2).sum()) + _prior_cost(params)
            jacobian = self._jacobian(params, chosen, residual)
            normal = (jacobian * weights[:, None]).T @ jacobian
            gradient = (jacobian * weights[:, None]).T @ residual
            prior_h, prior_g = _prior(params)
            normal, gradient = normal + prior_h, gradient + prior_g
            for _ in range(4):
                step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-9), gradient)
                trial = params + np.clip(step, -1.0, 1.0)
                trial[11] = np.clip(trial[11], np.log(self.least_edge_mm), np.log(1.5))
                new_residual = self._residual(trial, chosen)
                if float((weights * new_residual**2).sum()) + _prior_cost(trial) < cost:
                    params, residual, damping = trial, new_residual, damping / 4
                    break
                damping *= 6
            else:
                break
            if np.abs(step[:6]).max() < 2e-3:
                break
        return params

    def _weights(self, params: np.ndarray, chosen: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """One over the variance times the biweight; near the surface the model may miss by part of the contrast."""
        noise = max(1.4826 * float(np.median(np.abs(residual))), 0.012)
        distance = _distance(self.points[chosen] - params[:3], _factor(params))
        nearness = np.exp(-0.5 * (distance / self.voxel_mm) ** 2)
        spread = noise + self.slack * abs(float(params[9] - params[10])) * nearness
        ratio = residual / (4.685 * spread)
        return np.asarray(np.clip(1 - ratio**2, 0, None) ** 2 / spread**2)

    def _jacobian(self, params: np.ndarray, chosen: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """Derivative of the model by its parameters, (n, 12), by differences."""
        out = np.empty((len(residual), len(params)))
        for n in range(len(params)):
            moved = params.copy()
            moved[n] += 1e-3
            out[:, n] = (residual - self._residual(moved, chosen)) / 1e-3
        return out

    def report(self, params: np.ndarray) -> FittedEllipsoid:
        """The fit with its quality."""
        chosen = self.choose(params, margin_mm=2.0)
        distance = _distance(self.points - params[:3], _factor(params))
        rim = np.abs(distance) < 2.0
        residual = self._residual(params, chosen)
        values = self.values[chosen]
        scale = 1.4826 * float(np.median(np.abs(residual)))
        factor = _factor(params)
        return FittedEllipsoid(
            params[:3].copy(), factor @ factor.T, float(params[9] * 1000), float(params[10] * 1000),
            float(np.exp(params[11])), 1 - float(np.mean(residual**2)) / max(float(np.var(values)), 1e-9),
            float(np.count_nonzero(rim & chosen) / max(np.count_nonzero(rim), 1)), scale * 1000,
        )  # fmt: skip


def _factor(params: np.ndarray) -> np.ndarray:
    """Lower triangular L with shape = L L^T; its diagonal is one over the semi-axes of the untilted ellipsoid."""
    diagonal = np.exp(-params[3:6])
    out = np.diag(diagonal)
    out[1, 0] = params[6] * np.sqrt(diagonal[0] * diagonal[1])
    out[2, 0] = params[7] * np.sqrt(diagonal[0] * diagonal[2])
    out[2, 1] = params[8] * np.sqrt(diagonal[1] * diagonal[2])
    return out


def _distance(offset: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """First-order signed distance: f (f - 1) / |M p| with f = |L^T p|."""
    turned = offset @ factor
    f = np.sqrt((turned**2).sum(axis=-1))
    slope = np.sqrt(((turned @ factor.T) ** 2).sum(axis=-1))
    return np.asarray(f * (f - 1) / np.maximum(slope, 1e-6))


# Mild priors, in standard deviations: the shape tends to a ball, the edge to 0.6 mm.
_SHAPE_SD, _TILT_SD, _EDGE_SD = 0.35, 0.35, 0.5


def _prior(params: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hessian and minus gradient of the priors."""
    hessian = np.zeros((len(params), len(params)))
    centring = (np.eye(3) - 1 / 3) / _SHAPE_SD**2
    hessian[3:6, 3:6] = centring
    hessian[6:9, 6:9] = np.eye(3) / _TILT_SD**2
    hessian[11, 11] = 1 / _EDGE_SD**2
    target = params.copy()
    target[11] -= np.log(0.6)
    return hessian, -hessian @ target


def _prior_cost(params: np.ndarray) -> float:
    hessian, minus_gradient = _prior(params)
    target = params.copy()
    target[11] -= np.log(0.6)
    return float(-target @ minus_gradient)
