"""What a phantom tells by frequency: the power of the noise (NPS), and how much detail a system transfers (MTF)."""

from dataclasses import dataclass

import numpy as np

from isocenter.core.errors import InputError

_LEAST_SIDE = 16
# Samples of the edge profile per pixel, as in ISO 12233.
_OVERSAMPLING = 4
_MOST_SLANT_DEG = 40.0
_LEAST_SLANT_DEG = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class NoisePower:
    """Noise power spectrum.

    frequencies_per_mm   of the radial average, from one step above 0 up to Nyquist
    power                radial average at those, (unit of the image)² mm²
    spectrum             in two dimensions, zero frequency in the middle
    variance             integral of `spectrum`: the variance of the noise
    """

    frequencies_per_mm: np.ndarray
    power: np.ndarray
    spectrum: np.ndarray
    variance: float


@dataclass(frozen=True, slots=True, eq=False)
class Transfer:
    """Modulation transfer function: 1 at frequency 0.

    angle_deg   of the edge from the columns or rows that it runs along; None for a point
    """

    frequencies_per_mm: np.ndarray
    values: np.ndarray
    angle_deg: float | None = None

    def frequency_at(self, level: float) -> float:
        """The first frequency (1/mm) at which the function falls to a level; NaN where it stays above.

        >>> line = Transfer(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
        >>> line.frequency_at(0.5)
        0.5
        """
        below = np.flatnonzero(self.values <= level)
        if not below.size:
            return float("nan")
        n = int(below[0])
        if n == 0:
            return float(self.frequencies_per_mm[0])
        high, low = self.values[n - 1], self.values[n]
        share = (high - level) / (high - low)
        return float(self.frequencies_per_mm[n - 1] + share * np.diff(self.frequencies_per_mm)[n - 1])


def noise_power(images: np.ndarray, *, pixel_mm: tuple[float, float], trend: int = 1) -> NoisePower:
    """The noise power spectrum of regions that should be uniform.

    images     (rows, columns), or (regions, rows, columns) of equal size, whose spectra are averaged
    pixel_mm   between rows, between columns
    trend      order of the polynomial that is taken off each region: 0 its mean, 1 a plane, 2 a curved plane

    Raises InputError for regions under 16 pixels, values that are not finite, or another order.
    Source: ICRU Report 87 (2012), section 5; Boone JM. AAPM TG-233 (2019), section 6.3.
    """
    regions = np.asarray(images, dtype=np.float64)
    regions = regions[None] if regions.ndim == 2 else regions
    if regions.ndim != 3 or min(regions.shape[1:]) < _LEAST_SIDE or not np.isfinite(regions).all():
        raise InputError(
            f"noise power: expected finite regions of at least {_LEAST_SIDE} pixels a side, got {np.shape(images)}"
        )
    if trend not in (0, 1, 2) or not min(pixel_mm) > 0:
        raise InputError(f"noise power: expected a trend of order 0, 1 or 2 and a pixel size, got {trend}, {pixel_mm}")
    rows, columns = regions.shape[1:]
    noise = regions - _trend_of(regions, trend)
    power = np.abs(np.fft.fft2(noise)) ** 2
    spectrum = np.fft.fftshift(power.mean(axis=0)) * pixel_mm[0] * pixel_mm[1] / (rows * columns)
    steps = 1 / (rows * pixel_mm[0]), 1 / (columns * pixel_mm[1])
    frequencies, radial = _radial_mean(spectrum, pixel_mm)
    return NoisePower(frequencies, radial, spectrum, float(spectrum.sum() * steps[0] * steps[1]))


def mtf_of_edge(image: np.ndarray, *, pixel_mm: tuple[float, float]) -> Transfer:
    """The modulation transfer function from a picture of one straight edge, a little slanted, between two levels.

    image      (rows, columns), the edge through its whole height or width, 0.5 to 40 degrees off the grid
    pixel_mm   between rows, between columns

    The pixels are ordered by their distance to the line that fits the edge, four bins to a pixel; the spectrum of
    the profile's slope is corrected for the bins and the finite difference.

    Raises InputError where there is no such edge.
    Source: ISO 12233:2017, annex D (slanted edge), with the distance in place of the shift along rows.
    """
    picture = np.asarray(image, dtype=np.float64)
    if picture.ndim != 2 or min(picture.shape) < _LEAST_SIDE or not np.isfinite(picture).all():
        raise InputError(
            f"MTF: expected a finite picture of at least {_LEAST_SIDE} pixels a side, got {np.shape(image)}"
        )
    steps = pixel_mm
    if np.abs(np.diff(picture, axis=0)).sum() * picture.shape[1] > np.abs(np.diff(picture, axis=1)).sum() * len(
        picture
    ):
        picture, steps = picture.T, (pixel_mm[1], pixel_mm[0])
    slope, offset = _edge_line(picture)
    tangent = slope * steps[1] / steps[0]
    angle_deg = float(np.degrees(np.arctan(tangent)))
    if not _LEAST_SLANT_DEG <= abs(angle_deg) <= _MOST_SLANT_DEG:
        raise InputError(
            f"MTF: expected an edge {_LEAST_SLANT_DEG:g} to {_MOST_SLANT_DEG:g} degrees off the grid, "
            f"got {angle_deg:.1f}; turn the phantom"
        )
    rows, columns = np.indices(picture.shape)
    distances = (columns - offset - slope * rows) * steps[1] * np.cos(np.radians(angle_deg))
    return _transfer_of_profile(distances.ravel(), picture.ravel(), steps[1] / _OVERSAMPLING, angle_deg)


def mtf_of_point(image: np.ndarray, *, pixel_mm: tuple[float, float]) -> Transfer:
    """The modulation transfer function from a picture of a thin wire seen end on, or of a bead: radially averaged.

    image   (rows, columns) with one bright point well inside and a rim of background

    Raises InputError where nothing stands out.
    Source: Boone JM. AAPM TG-233 (2019), section 6.2 (wire); background taken from the rim.
    """
    picture = np.asarray(image, dtype=np.float64)
    if picture.ndim != 2 or min(picture.shape) < _LEAST_SIDE or not np.isfinite(picture).all():
        raise InputError(f"MTF: expected a picture of at least {_LEAST_SIDE} pixels a side, got {np.shape(image)}")
    rim = np.concatenate((picture[:2].ravel(), picture[-2:].ravel(), picture[:, :2].ravel(), picture[:, -2:].ravel()))
    spread = picture - np.median(rim)
    total = float(spread.sum())
    if not (total > 0 and spread.max() > 5 * rim.std()):
        raise InputError("MTF: expected one bright point on an even background, found none; choose another region")
    frequencies, radial = _radial_mean(np.abs(np.fft.fftshift(np.fft.fft2(spread))) / total, pixel_mm)
    return Transfer(np.insert(frequencies, 0, 0.0), np.insert(radial, 0, 1.0))


def _trend_of(regions: np.ndarray, order: int) -> np.ndarray:
    """The polynomial surface that fits each region best."""
    rows, columns = np.meshgrid(
        np.linspace(-1, 1, regions.shape[1]), np.linspace(-1, 1, regions.shape[2]), indexing="ij"
    )
    terms = [rows**a * columns**b for a in range(order + 1) for b in range(order + 1 - a)]
    basis, _ = np.linalg.qr(np.stack([term.ravel() for term in terms], axis=1))
    flat = regions.reshape(len(regions), -1)
    return np.asarray((flat @ basis @ basis.T).reshape(regions.shape))


def _radial_mean(spectrum: np.ndarray, pixel_mm: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over rings of one frequency step, without the zero frequency, up to the lower Nyquist frequency."""
    axes = [np.fft.fftshift(np.fft.fftfreq(n, step)) for n, step in zip(spectrum.shape, pixel_mm, strict=True)]
    radius = np.hypot(axes[0][:, None], axes[1])
    step = max(1 / (n * mm) for n, mm in zip(spectrum.shape, pixel_mm, strict=True))
    rings = np.rint(radius / step).astype(int)
    counts = np.bincount(rings.ravel())
    sums = np.bincount(rings.ravel(), weights=spectrum.ravel())
    middles = np.bincount(rings.ravel(), weights=radius.ravel())
    last = int(0.5 / max(pixel_mm) / step)
    chosen = slice(1, last + 1)
    return middles[chosen] / counts[chosen], sums[chosen] / counts[chosen]


def _edge_line(picture: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the edge's column over the row: centres of each row's slope, refined near the line."""
    slopes = np.abs(np.diff(picture, axis=1))
    columns = np.arange(slopes.shape[1]) + 0.5
    rows = np.arange(len(picture))
    peak = slopes.max()
    if peak <= 0:
        raise InputError("MTF: expected an edge, the picture is uniform; choose another region")
    weights = np.where(slopes > 0.25 * slopes.max(axis=1, keepdims=True), slopes, 0.0)
    line = np.array((0.0, 0.0))
    for _ in range(4):
        centres = (weights * columns).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-300)
        strong = weights.sum(axis=1) > 0.2 * np.median(weights.sum(axis=1))
        if strong.sum() < len(picture) / 2:
            raise InputError("MTF: expected an edge through the whole picture, found none; choose another region")
        line = np.polyfit(rows[strong], centres[strong], 1)
        near = np.abs(columns - np.polyval(line, rows)[:, None]) < max(4.0, slopes.shape[1] / 10)
        weights = np.where(near, slopes, 0.0)
    return float(line[0]), float(line[1])


def _transfer_of_profile(distances: np.ndarray, values: np.ndarray, step_mm: float, angle_deg: float) -> Transfer:
    """The transfer function of values ordered by their distance to an edge."""
    n_bins = 2 * int(np.floor(min(-distances.min(), distances.max()) / step_mm))
    numbers = np.floor(distances / step_mm).astype(int) + n_bins // 2
    kept = (numbers >= 0) & (numbers < n_bins)
    if n_bins < 4 * _OVERSAMPLING:
        raise InputError(
            "MTF: expected an edge with some pixels on either side, it lies at the border; move the region"
        )
    counts = np.bincount(numbers[kept], minlength=n_bins)
    sums = np.bincount(numbers[kept], weights=values[kept], minlength=n_bins)
    filled = counts > 0
    profile = np.interp(np.arange(n_bins), np.flatnonzero(filled), sums[filled] / counts[filled])
    slope = (profile[2:] - profile[:-2]) * np.hanning(n_bins - 2)
    if abs(float(slope.sum())) <= 1e-12 * max(float(np.ptp(profile)), 1e-300):
        raise InputError("MTF: expected two levels, both sides of the edge are alike; choose another region")
    spectrum = np.abs(np.fft.rfft(slope)) / abs(float(slope.sum()))
    frequencies = np.fft.rfftfreq(len(slope), step_mm)
    # sin x / x of the difference over two bins, and of the bin's own width.
    spectrum /= np.maximum(np.abs(np.sinc(2 * frequencies * step_mm) * np.sinc(frequencies * step_mm)), 0.1)
    shown = frequencies <= 0.5 / (step_mm * _OVERSAMPLING) + 1e-12
    return Transfer(frequencies[shown], spectrum[shown], angle_deg)
