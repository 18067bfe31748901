"""How much a CT reconstruction blurred the slices, read from its noise.

Filtered back projection makes every view's white noise into noise whose power is |f| times the squared transfer
function of what came after the ramp (Riederer, Pelc, Chesler, Phys Med Biol 1978;23:446). So the square root of
power over frequency is that transfer function, and noise that lacks this ramp was not made by such a reconstruction.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# Soft tissue, fat included: what else is in a patch changes from slice to slice.
_SOFT_HU = (-160.0, 260.0)
_SIZES = (32, 24)
_MIN_PATCHES = 25
_MAX_STEPS = 24
_MIN_NOISE_HU = 1.0
# The ramp must describe the noise clearly better than a spectrum without it.
_MAX_MISFIT, _MAX_RELATIVE = 0.15, 0.8
_FIELD = 64
_REACH = 8


@dataclass(frozen=True, slots=True)
class ReconstructionBlur:
    """Transfer function exp(-(a f^2 + b f^4)) in plane, f in Nyquist frequencies, 0 beyond 1.

    quadratic, quartic   a and b
    """

    quadratic: float
    quartic: float

    @property
    def sigma_pixels(self) -> float:
        """Standard deviation of the Gaussian that starts out like it."""
        return float(np.sqrt(2 * self.quadratic) / np.pi)

    def transfer(self, frequency: np.ndarray) -> np.ndarray:
        """Share of the contrast that is kept."""
        kept = np.exp(-(self.quadratic * frequency**2 + self.quartic * frequency**4))
        return np.asarray(np.where(frequency <= 1, kept, 0.0))

    def taps(self) -> np.ndarray:
        """The blur as a filter, (17, 17), of sum 1."""
        middle = np.fft.fftshift(np.fft.ifft2(self.transfer(_frequencies(_FIELD))).real)
        inner = slice(_FIELD // 2 - _REACH, _FIELD // 2 + _REACH + 1)
        return np.asarray(middle[inner, inner] / middle[inner, inner].sum())


def estimate_reconstruction_blur(hu: np.ndarray) -> ReconstructionBlur | None:
    """The blur of an axial CT, None where its noise does not tell.

    hu   (slices, rows, columns), square pixels

    Raises nothing: too little soft tissue, no noise, or noise without the ramp all give None.
    Source: Riederer, Pelc, Chesler, Phys Med Biol 1978;23:446.
    """
    for size in _SIZES:
        patches = _noise_patches(hu, size)
        if len(patches) >= _MIN_PATCHES:
            break
    else:
        return None
    if float(np.median(patches.std(axis=(1, 2)))) < _MIN_NOISE_HU:
        return None
    measured = _power(patches)
    ramp_misfit, (a, b) = _fit(measured, size, ramp=True)
    plain_misfit, _ = _fit(measured, size, ramp=False)
    if ramp_misfit > min(_MAX_MISFIT, _MAX_RELATIVE * plain_misfit):
        return None
    return ReconstructionBlur(a, b)


def _noise_patches(hu: np.ndarray, size: int) -> np.ndarray:
    """Differences of neighbouring slices in squares of soft tissue, (n, size, size) float32."""
    half, found = size // 2, []
    for k in range(0, len(hu) - 1, max(1, len(hu) // _MAX_STEPS)):
        lower, upper = hu[k], hu[k + 1]
        soft = (lower > _SOFT_HU[0]) & (lower < _SOFT_HU[1]) & (upper > _SOFT_HU[0]) & (upper < _SOFT_HU[1])
        if min(soft.shape) < size:
            break
        sums = np.pad(soft.astype(np.int32).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        ends = sums[size::half, size::half], sums[size::half, :-size:half]
        starts = sums[:-size:half, size::half], sums[:-size:half, :-size:half]
        n_soft = ends[0] - ends[1] - starts[0] + starts[1]
        apart = upper.astype(np.float32) - lower
        found += [apart[j : j + size, i : i + size] for j, i in np.argwhere(n_soft == size * size) * half]
    return np.array(found, np.float32).reshape(-1, size, size)


def _window(size: int) -> np.ndarray:
    """Hann's window, (size, size)."""
    row = 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / size)
    return np.asarray(np.outer(row, row))


def _power(patches: np.ndarray) -> np.ndarray:
    """Median power of the patches, scaled to the mean of noise (exponentially distributed), (size, size // 2 + 1)."""
    window = _window(patches.shape[1])
    level = (patches * window).sum(axis=(1, 2), keepdims=True) / window.sum()
    power = np.abs(np.fft.rfft2((patches - level) * window)) ** 2
    return np.asarray(np.median(power, axis=0) / np.log(2))


def _frequencies(size: int) -> np.ndarray:
    """Distance from the origin in Nyquist frequencies, (size, size)."""
    row = 2 * np.fft.fftfreq(size)
    return np.asarray(np.hypot(row[:, None], row[None, :]))


def _fit(measured: np.ndarray, size: int, *, ramp: bool) -> tuple[float, tuple[float, float]]:
    """Misfit (RMS of the logarithm) and (a, b) of f exp(-2 (a f^2 + b f^4)), or of the same without f.

    The spectrum is compared as the window blurs it.
    """
    fine, coarse = _frequencies(4 * size), _frequencies(size)[:, : size // 2 + 1]
    window = np.zeros(fine.shape)
    window[:size, :size] = _window(size)
    spread = np.fft.ifft2(np.abs(np.fft.fft2(window)) ** 2).real
    ring = np.round(coarse * size / 2).astype(int).ravel()
    counts = np.bincount(ring)
    radius, seen = np.bincount(ring, coarse.ravel()) / counts, np.bincount(ring, measured.ravel()) / counts
    use = (radius > 1.0 / size) & (radius < 0.95) & (seen > 0.01 * seen.max())
    weight = radius[use] / radius[use].sum()
    shape = np.where(fine <= 1, fine, 0.0) if ramp else np.ones(fine.shape)

    def misfit(a: float, b: float) -> float:
        spectrum = shape * np.exp(-2 * (a * fine**2 + b * fine**4))
        correlation = np.fft.ifft2(spectrum).real
        seen_through = np.fft.fft2(correlation * spread).real[::4, ::4][:, : size // 2 + 1]
        expected = np.bincount(ring, np.maximum(seen_through, 1e-12).ravel()) / counts
        apart = np.log(seen[use]) - np.log(expected[use])
        return float(np.sqrt((weight * (apart - (weight * apart).sum()) ** 2).sum()))

    return _search(misfit)


def _search(misfit: Callable[[float, float], float]) -> tuple[float, tuple[float, float]]:
    """The smallest misfit over a, b >= 0, by grids that close in."""
    centre, width = (2.0, 2.0), 2.0
    best = (np.inf, centre)
    for _ in range(11):
        steps = (-width, 0.0, width)
        pairs = [(max(0.0, centre[0] + u), max(0.0, centre[1] + v)) for u in steps for v in steps]
        best = min(best, min((misfit(a, b), (a, b)) for a, b in set(pairs)))
        centre, width = best[1], width * 0.62
    return best
