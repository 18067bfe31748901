"""A plaque fitted in a noisy CT whose blur is known: what it would look like without either.

The plaque is modelled as an ellipsoid with a sharp edge, averaged over the voxel, blurred in plane and laid on a
background that is taken from around it. Solved by Levenberg-Marquardt (Marquardt, J SIAM 1963;11:431) with Tukey's
biweight (Huber & Ronchetti, Robust Statistics 2009, 4.8).
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from isocenter.imaging.segment.grids import Triple
from isocenter.imaging.segment.plaque_kernel import cover_ellipsoid
from isocenter.imaging.segment.reconstruction_blur import ReconstructionBlur

AIR_HU = -1000.0
# Of the variance in and around the plaque; below it the shape is wrong and is none to undo a blur with.
_MIN_EXPLAINED = 0.9
_SLACKS = (0.25, 0.12, 0.06)
_STEPS = np.array([0.02, 0.02, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01])
# Semi-axes within a factor of 1.65 of their mean, one standard deviation; a few good voxels outweigh it.
_SHAPE_SPREAD = 0.5
_BACKGROUND_MM = 1.2
# Parameters: centre (3), logarithm of the semi-axes (3), tilts (3), HU, background.
_HU, _AROUND = 9, 10


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A plaque and what is around it.

    values     HU, (slices, rows, columns)
    own        bool: the plaque, roughly
    other      bool: other plaques, not to be looked at
    slice_mm   thickness of the slices, no less than their spacing
    blur       of the reconstruction
    """

    values: np.ndarray = field(repr=False)
    own: np.ndarray = field(repr=False)
    other: np.ndarray = field(repr=False)
    spacing_mm: Triple
    slice_mm: float
    noise_hu: float
    blur: ReconstructionBlur


@dataclass(frozen=True, slots=True, eq=False)
class FittedPlaque:
    """What a plaque looks like without noise and blur.

    values     (1 + n, slices, rows, columns) HU: the best guess, then n others that are as likely as the noise allows
    touched    bool: voxels that the plaque changes
    explained  share of the variance in and around the plaque that the model explains (R2)
    """

    values: np.ndarray = field(repr=False)
    touched: np.ndarray = field(repr=False)
    explained: float


def fit_plaque(scene: Scene, *, n_draws: int, rng: np.random.Generator) -> FittedPlaque | None:
    """The plaque of the scene; None if nothing stands out or the shape does not fit."""
    model = _Model(scene)
    start = model.start()
    if start is None:
        return None
    params, weights = start, np.ones(scene.values.shape)
    for turn, slack in enumerate(_SLACKS):
        params = model.solve(params, weights)
        if turn < 2:
            model.look_around(params)
        weights = model.weights(params, slack)
    spread = model.covariance(params, weights)
    draws = [params]
    if n_draws:
        draws += list(rng.multivariate_normal(params, spread, n_draws, method="eigh"))
    share = model.share(params)
    left = scene.values - model.image(params, share)
    explained = model.explained(left, share)
    if explained < _MIN_EXPLAINED:
        return None
    values = np.stack([model.ideal(draw) for draw in draws]).astype(np.float32)
    return FittedPlaque(values, ((share > 0.02) | grow_in_plane(scene.own, 1)) & ~scene.other, explained)


class _Model:
    """Holds the voxels of one scene while its plaque is fitted."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.values = scene.values.astype(float)
        self.noise = max(scene.noise_hu, 2.0)
        slice_mm, row_mm, _ = scene.spacing_mm
        self.fine = (int(np.clip(np.ceil(slice_mm / 0.5), 2, 6)), int(np.clip(np.ceil(row_mm / 0.35), 2, 4)))
        self.taps = scene.blur.taps()
        soft = self.values[~scene.own & ~scene.other & (self.values < 130) & (self.values > -150)]
        self.around = float(np.median(soft)) if len(soft) > 10 else 40.0
        low = self.values < self.around - max(60.0, 3.5 * self.noise)
        self.low = low
        self.used = ~scene.other & (scene.own | ~grow_in_plane(low, 1))
        self.emptied = low & ~self.used & (self.values < -150)
        self.background: np.ndarray | None = None
        self.least_hu = 131.0

    def start(self) -> np.ndarray | None:
        """Parameters of a ball like the bright voxels."""
        peak = float(np.sort(self.values[self.scene.own])[-3:].mean())
        mine = self.scene.own | (grow_in_plane(self.scene.own, 1) & ~self.scene.other)
        excess = np.where(mine, np.clip(self.values - self.around - 0.3 * (peak - self.around), 0, None), 0)
        if peak < 131.0 or peak <= self.around:
            return None
        self.least_hu = max(131.0, self.around + 0.8 * (peak - self.around))
        at, weight = np.argwhere(excess > 0), excess[excess > 0]
        centre = (at * weight[:, None]).sum(axis=0) / weight.sum() * self.scene.spacing_mm
        volume = 2.3 * weight.sum() / (peak - self.around) * float(np.prod(self.scene.spacing_mm))
        radius = max((volume * 0.75 / np.pi) ** (1 / 3), 0.8)
        return np.array([*centre, *([np.log(radius)] * 3), 0, 0, 0, 1.05 * peak, self.around])

    def share(self, params: np.ndarray, *, sharp: bool = False) -> np.ndarray:
        """How much of each voxel is plaque, as the scanner shows it, or without the reconstruction's blur."""
        axes = np.exp(-params[3:6])
        tilts = np.array([[1, 0, 0], [params[6], 1, 0], [params[7], params[8], 1]])
        factor = tilts * axes
        spacing = np.array(self.scene.spacing_mm)
        extent = spacing.copy()
        if not sharp:
            extent[0] = self.scene.slice_mm
        share = cover_ellipsoid(
            factor @ factor.T, -params[:3], self.values.shape, np.stack([spacing, extent]), self.fine
        )  # fmt: skip
        return share if sharp else _blur_planes(share, self.taps)

    def image(self, params: np.ndarray, share: np.ndarray) -> np.ndarray:
        """HU of the model."""
        around = params[_AROUND] if self.background is None else self.background
        return np.asarray(around + (params[_HU] - around) * share)

    def ideal(self, params: np.ndarray) -> np.ndarray:
        """HU of the plaque without the reconstruction's blur."""
        params = self._bounded(params)
        return self.image(params, self.share(params, sharp=True))

    def residual(self, params: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Voxels, air that leaves no room for plaque, and what is expected of the shape; in units of the noise."""
        share = self.share(params)
        apart = (weights * (self.values - self.image(params, share)))[self.used] / self.noise
        room = np.clip((self.values[self.emptied] - AIR_HU) / (params[_HU] - AIR_HU), 0, 1) + 0.05
        crowded = (params[_HU] - params[_AROUND]) * np.maximum(share[self.emptied] - room, 0) / (3 * self.noise)
        shape = np.concatenate([params[3:6] - params[3:6].mean(), params[6:9]]) / _SHAPE_SPREAD
        return np.concatenate([apart, crowded, shape])

    def jacobian(self, params: np.ndarray, weights: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """Derivative of the residual, (11, n)."""
        out = np.zeros((len(params), len(residual)))
        for n, step in enumerate(_STEPS):
            moved = params.copy()
            moved[n] += step
            out[n] = (self.residual(moved, weights) - residual) / step
        share, n_used = self.share(params), int(self.used.sum())
        out[_HU, :n_used] = -(weights * share)[self.used] / self.noise
        if self.background is None:
            out[_AROUND, :n_used] = -(weights * (1 - share))[self.used] / self.noise
        return out

    def solve(self, params: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Up to ten damped Gauss-Newton steps."""
        damping = 1e-2
        residual = self.residual(params, weights)
        for _ in range(10):
            jacobian = self.jacobian(params, weights, residual)
            normal, gradient = jacobian @ jacobian.T, jacobian @ residual
            cost = float(residual @ residual)
            for _ in range(5):
                step = -np.linalg.solve(normal + np.diag(damping * np.diag(normal) + 1e-9), gradient)
                step[:3] = np.clip(step[:3], -1, 1)
                step[3:9] = np.clip(step[3:9], -0.4, 0.4)
                trial = self._bounded(params + step)
                after = self.residual(trial, weights)
                if float(after @ after) < cost:
                    break
                damping *= 6
            else:
                break
            params, residual, damping = trial, after, damping / 4
            if cost - float(residual @ residual) < 0.01 + 1e-5 * cost:
                break
        return params

    def _bounded(self, params: np.ndarray) -> np.ndarray:
        """The nearest parameters that make sense."""
        out = params.copy()
        out[3:6] = np.clip(out[3:6], np.log(0.4), np.log(12.0))
        out[_HU] = np.clip(out[_HU], self.least_hu, 3000.0)
        return out

    def look_around(self, params: np.ndarray) -> None:
        """Take the background from the voxels that the plaque leaves alone, carried on smoothly into it."""
        free = (self.share(params) < 0.02) & ~grow_in_plane(self.scene.own, 1) & ~self.scene.other
        values, weight = (self._smooth(a) for a in (np.where(free, self.values, 0.0), free.astype(float)))
        self.background = (values + 0.02 * params[_AROUND]) / (weight + 0.02)

    def _smooth(self, array: np.ndarray) -> np.ndarray:
        """Gaussian mean of about a millimetre, with one slice above and one below."""
        planes = np.stack([cv2.GaussianBlur(p, (0, 0), _BACKGROUND_MM / self.scene.spacing_mm[1]) for p in array])
        out, weight = planes.copy(), np.exp(-0.5 * (self.scene.spacing_mm[0] / _BACKGROUND_MM) ** 2)
        out[1:] += weight * planes[:-1]
        out[:-1] += weight * planes[1:]
        return np.asarray(out)

    def weights(self, params: np.ndarray, slack: float) -> np.ndarray:
        """The biweight's root; at the edge the model may miss by a part of the contrast."""
        share = self.share(params)
        apart = np.abs(self.values - self.image(params, share))
        noise = max(self.noise, 1.4826 * float(np.median(apart[self.used])))
        allowed = noise + slack * (params[_HU] - params[_AROUND]) * np.exp(-0.5 * ((share - 0.5) / 0.3) ** 2)
        return np.asarray(np.clip(1 - (apart / (4.7 * allowed)) ** 2, 0, None))

    def covariance(self, params: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """How the parameters may vary together for this noise."""
        jacobian = self.jacobian(params, weights, self.residual(params, weights))
        free = np.flatnonzero(np.abs(jacobian).sum(axis=1) > 0)
        out = np.zeros((len(params), len(params)))
        out[np.ix_(free, free)] = np.linalg.pinv(jacobian[free] @ jacobian[free].T, hermitian=True)
        return out

    def explained(self, left: np.ndarray, share: np.ndarray) -> float:
        """R2 in and near the plaque, of what the model leaves over."""
        near = (share > 0.03) & self.used
        contrast = float(((self.values - self.around)[near] ** 2).sum())
        return 1 - float((left[near] ** 2).sum()) / max(contrast, 1e-9)


def _blur_planes(array: np.ndarray, taps: np.ndarray) -> np.ndarray:
    return np.stack([cv2.filter2D(plane, -1, taps, borderType=cv2.BORDER_REPLICATE) for plane in array])


def grow_in_plane(mask: np.ndarray, pixels: int) -> np.ndarray:
    """The mask and its neighbours in plane."""
    square = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.stack([cv2.dilate(plane.astype(np.uint8), square) for plane in mask]).astype(bool)
