"""Noise of any kind made Gaussian of deviation 1, and back without bias.

A denoiser for Gaussian noise works between the two. The way back is not the inverse of the way there: the mean of a
bent value is not the bent mean; the tables hold what mean a signal has after the way there, and read it backwards.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.noise import NoiseModel

_TABLE: Final = 2048
_NODES: Final = 33
# Below the level of speckle times the mean of the bright half (and at least this share), its deviation counts as
# constant: a logarithm would turn strong speckle into deep holes.
_DARK_SHARE: Final = 0.02
# Beyond this ratio of signal to noise Rician noise is Gaussian to a hundredth of its deviation.
_RICIAN_REACH: Final = 30.0


def denoise_stabilised(array: np.ndarray, model: NoiseModel, denoise: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The array without noise of a known kind and level, float32.

    denoise   takes an array with Gaussian noise of deviation 1 and returns it without

    Source: Mäkitalo & Foi, IEEE Trans. Image Process. 2011;20(1):99-109 (why the inverse has to be unbiased); Foi,
    IEEE ISBI 2011:1809-1812 (the same for Rician noise); Foi, Signal Process. 2009;89(12):2609-2629 (cut values).
    """
    values = np.asarray(array, dtype=np.float32)
    if model.level == 0 or not np.ptp(values) > 0:
        return values.copy()
    # The other kinds are stated of magnitudes and counts; around zero noise makes some of them negative, never most.
    if model.kind != "gaussian" and float(np.median(values)) < 0:
        raise InputError(
            f"noise: expected values of 0 and more for {model.kind} noise, got {values.min():g} to {values.max():g} "
            "with most below 0; use --noise gaussian"
        )
    forward, signals, expected = _tables(values, model)
    if signals.size < 2:
        raise InputError(
            f"noise: expected {model.kind} noise that leaves a signal, got the level {model.level:g} on values of "
            f"{values.min():g} to {values.max():g}; choose another --noise or --sigma"
        )
    clean = np.asarray(denoise(np.asarray(forward(values), dtype=np.float32)), dtype=np.float64)
    back = np.interp(clean, expected, signals)
    # Beyond the table: on in a straight line.
    slope = (signals[-1] - signals[-2]) / (expected[-1] - expected[-2])
    back = np.where(clean > expected[-1], signals[-1] + (clean - expected[-1]) * slope, back)
    if model.kind == "gaussian" and not np.isfinite(model.low):
        slope = (signals[1] - signals[0]) / (expected[1] - expected[0])
        back = np.where(clean < expected[0], signals[0] + (clean - expected[0]) * slope, back)
    return np.asarray(back, dtype=np.float32)


Curve = Callable[[np.ndarray], np.ndarray]


def _tables(values: np.ndarray, model: NoiseModel) -> tuple[Curve, np.ndarray, np.ndarray]:
    """The way there, signals, and the mean of each signal's values after the way there (ascending)."""
    low, high = float(values.min()), float(values.max())
    if model.kind == "rician":
        return _rician_tables(model.level, high)
    if model.kind == "poisson":
        return _poisson_tables(model, high)
    start = low if model.kind == "gaussian" else 0.0
    if np.isfinite(model.low):
        start = max(start, model.low)
    signals = np.linspace(start, high, _TABLE)
    if model.kind == "gaussian":
        forward = _straight(model.level)
        expected = model.moments(signals)[0] / model.level
    else:
        bright = float(values[values > values.mean(dtype=np.float64)].mean(dtype=np.float64))
        forward = _bent(model.level, max(_DARK_SHARE, model.level) * bright)
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        drawn = signals[:, None] * (1 + model.level * nodes)
        expected = forward(np.clip(drawn, model.low, model.high)) @ weights / weights.sum()
    return (forward, *_ascending(signals, expected))


def _straight(sigma: float) -> Curve:
    return lambda x: x / sigma


def _bent(level: float, dark: float) -> Curve:
    """The logarithm's kin that is straight near 0: deviation 1 for noise that grows with the signal."""
    return lambda x: np.arcsinh(x / dark) / level


def _poisson_tables(model: NoiseModel, high: float) -> tuple[Curve, np.ndarray, np.ndarray]:
    """Anscombe's root and its exact mean: sums over the counts of a Poisson distribution, its limit beyond."""
    from scipy.special import gammaln

    counts_high = high / model.level
    signals = np.square(np.linspace(0, np.sqrt(counts_high * 1.05 + 1), _TABLE))
    few = signals[signals < 50]
    counts = np.arange(200)
    log_rate = np.log(np.maximum(few, 1e-300))[:, None]
    chance = np.exp(counts * log_rate - few[:, None] - gammaln(counts + 1))
    exact = chance @ (2 * np.sqrt(counts + 0.375))
    rest = signals[few.size :]
    # Mean of the root of a Poisson variable, to the second order in 1 / rate.
    limit = 2 * np.sqrt(rest + 0.375) - 0.25 / np.sqrt(rest)
    expected = np.concatenate((exact, limit))

    def forward(x: np.ndarray) -> np.ndarray:
        return 2 * np.sqrt(np.maximum(x / model.level + 0.375, 0))

    return (forward, *_ascending(signals * model.level, expected))


def _rician_tables(sigma: float, high: float) -> tuple[Curve, np.ndarray, np.ndarray]:
    """The integral of one over the deviation along the mean, and the exact mean of its values."""
    signal = np.linspace(0, _RICIAN_REACH, _TABLE)
    mean, spread = NoiseModel("rician", 1.0).moments(signal)
    bent = np.concatenate(([0.0], np.cumsum(np.diff(mean) * (1 / spread[1:] + 1 / spread[:-1]) / 2)))

    def forward(x: np.ndarray) -> np.ndarray:
        z = np.asarray(x, dtype=np.float64) / sigma
        inside = np.interp(z, mean, bent)
        below = (z - mean[0]) / spread[0]
        return np.where(z < mean[0], below, np.where(z > mean[-1], bent[-1] + z - mean[-1], inside))

    expected = np.array([_rician_mean(forward, nu, sigma) for nu in signal])
    more = max(high / sigma - _RICIAN_REACH, 0) + 1
    signals = np.append(signal, _RICIAN_REACH + more) * sigma
    return (forward, *_ascending(signals, np.append(expected, expected[-1] + more)))


def _rician_mean(forward: Curve, nu: float, sigma: float) -> float:
    """The mean of the bent value over the Rician distribution of signal nu (in deviations), by the trapezoidal rule."""
    from scipy.special import ive

    z = np.linspace(max(0.0, nu - 8), nu + 8, 400)
    density = z * np.exp(-np.square(z - nu) / 2) * ive(0, z * nu)
    return float((density * forward(z * sigma)).sum() / density.sum())


def _ascending(signals: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows of the table at which the mean grows; where values were cut off it may stand still."""
    running = np.maximum.accumulate(expected)
    grows = np.concatenate(([True], np.diff(running) > 1e-9 * max(1.0, abs(float(running[-1])))))
    return signals[grows], expected[grows]
