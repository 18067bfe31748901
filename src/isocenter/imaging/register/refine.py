"""The local search: from a motion nearby to the one at which two levels agree best.

Correlation, for one modality: Gauss-Newton on the linearised residual with slope and offset of the intensities solved
along. Mutual information, for two: a quasi-Newton climb on a joint histogram with a smooth (B-spline) window.

Sources: Evangelidis GD, Psarakis EZ. IEEE Trans Pattern Anal Mach Intell 2008;30(10):1858-1865 (correlation);
Mattes D et al. IEEE Trans Med Imaging 2003;22(1):120-128 (mutual information).
"""

from dataclasses import dataclass

import numpy as np

from isocenter.imaging.register.levels import Level, Samples
from isocenter.imaging.register.motion import Freedom

N_BINS = 32
# A search stops when a step moves no point by more than this share of a voxel.
_STILL = 0.003
# No step goes farther than so many voxels.
_STRIDE = 2.0
# Tukey's limit in standard deviations of the residual: 95 % efficiency for Gaussian noise. Source: Huber PJ. Robust
# Statistics, 1981.
_TUKEY = 4.685
# A step after which the correlation is lower by this is taken back, at most so often.
_WORSE = 1e-3
_PATIENCE = 4


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Where a search ended.

    matrix       (4, 4); fixed points -> moving points, LPS mm
    similarity   what the search maximised: correlation or mutual information (nats)
    overlap      share of the samples that lie inside the moving image
    """

    matrix: np.ndarray
    similarity: float
    overlap: float


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """What a local search compares: samples of the fixed level, and the moving level."""

    fixed: Level
    samples: Samples
    moving: Level

    @property
    def voxel_mm(self) -> float:
        """The finest step along any axis of both levels."""
        return float(min(self.fixed.spacing_mm.min(), self.moving.spacing_mm.min()))

    def to_moving_index(self, matrix: np.ndarray) -> np.ndarray:
        """(4, 4): fixed index -> moving index, for a motion in mm."""
        return np.asarray(np.linalg.solve(self.moving.affine, matrix @ self.fixed.affine))

    def slopes(self, matrix: np.ndarray, generators: np.ndarray) -> np.ndarray:
        """How the twelve entries of `to_moving_index` change with each step, shape (n, 12)."""
        into = np.linalg.solve(self.moving.affine, matrix)
        return np.asarray((into @ generators @ self.fixed.affine)[:, :3].reshape(len(generators), 12))


def refine_correlation(
    pair: Pair, start: np.ndarray, freedom: Freedom, *, robust: bool = False, n_iterations: int = 30
) -> Fit:
    """The motion near `start` with the highest correlation coefficient.

    robust   weigh samples down that do not follow the others (new lesions, other slices): Tukey's bisquare
    """
    from isocenter.imaging.register.linear_kernels import normal_equations

    best, damping, relation = Fit(start, -1.0, 0.0), 1e-4, np.zeros(3)
    matrix, generators, samples = start, freedom.generators, pair.samples
    system = (np.zeros((0, 0)), np.zeros(0), np.zeros((0, 0)))
    n_rejected = 0
    for _ in range(n_iterations):
        place = pair.to_moving_index(matrix)
        hess, side, sums = normal_equations(
            samples.index, samples.values, samples.weights, pair.moving.array, place, relation
        )
        similarity, fitted = _correlation(sums)
        if similarity < best.similarity - _WORSE:
            n_rejected, damping = n_rejected + 1, damping * 30
            matrix = best.matrix
            if n_rejected > _PATIENCE:
                break
        else:
            if similarity > best.similarity or robust:
                best = Fit(matrix, similarity, float(sums[6]) / max(1, len(samples.values)))
            relation = np.array((*fitted[:2], _TUKEY * fitted[2] if robust else 0.0))
            system, damping = (hess, side, pair.slopes(matrix, generators)), max(damping / 3, 1e-6)
        matrix, moved_mm = _gauss_newton(pair, matrix, freedom, (*system, damping))
        if moved_mm < _STILL * pair.voxel_mm:
            break
    return best


def _gauss_newton(
    pair: Pair, matrix: np.ndarray, freedom: Freedom, system: tuple[np.ndarray, np.ndarray, np.ndarray, float]
) -> tuple[np.ndarray, float]:
    """The motion after one damped step, and the length of the step in mm."""
    hess, side, slopes, damping = system
    n = len(slopes)
    chain = np.zeros((n + 2, hess.shape[0]))
    chain[:n, :12] = slopes
    chain[n, 12] = chain[n + 1, 13] = 1.0
    normal = chain @ hess @ chain.T
    normal[np.diag_indices(n + 2)] *= 1 + damping
    normal[np.diag_indices(n + 2)] += 1e-12 * max(float(np.trace(normal)), 1e-12)
    step = np.linalg.solve(normal, chain @ side)[:n]
    return _stride(pair, matrix, freedom, step)


def _stride(pair: Pair, matrix: np.ndarray, freedom: Freedom, step: np.ndarray) -> tuple[np.ndarray, float]:
    length = float(np.linalg.norm(step))
    limit = _STRIDE * pair.voxel_mm
    if length > limit:
        step = step * (limit / length)
    return matrix @ freedom.step(step), min(length, limit)


def _correlation(sums: np.ndarray) -> tuple[float, tuple[float, float, float]]:
    """The correlation of the samples; slope and offset of moving against fixed and the residual's deviation."""
    weight = sums[0]
    if weight <= 0:
        return -1.0, (0.0, 0.0, 0.0)
    mean_f, mean_m = sums[1] / weight, sums[2] / weight
    var_f = max(sums[3] / weight - mean_f**2, 0.0)
    var_m = max(sums[4] / weight - mean_m**2, 0.0)
    both = sums[5] / weight - mean_f * mean_m
    if var_f * var_m <= 0:
        return 0.0, (0.0, float(mean_m), float(np.sqrt(var_m)))
    slope = both / var_f
    spread = np.sqrt(max(var_m - slope * both, 1e-12 * var_m))
    return float(both / np.sqrt(var_f * var_m)), (float(slope), float(mean_m - slope * mean_f), float(spread))


def correlation_at(pair: Pair, matrix: np.ndarray) -> Fit:
    """The correlation coefficient of the samples at a motion."""
    from isocenter.imaging.register.linear_kernels import sampled_moments

    samples = pair.samples
    place = pair.to_moving_index(matrix)
    sums = sampled_moments(samples.index, samples.values, samples.weights, pair.moving.array, place)
    return Fit(matrix, _correlation(sums)[0], float(sums[6]) / max(1, len(samples.values)))


@dataclass(frozen=True, slots=True, eq=False)
class BinnedPair:
    """A pair whose values are in units of bins, for joint histograms."""

    pair: Pair
    bins: np.ndarray
    moving: np.ndarray
    n_bins: int

    def at(self, matrix: np.ndarray) -> tuple[np.ndarray, float]:
        """The joint histogram at a motion, and the weight of the samples inside the moving image."""
        from isocenter.imaging.register.linear_kernels import joint_histogram

        samples = self.pair.samples
        place = self.pair.to_moving_index(matrix)
        counts, inside = joint_histogram(samples.index, self.bins, samples.weights, self.moving, place, self.n_bins)
        return counts, inside


def bin_pair(pair: Pair, *, n_bins: int = N_BINS) -> BinnedPair:
    """The pair with both ranges cut into bins of equal width."""
    low, high = pair.fixed.range
    bins = ((pair.samples.values - low) * (n_bins / (high - low))).astype(np.int32)
    low, high = pair.moving.range
    moving = (pair.moving.array - low) * np.float32((n_bins - 1) / (high - low))
    return BinnedPair(pair, np.clip(bins, 0, n_bins - 1).astype(np.int32), moving, n_bins)


def information(counts: np.ndarray) -> tuple[float, float]:
    """Mutual information (nats) and its normalised form (1 to 2) of a joint histogram.

    Source: Studholme C, Hill DLG, Hawkes DJ. Pattern Recognition 1999;32(1):71-86.
    """
    total = counts.sum()
    if total <= 0:
        return 0.0, 1.0
    joint = counts / total
    h_fixed, h_moving, h_joint = (_entropy(p) for p in (joint.sum(1), joint.sum(0), joint))
    return h_fixed + h_moving - h_joint, (h_fixed + h_moving) / h_joint if h_joint > 0 else 1.0


def _entropy(shares: np.ndarray) -> float:
    positive = shares[shares > 1e-15]
    return float(-(positive * np.log(positive)).sum())


def refine_information(binned: BinnedPair, start: np.ndarray, freedom: Freedom, *, n_iterations: int = 40) -> Fit:
    """The motion near `start` with the highest mutual information, by BFGS steps from place to place."""
    pair = binned.pair
    matrix = start
    value, gradient, overlap = _information_slope(binned, matrix, freedom)
    inverse: np.ndarray | None = None
    n_short = 0
    for _ in range(n_iterations):
        norm = float(np.linalg.norm(gradient))
        if norm < 1e-12:
            break
        direction = gradient * (0.5 * pair.voxel_mm / norm) if inverse is None else inverse @ gradient
        if direction @ gradient <= 0:
            direction, inverse = gradient * (0.5 * pair.voxel_mm / norm), None
        length = float(np.linalg.norm(direction))
        direction *= min(1.0, _STRIDE * pair.voxel_mm / length)
        found = _climb(binned, (matrix, value), freedom, (direction, gradient))
        if found is None:
            if inverse is None:
                break
            inverse = None
            continue
        step, matrix, (new_value, new_gradient, overlap) = found
        inverse = _bfgs(inverse, step, gradient - new_gradient)
        value, gradient = new_value, new_gradient
        if float(np.linalg.norm(step)) < _STILL * pair.voxel_mm:
            n_short += 1
            inverse = None
            if n_short > 1:
                break
        else:
            n_short = 0
    return Fit(matrix, value, overlap)


def _climb(
    binned: BinnedPair,
    here: tuple[np.ndarray, float],
    freedom: Freedom,
    course: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, tuple[float, np.ndarray, float]] | None:
    """The first of ever shorter steps that climbs enough (Armijo), with the slope there; None where none does."""
    matrix, value = here
    direction, gradient = course
    for shorten in (1.0, 0.4, 0.15, 0.05, 0.01):
        step = direction * shorten
        there = matrix @ freedom.step(step)
        found = _information_slope(binned, there, freedom)
        if found[0] > value + 1e-4 * float(step @ gradient):
            return step, there, found
    return None


def _bfgs(inverse: np.ndarray | None, step: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """The inverse curvature after one more step (of minus the similarity); unchanged where the curve is not hollow."""
    n = len(step)
    curved = float(step @ bend)
    if inverse is None:
        inverse = np.eye(n) * max(curved, 1e-12) / max(float(bend @ bend), 1e-24)
    if curved <= 1e-10 * float(np.linalg.norm(step) * np.linalg.norm(bend)):
        return inverse
    rest = np.eye(n) - np.outer(step, bend) / curved
    return np.asarray(rest @ inverse @ rest.T + np.outer(step, step) / curved)


def _information_slope(binned: BinnedPair, matrix: np.ndarray, freedom: Freedom) -> tuple[float, np.ndarray, float]:
    """Mutual information at a motion, its slope by each step, and the share of samples inside."""
    from isocenter.imaging.register.linear_kernels import histogram_gradient

    counts, inside = binned.at(matrix)
    samples, pair = binned.pair.samples, binned.pair
    overlap = inside / max(float(samples.weights.sum()), 1e-12)
    generators = freedom.generators
    if inside <= 0:
        return 0.0, np.zeros(len(generators)), 0.0
    joint = counts / inside
    fixed, moving = joint.sum(1, keepdims=True), joint.sum(0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(joint > 1e-12, np.log(joint / (fixed * moving)), 0.0)
    value = float((joint * score).sum())
    place = pair.to_moving_index(matrix)
    by_entry = histogram_gradient(samples.index, binned.bins, samples.weights, binned.moving, place, score)
    return value, pair.slopes(matrix, generators) @ by_entry / inside, overlap
