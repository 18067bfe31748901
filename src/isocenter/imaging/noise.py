"""Noise: of which kind it is and how strong, seen from the image alone.

gaussian  the same deviation everywhere          level = deviation, in the image's unit
poisson   variance grows with the signal         level = variance over signal, in the image's unit
speckle   deviation grows with the signal        level = deviation over signal
rician    of magnitude images, skewed in the dark; level = deviation of the real and imaginary part
"""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from isocenter.core.errors import InputError

NoiseKind = Literal["gaussian", "poisson", "rician", "speckle"]
KINDS: Final[tuple[NoiseKind, ...]] = ("gaussian", "poisson", "rician", "speckle")
# A mask whose answer to white noise of deviation 1 has deviation 6 and which ignores planes.
_EDGE_FREE: Final = np.array(((1, -2, 1), (-2, 4, -2), (1, -2, 1)), dtype=np.float32)
_EDGE_FREE_GAIN: Final = 6.0
# The deviation of a normal distribution over the median of its absolute values.
_MAD: Final = 1.4826
_BINS: Final = 24
_FEWEST: Final = 200
# The share of each brightness that counts as flat, by the gradient of the image blurred this much (pixels).
_FLAT_SHARE: Final = 0.3
_FLAT_SIGMA: Final = 2.0
_MOST_SLICES: Final = 24
# An extreme value that this share of all voxels holds is a wall that values were cut at.
_WALL_SHARE: Final = 0.002
_LEVELS: Final = 80
# Another kind must explain the measured deviations this much better than Gaussian noise does.
_PREFERENCE: Final = 0.85
# Counts: fewer different values than this share of the voxels, in a sample.
_FEW_VALUES: Final = 0.3
# Values in steps that are the level of Poisson noise, to within this share of it, are counts: its cost falls to this.
_SAME_STEP: Final = 0.25
_COUNTED: Final = 0.4
_NOT_COUNTED: Final = 1.6
# Whole numbers may be counts, but every picture of 8 bits has them.
_WHOLE: Final = 0.85
_SAMPLE: Final = 50_000
# Noise that would bring at least so many values to 0 or below, of which fewer than this share is seen, is another.
_FEWEST_NEGATIVE: Final = 12.0
_SEEN_NEGATIVE: Final = 0.2
_WRONG_SIGNS: Final = 4.0


@dataclass(frozen=True, slots=True)
class NoiseModel:
    """What noise an image has.

    level       see the module's table of kinds
    low, high   where the image's values were cut off, -inf and inf where they were not
    """

    kind: NoiseKind
    level: float
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"noise: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        if not (self.level >= 0 and np.isfinite(self.level)):
            raise InputError(f"noise: expected a level of at least 0, got {self.level}")

    def moments(self, signal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of what is measured where the noise-free signal is this.

        Source: Gudbjartsson & Patz, Magn. Reson. Med. 1995;34:910-914 (Rician); Foi, Signal Process.
        2009;89(12):2609-2629 (values cut off).
        """
        if self.kind == "rician":
            return _rician_moments(signal, self.level)
        return _cut_moments(signal, self.deviation(signal), self.low, self.high)

    def deviation(self, signal: np.ndarray) -> np.ndarray:
        """Deviation before anything is cut off, at a noise-free signal; Rician: far from the dark."""
        if self.kind == "poisson":
            return np.asarray(np.sqrt(self.level * np.maximum(signal, 0)))
        if self.kind == "speckle":
            return np.asarray(self.level * np.abs(signal))
        return np.full(np.shape(signal), self.level)


def estimate_sigma(array: np.ndarray) -> float:
    """The deviation of white Gaussian noise in an image, in its unit; 0 where neighbours do not differ.

    array   (slices, rows, columns); slices are looked at one by one

    >>> rng = np.random.default_rng(0)
    >>> round(estimate_sigma(rng.normal(0, 5, (1, 128, 128))), 1)
    5.0

    Source: Immerkaer, Comput. Vis. Image Underst. 1996;64(2):300-302 (the mask); the median instead of the mean, over
    flat places only.
    """
    _, deviations, weights = _measure(np.asarray(array))
    return float(np.average(deviations, weights=weights)) if deviations.size else 0.0


def estimate_noise(array: np.ndarray, *, kind: NoiseKind | None = None, level: float | None = None) -> NoiseModel:
    """The noise of an image: kind and level, as far as the caller does not state them.

    array   (slices, rows, columns)

    The deviation is measured at each brightness in flat places; the kind whose law fits it best is taken, Gaussian
    unless another is clearly better.
    """
    values = np.asarray(array, dtype=np.float32)
    low, high = _walls(values)
    if kind is not None and level is not None:
        return NoiseModel(kind, level, low, high)
    means, deviations, weights = _measure(values)
    if not deviations.size or float(deviations.max()) <= 0:
        return NoiseModel(kind or "gaussian", 0.0, low, high)
    # Where the unit itself goes below 0, as HU does, signs say nothing of the noise.
    signs = _signs(values) if kind is None and values.min() >= 0 else None
    best: tuple[float, NoiseModel] | None = None
    for each in KINDS if kind is None else (kind,):
        if kind is None and each in ("poisson", "rician") and values.min() < 0:
            continue  # counts and magnitudes are never negative
        if kind is None and each == "speckle" and float(np.median(values)) < 0:
            continue  # it grows from 0 on
        cost, model = _fit(each, means, deviations, weights, (low, high))
        cost *= 1.0 if each == "gaussian" else 1 / _PREFERENCE
        cost *= _doubt_of_counts(values, model.level) if each == "poisson" else 1.0
        cost *= _doubt_of_signs(*signs, model) if signs is not None else 1.0
        if best is None or cost < best[0]:
            best = cost, model
    if best is None:
        raise InputError("noise: expected values to measure, got none")
    return best[1]


def _measure(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brightness, deviation of the noise and number of voxels, in bins of brightness over flat places."""
    chosen = np.unique(np.linspace(0, len(values) - 1, _MOST_SLICES).round().astype(int))
    if min(values.shape[1:]) < 3:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    parts = [_measure_slice(np.ascontiguousarray(values[k], dtype=np.float32)) for k in chosen]
    mean, residual, slope = (np.concatenate([part[n] for part in parts]) for n in range(3))
    if mean.size < _FEWEST:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    order = np.argsort(mean, kind="stable")
    rows = []
    for part in np.array_split(order, max(1, min(_BINS, mean.size // _FEWEST))):
        flat = part[slope[part] <= np.quantile(slope[part], _FLAT_SHARE)]
        rows.append((mean[flat].mean(), _MAD * np.median(np.abs(residual[flat])), flat.size))
    table = np.array(rows)
    table = table[table[:, 1] > 0]
    return table[:, 0], table[:, 1], table[:, 2]


def edge_free_residual(picture: np.ndarray) -> np.ndarray:
    """What a slice holds beyond planes and straight edges, (rows - 2, columns - 2): of white noise, its own deviation.

    Source: Immerkaer, Comput. Vis. Image Underst. 1996;64(2):300-302.
    """
    return np.asarray(cv2.filter2D(picture, cv2.CV_32F, _EDGE_FREE)[1:-1, 1:-1] / np.float32(_EDGE_FREE_GAIN))


def _measure_slice(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Local mean, noise sample and slope of each pixel whose neighbourhood is not constant."""
    residual = edge_free_residual(picture)
    smooth = cv2.GaussianBlur(picture, (0, 0), _FLAT_SIGMA, borderType=cv2.BORDER_REPLICATE)
    down, right = cv2.Sobel(smooth, cv2.CV_32F, 0, 1), cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    slope = np.hypot(down, right)[1:-1, 1:-1]
    spread = cv2.dilate(picture, np.ones((3, 3))) - cv2.erode(picture, np.ones((3, 3)))
    live = spread[1:-1, 1:-1] > 0
    return smooth[1:-1, 1:-1][live], residual[live], slope[live]


def _walls(values: np.ndarray) -> tuple[float, float]:
    """Where values were cut off: the least and the greatest, where many voxels hold it."""
    low, high = float(values.min()), float(values.max())
    return (
        low if (values == low).mean() > _WALL_SHARE else -np.inf,
        high if (values == high).mean() > _WALL_SHARE else np.inf,
    )


def _doubt_of_counts(values: np.ndarray, level: float) -> float:
    """Below 1 where the values are multiples of about the level, as counts are; above 1 where nearly all differ."""
    sample = values.reshape(-1)[:: max(1, values.size // _SAMPLE)]
    found = np.unique(sample)
    if found.size > _FEW_VALUES * sample.size:
        return _NOT_COUNTED
    step = float(np.median(np.diff(found))) if found.size > 1 else 0.0
    if abs(step - level) >= _SAME_STEP * level:
        return 1.0
    return _WHOLE if step == 1.0 and bool((found == np.rint(found)).all()) else _COUNTED


def _signs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Away from constant places, as padding is: the mean around each voxel in its slice, and if it holds 0 or less."""
    parts = []
    for picture in values:
        smooth = cv2.GaussianBlur(picture, (0, 0), _FLAT_SIGMA, borderType=cv2.BORDER_REPLICATE).reshape(picture.shape)
        dead = cv2.dilate(picture, np.ones((3, 3))) <= cv2.erode(picture, np.ones((3, 3)))
        reach = 2 * int(3 * _FLAT_SIGMA) + 1
        live = cv2.dilate(dead.astype(np.uint8), np.ones((reach, reach))).reshape(picture.shape) == 0
        live &= smooth > 0
        parts.append((smooth[live], picture[live] <= 0))
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _doubt_of_signs(local: np.ndarray, negative: np.ndarray, model: NoiseModel) -> float:
    """Above 1 where noise of this law would have to bring values to 0 and below that are not there, or where they are
    there and it never does: magnitudes are positive.
    """
    from scipy.special import ndtr

    deviation = model.deviation(local)
    noisy = deviation > 0
    expected = float(ndtr(-local[noisy] / deviation[noisy]).sum())
    if model.kind == "poisson" or expected <= _FEWEST_NEGATIVE:
        return 1.0
    is_signed = float(negative[noisy].sum()) >= _SEEN_NEGATIVE * expected
    return _WRONG_SIGNS if is_signed == (model.kind == "rician") else 1.0


def _fit(
    kind: NoiseKind,
    means: np.ndarray,
    deviations: np.ndarray,
    weights: np.ndarray,
    walls: tuple[float, float],
) -> tuple[float, NoiseModel]:
    """The level of one kind that explains the measured deviations best, and how badly it still does."""
    top = float(max(means.max(), 1e-30))
    guess = float(np.median(deviations))
    middle = {"poisson": guess**2 / max(float(np.median(means)), 1e-3 * top), "speckle": guess / top}.get(kind, guess)
    span = np.geomspace(0.05, 20, _LEVELS)
    best: tuple[float, NoiseModel] | None = None
    for _ in range(2):
        for level in middle * span:
            model = NoiseModel(kind, float(level), *walls)
            cost = _misfit(model, means, deviations, weights)
            if best is None or cost < best[0]:
                best = cost, model
        middle = best[1].level if best else middle
        span = np.geomspace(0.93, 1.075, _LEVELS // 2)
    if best is None:
        raise InputError("noise: expected a level to try, got none")
    return best


def _misfit(model: NoiseModel, means: np.ndarray, deviations: np.ndarray, weights: np.ndarray) -> float:
    """Weighted mean of the absolute log ratio between measured and expected deviations, each at most 1."""
    bottom = min(float(means.min()), 0.0)
    signal = np.linspace(bottom, float(means.max()) * 1.1 + 1e-30, 400)
    at, spread = model.moments(signal)
    floor = 0.02 * float(deviations.max())
    expected = np.interp(means, at, spread)
    ratio = np.log((deviations + floor) / (expected + floor))
    return float(np.average(np.minimum(np.abs(ratio), 1.0), weights=weights))


def _rician_moments(signal: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of the magnitude of a complex signal with noise in both parts."""
    from scipy.special import ive

    if sigma == 0:
        return np.abs(signal), np.zeros_like(signal)
    x = np.square(signal / sigma) / 2
    mean = sigma * np.sqrt(np.pi / 2) * ((1 + x) * ive(0, x / 2) + x * ive(1, x / 2))
    variance = np.maximum(np.square(signal) + 2 * sigma**2 - np.square(mean), 0)
    # Far from the dark the difference of two large numbers says nothing; the limit is the deviation itself.
    return mean, np.where(x > 1e4, sigma, np.sqrt(variance))


def _cut_moments(signal: np.ndarray, deviation: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of a normal value after all below `low` and above `high` is set to these."""
    from scipy.special import ndtr

    spread = np.maximum(deviation, 1e-30)
    mean, second = np.zeros_like(spread), np.zeros_like(spread)
    a, b = (np.clip((wall - signal) / spread, -40, 40) for wall in (low, high))
    density_a, density_b = (np.exp(-np.square(z) / 2) / np.sqrt(2 * np.pi) for z in (a, b))
    inside = ndtr(b) - ndtr(a)
    # Of the standardised value; what is cut off sits at a and b.
    mean = density_a - density_b + a * ndtr(a) + b * ndtr(-b)
    second = inside + a * density_a - b * density_b + np.square(a) * ndtr(a) + np.square(b) * ndtr(-b)
    return signal + spread * mean, spread * np.sqrt(np.maximum(second - np.square(mean), 0))
