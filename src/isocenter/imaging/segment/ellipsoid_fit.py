"""An ellipsoid fitted to a blurred, noisy blob: sub-voxel size without a threshold.

The image of the ellipsoid is modelled as its signed distance through a Gaussian edge, averaged over the slice (box), so
that partial volume is part of the model; directions in which other tissue stands are left out and outliers weigh little
(Tukey biweight, Huber & Ronchetti, Robust Statistics 2009, 4.8). Solved by Levenberg-Marquardt (Marquardt, J SIAM
1963;11:431), from a wide edge to a narrow one.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from isocenter.imaging.segment.grids import Triple

_LAYERS = 4
_EDGES_MM = (0.8, 0.5, 0.25, 0.15)
_SLACKS = (0.3, 0.2, 0.12, 0.12)
_STIFFNESS = (300.0, 10.0, 4.0, 4.0)
_N_DIRECTIONS = 420
# Row and column of the three tilts in the factor.
_TILTS = ((1, 0), (2, 0), (2, 1))


@dataclass(frozen=True, slots=True, eq=False)
class FittedEllipsoid:
    """An ellipsoid in millimetres (z, y, x) from voxel (0, 0, 0) of the volume.

    shape          (3, 3) symmetric; p @ shape @ p = 1 on the surface
    inside_hu      and outside_hu: the plateaus
    edge_mm        standard deviation of the edge's blur in plane
    explained      share of the variance in and around it that the model explains (R2)
    kept           share of the directions that no other tissue takes
    residual_hu    robust standard deviation of what the model leaves over
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

    def radii_mm(self, toward: np.ndarray) -> np.ndarray:
        """Distance from the centre to the surface along unit vectors (n, 3)."""
        return np.asarray(1 / np.sqrt(((toward @ self.shape) * toward).sum(axis=1)))


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """Voxels around a blob.

    values       HU, (slices, rows, columns)
    usable       bool, same shape: False for voxels beyond the lung's hull that are no lung
    start_mm     of the first voxel (z, y, x)
    spacing_mm   between the voxels of the crop
    slice_mm     of the volume that it was taken from
    """

    values: np.ndarray = field(repr=False)
    usable: np.ndarray = field(repr=False)
    start_mm: np.ndarray
    spacing_mm: Triple
    slice_mm: float


@cache
def directions() -> np.ndarray:
    """Unit vectors (z, y, x) spread evenly over the sphere (Fibonacci lattice)."""
    n = np.arange(_N_DIRECTIONS) + 0.5
    z = 1 - 2 * n / _N_DIRECTIONS
    turn = np.pi * (1 + 5**0.5) * n
    ring = np.sqrt(1 - z**2)
    return np.stack([z, ring * np.sin(turn), ring * np.cos(turn)], axis=1)


def fit_ellipsoid(
    crop: Crop, *, centre_mm: np.ndarray, radius_mm: float, background_hu: float, roundness: float = 1.0
) -> FittedEllipsoid | None:
    """The ellipsoid that explains the crop best, None if it runs away or explains little.

    roundness   how strongly the shape tends to a ball; at 1 a few good voxels outweigh it
    """
    model = _Model(crop)
    core = model.values[np.linalg.norm(model.points - centre_mm, axis=1) < max(radius_mm * 0.5, 1.0)]
    inside = float(np.clip(np.percentile(core, 70), background_hu / 1000 + 0.2, 0.3)) if len(core) else 0.03
    params = np.array([*centre_mm, *([np.log(radius_mm)] * 3), 0, 0, 0, inside, background_hu / 1000, 0.0])
    model.plateau = (inside - 0.25, inside + 0.15) if radius_mm < 4 else (-1.0, 3.0)
    limit = 1.9 * radius_mm + 3.0
    for turn, (edge, slack) in enumerate(zip(_EDGES_MM, _SLACKS, strict=True)):
        model.least_edge_mm = max(0.3 * crop.spacing_mm[2], edge)
        model.slack = slack
        params[11] = max(params[11], np.log(model.least_edge_mm)) if turn else np.log(model.least_edge_mm)
        chosen, _ = model.choose(params)
        if len(chosen) < 20:
            return None
        model.frozen, model.stiffness = turn == 0, max(_STIFFNESS[turn], roundness)
        params = model.solve(params, chosen, n_steps=(6, 5, 5, 8)[turn])
        axes = np.exp(params[3:6])
        if np.linalg.norm(params[:3] - centre_mm) > radius_mm + 2.5 or axes.max() > limit or axes.min() < 0.6:
            return None
        if turn == 1 and model.explained(params, chosen) < 0.35:
            return None
    return model.best_report(params)


class _Model:
    """Holds the voxels of one crop while its ellipsoid is fitted."""

    def __init__(self, crop: Crop) -> None:
        axes = [crop.start_mm[a] + np.arange(crop.values.shape[a]) * crop.spacing_mm[a] for a in range(3)]
        self.points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        self.columns = np.ascontiguousarray(self.points.T)
        self.values = crop.values.ravel().astype(float) / 1000
        self.usable = crop.usable.ravel()
        self.shape, self.spacing = crop.values.shape, crop.spacing_mm
        thick = crop.slice_mm > 0.8
        self.layers = ((np.arange(_LAYERS) + 0.5) / _LAYERS - 0.5) * crop.slice_mm if thick else np.zeros(1)
        self.least_edge_mm, self.slack = 1.0, 0.3
        # A small blob's height and width trade against each other: the height stays near what its core shows.
        self.plateau, self.frozen, self.stiffness = (-1.0, 3.0), False, 1.0

    def choose(self, params: np.ndarray) -> tuple[np.ndarray, float]:
        """Indices of the voxels that take part, and the share of directions that no other tissue takes."""
        offset = self.points - params[:3]
        distance = _distance(offset, _factor(params))
        reach = 0.8 + 0.5 * float(np.ptp(self.layers))
        shell = (distance > reach) & (distance < reach + 1.6)
        foreign = shell & ((self.values > 0.5 * (params[9] + params[10])) | ~self.usable)
        taken = np.zeros(_N_DIRECTIONS, bool)
        if foreign.any():
            taken[(offset[foreign] @ directions().T).argmax(axis=1)] = True
            taken = (_neighbours() @ taken.astype(np.float32)) > 0
        index = np.flatnonzero((distance < reach + 1.6) & self.usable)
        outer = np.flatnonzero(distance[index] > -0.35 * float(np.exp(params[3:6].min())))
        blocked = taken[(offset[index[outer]] @ directions().T).argmax(axis=1)]
        keep = np.ones(len(index), bool)
        keep[outer[blocked]] = False
        return index[keep], 1 - float(taken.mean())

    def evaluate(self, params: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Residuals of the chosen voxels, and the model's derivative by the parameters, (12, n)."""
        factor = _factor(params)
        edge, contrast = float(np.exp(params[11])), params[9] - params[10]
        share = np.zeros(len(chosen))
        jacobian = np.zeros((12, len(chosen)))
        for layer in self.layers:
            offset = self.columns[:, chosen] - params[:3, None]
            offset[0] += layer
            turned, f, normal, slope = _geometry(offset, factor)
            ratio = np.clip(f * (f - 1) / (slope * edge), -6, 6)
            share += _normal_cdf(-ratio)
            density = np.exp(-0.5 * ratio * ratio) * (-contrast / (2.5066282746 * edge))
            jacobian[11] -= density * ratio * edge
            density /= slope
            by_f, by_slope = density * (2 * f - 1) / f, density * ratio * edge / slope
            twice = factor.T @ normal
            for n in range(3):
                jacobian[n] += by_slope * (factor[n] @ twice) - by_f * normal[n]
                jacobian[3 + n] += (2 * by_slope * twice[n] - by_f * turned[n]) * turned[n]
            for n, (row, column) in enumerate(_TILTS):
                slant = by_f * turned[column] * offset[row]
                slant -= by_slope * (twice[column] * offset[row] + turned[column] * normal[row])
                jacobian[6 + n] += slant * np.exp(-params[3 + column])
        jacobian /= len(self.layers)
        share /= len(self.layers)
        jacobian[9], jacobian[10] = share, 1 - share
        return self.values[chosen] - (params[10] + contrast * share), jacobian

    def residual(self, params: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Values less model of the chosen voxels."""
        factor, share = _factor(params), np.zeros(len(chosen))
        around, per_edge = self.columns[:, chosen] - params[:3, None], float(np.exp(-params[11]))
        for layer in self.layers:
            offset = around.copy()
            offset[0] += layer
            _, f, _, slope = _geometry(offset, factor)
            share += _normal_cdf(f * (1 - f) / slope * per_edge)
        return np.asarray(self.values[chosen] - params[10] - (params[9] - params[10]) * share / len(self.layers))

    def solve(self, params: np.ndarray, chosen: np.ndarray, n_steps: int) -> np.ndarray:
        """A few damped Gauss-Newton steps with robust weights and mild priors."""
        damping = 1e-2
        for _ in range(n_steps):
            residual, jacobian = self.evaluate(params, chosen)
            if self.frozen:
                jacobian[9:] = 0
            weights = self._weights(params, chosen, residual)
            cost = float((weights * residual**2).sum()) + _prior_cost(params, self.stiffness)
            hessian, minus_gradient = _prior(params, self.stiffness)
            weighted = jacobian * weights
            normal = weighted @ jacobian.T + hessian
            gradient = weighted @ residual + minus_gradient
            for _ in range(4):
                step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-9), gradient)
                trial = params + np.clip(step, -1.0, 1.0)
                trial[9] = np.clip(trial[9], *self.plateau)
                trial[11] = np.clip(trial[11], np.log(self.least_edge_mm), np.log(1.5))
                if (
                    float((weights * self.residual(trial, chosen) ** 2).sum()) + _prior_cost(trial, self.stiffness)
                    < cost
                ):
                    params, damping = trial, damping / 4
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
        nearness = np.exp(-0.5 * (distance / self.spacing[2]) ** 2)
        spread = noise + self.slack * abs(float(params[9] - params[10])) * nearness
        if self.frozen:
            return np.asarray(1 / spread**2)
        return np.asarray(np.clip(1 - (residual / (4.685 * spread)) ** 2, 0, None) ** 2 / spread**2)

    def explained(self, params: np.ndarray, chosen: np.ndarray) -> float:
        """R2 over the chosen voxels."""
        return 1 - float(np.mean(self.residual(params, chosen) ** 2)) / max(float(np.var(self.values[chosen])), 1e-9)

    def best_report(self, params: np.ndarray) -> FittedEllipsoid | None:
        """The fit with its quality; with slices as boxes or as samples, whichever explains more."""
        reports = [self._report(params)]
        if len(self.layers) > 1:
            self.layers = np.zeros(1)
            chosen, _ = self.choose(params)
            if len(chosen) >= 20:
                reports.append(self._report(self.solve(params, chosen, n_steps=8)))
        good = [r for r in reports if r is not None]
        return max(good, key=lambda r: r.explained) if good else None

    def _report(self, params: np.ndarray) -> FittedEllipsoid | None:
        chosen, kept = self.choose(params)
        if len(chosen) < 20:
            return None
        scale = 1.4826 * float(np.median(np.abs(self.residual(params, chosen))))
        return FittedEllipsoid(
            params[:3].copy(), _unblurred(params), float(params[9] * 1000), float(params[10] * 1000),
            float(np.exp(params[11])), self.explained(params, chosen), kept, scale * 1000,
        )  # fmt: skip


@cache
def _neighbours() -> np.ndarray:
    """Which directions lie within 14 degrees of each other, float32."""
    return np.asarray((directions() @ directions().T) > np.cos(np.radians(14)), np.float32)


def _normal_cdf(x: np.ndarray) -> np.ndarray:
    """Normal distribution function; logistic form, error below 2e-4 (Bowling et al., J Ind Eng Manag 2009;2:114)."""
    return np.asarray(1 / (1 + np.exp(-np.clip(x * (0.07056 * x * x + 1.5976), -40, 40))))


def _factor(params: np.ndarray) -> np.ndarray:
    """Lower triangular L with shape = L L^T; its diagonal is one over the semi-axes of the untilted ellipsoid."""
    d = np.exp(-params[3:6])
    a, b, c = params[6:9]
    return np.array([[d[0], 0, 0], [a * d[0], d[1], 0], [b * d[0], c * d[1], d[2]]])


def _unblurred(params: np.ndarray) -> np.ndarray:
    """The shape with its in-plane axes as they were before blur: half height on a curved edge lies too far in.

    A disc of radius r blurred by a Gaussian of s falls to half its height at about r - s^2 / (2 r) (heat flow moves a
    level by curvature: Merriman, Bence, Osher, J Comput Phys 1994;112:334).
    """
    shape = _factor(params) @ _factor(params).T
    radius = float(np.linalg.det(shape[1:, 1:]) ** -0.25)
    wider = 1 + 0.5 * (float(np.exp(params[11])) / radius) ** 2
    scale = np.diag([1.0, 1 / wider, 1 / wider])
    return np.asarray(scale @ shape @ scale)


def _geometry(offset: np.ndarray, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For offsets (3, n): L^T p, its length f, M p and its length."""
    turned = factor.T @ offset
    normal = factor @ turned
    f = np.sqrt(turned[0] * turned[0] + turned[1] * turned[1] + turned[2] * turned[2]) + 1e-9
    slope = np.sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]) + 1e-9
    return turned, f, normal, slope


def _distance(offset: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """First-order signed distance: f (f - 1) / |M p| with f = |L^T p|."""
    columns = np.ascontiguousarray(offset.reshape(-1, 3).T)
    _, f, _, slope = _geometry(columns, factor)
    return np.asarray((f * (f - 1) / slope).reshape(offset.shape[:-1]))


# Mild priors, in standard deviations: the shape tends to a ball.
_SHAPE_SD, _TILT_SD = 0.25, 0.25


def _prior(params: np.ndarray, stiffness: float) -> tuple[np.ndarray, np.ndarray]:
    """Hessian and minus gradient of the priors."""
    hessian = np.zeros((12, 12))
    hessian[3:6, 3:6] = (np.eye(3) - 1 / 3) / _SHAPE_SD**2
    hessian[6:9, 6:9] = np.eye(3) / _TILT_SD**2
    hessian *= stiffness
    return hessian, -hessian @ params


def _prior_cost(params: np.ndarray, stiffness: float) -> float:
    return float(params @ _prior(params, stiffness)[0] @ params)
