"""Filtered back-projection: an image in one step from the projections of a parallel or a fan beam."""

from typing import Literal

import numpy as np

from isocenter.core.errors import InputError, LimitError
from isocenter.imaging.reconstruct.geometry import ScanGeometry

FilterName = Literal["ramlak", "shepp-logan", "cosine", "hamming", "hann"]
_TABLE_BITS = 18
_FINEST = 8


def filtered_back_projection(
    sinogram: np.ndarray, geometry: ScanGeometry, *, window: FilterName = "ramlak", cutoff: float = 1.0
) -> np.ndarray:
    """The image in units of the sinogram per mm, (rows, columns) float32.

    Views may come in any order, with any spacing, over half a turn or more; a fan over at least half a turn and its
    opening (Parker weights below a full turn).

    cutoff   where the window reaches its end, as a share of the detector's Nyquist frequency

    Source: Kak & Slaney, Principles of Computerized Tomographic Imaging, 1988, ch. 3.
    """
    sinogram = np.asarray(sinogram, np.float32)
    if not geometry.is_fan:
        filtered = filter_views(sinogram, geometry.detector_mm, window, cutoff)
        return _sum_parallel(filtered, geometry, angular_weights(geometry.angles_deg, 180.0))
    assert geometry.beam_mm is not None
    source_mm, distance_mm = geometry.beam_mm
    virtual_mm = geometry.bins_mm * (source_mm / distance_mm)
    slant = source_mm / np.hypot(source_mm, virtual_mm)
    weights = _short_scan_weights(geometry)
    filtered = filter_views(
        (sinogram * (slant * weights)).astype(np.float32),
        geometry.detector_mm * source_mm / distance_mm,
        window,
        cutoff,
    )
    return _sum_fan(filtered, geometry, angular_weights(geometry.angles_deg, 360.0))


def filter_views(sinogram: np.ndarray, step_mm: float, window: FilterName, cutoff: float) -> np.ndarray:
    """Each view convolved with the windowed ramp, float32; Kak & Slaney eq. 61 for the ramp, so the mean is right."""
    if not 0 < cutoff <= 1:
        raise InputError(f"cutoff: expected a share above 0 and up to 1, got {cutoff}")
    from scipy import fft

    n_bins = sinogram.shape[1]
    length = fft.next_fast_len(2 * n_bins, real=True)
    response = _ramp(length, n_bins) * _window(np.fft.rfftfreq(length) / 0.5, window, cutoff)
    spectrum = fft.rfft(sinogram, length, axis=1, workers=2)
    spectrum *= (response / step_mm).astype(np.float32)
    return np.asarray(fft.irfft(spectrum, length, axis=1, workers=2)[:, :n_bins], np.float32)


def _ramp(length: int, n_bins: int) -> np.ndarray:
    """The spectrum of the band-limited ramp for bins of width one, long enough that views do not wrap around."""
    k = np.arange(length)
    k = np.minimum(k, length - k)
    kernel = np.zeros(length)
    kernel[0] = 0.25
    odd = (k % 2 == 1) & (k <= n_bins)
    kernel[odd] = -1 / (np.pi * k[odd]) ** 2
    return np.asarray(np.fft.rfft(kernel).real)


def _window(frequency: np.ndarray, name: FilterName, cutoff: float) -> np.ndarray:
    """The window's value at a frequency, 1 at zero; 1 is the Nyquist frequency of the bins."""
    f = frequency / cutoff
    shapes = {
        "ramlak": np.ones_like(f),
        "shepp-logan": np.sinc(f / 2),
        "cosine": np.cos(np.pi * f / 2),
        "hamming": 0.54 + 0.46 * np.cos(np.pi * f),
        "hann": 0.5 + 0.5 * np.cos(np.pi * f),
    }
    return np.where(f <= 1 + 1e-9, shapes[name], 0.0)


def angular_weights(angles_deg: np.ndarray, period_deg: float) -> np.ndarray:
    """The arc in radians that each view stands for: half the way to its neighbours on the circle of `period_deg`.

    A gap that nobody measured (five usual gaps and more) is given to no view. They sum up to half a turn for views
    over the full period.
    """
    folded = np.mod(angles_deg, period_deg)
    folded[folded > period_deg - 1e-9] = 0.0
    order = np.argsort(folded, kind="stable")
    placed = folded[order]
    gaps = np.diff(placed, append=placed[0] + period_deg)
    usual = np.median(gaps[gaps > 1e-6]) if (gaps > 1e-6).any() else period_deg
    gaps = np.where(gaps > max(5 * usual, 1e-6), usual, gaps)
    arcs = np.empty_like(placed)
    arcs[order] = (gaps + np.roll(gaps, 1)) / 2
    # Views at one angle share their arc evenly.
    _, group, count = np.unique(np.round(folded, 6), return_inverse=True, return_counts=True)
    shared = np.bincount(group, arcs) / count
    return np.asarray(np.deg2rad(shared[group]) * (180.0 / period_deg))


def _short_scan_weights(geometry: ScanGeometry) -> np.ndarray:
    """What each ray of a fan counts for, 1 over a full turn; (views, detectors) or (1, 1).

    Source: Parker, Med Phys 1982;9:254, with the overscan of Silver, Med Phys 2000;27:773.
    """
    assert geometry.beam_mm is not None
    angles = np.sort(np.mod(geometry.angles_deg, 360.0))
    gaps = np.diff(angles, append=angles[0] + 360.0)
    widest = int(np.argmax(gaps))
    if len(angles) < 3 or gaps[widest] <= 5 * np.median(gaps):
        return np.ones((1, 1))
    first = angles[(widest + 1) % len(angles)]
    beta = np.deg2rad(np.mod(geometry.angles_deg - first, 360.0))[:, None]
    gamma = -np.arctan2(geometry.bins_mm, geometry.beam_mm[1])[None, :]
    half = max((float(beta.max()) - np.pi) / 2, float(np.abs(gamma).max()))
    rising = np.sin(np.pi / 4 * beta / np.maximum(half - gamma, 1e-6)) ** 2
    falling = np.sin(np.pi / 4 * (np.pi + 2 * half - beta) / np.maximum(half + gamma, 1e-6)) ** 2
    weights = np.where(beta < 2 * (half - gamma), rising, np.where(beta > np.pi - 2 * gamma, falling, 1.0))
    return np.asarray(2 * np.where(beta > np.pi + 2 * half, 0.0, weights))


def _sum_parallel(views: np.ndarray, geometry: ScanGeometry, weights: np.ndarray) -> np.ndarray:
    """Back-projection over a table of each view that is fine enough to be looked up without interpolation."""
    from isocenter.imaging.reconstruct.kernels_ct import back_project_parallel, refine_table

    if len(views) % 2:
        views, weights = np.vstack([views, views[-1:]]), np.append(weights, 0.0)
    angles = np.deg2rad(np.resize(geometry.angles_deg, len(views)))
    rows, columns = geometry.size
    pixel = geometry.pixel_mm / geometry.detector_mm
    reach = int(np.ceil(np.hypot(rows, columns) / 2 * pixel)) + 2
    n_bins = geometry.n_detectors
    before = max(reach - (n_bins - 1) // 2, 1)
    n_places = n_bins + 2 * before
    factor = min(_FINEST, 2**_TABLE_BITS // n_places)
    if factor < 1:
        raise LimitError(f"fbp: expected bins of at least 1/500 pixel, got {geometry.detector_mm} mm; merge bins")
    # In entries of the table, half an entry more so that cutting off rounds.
    scale = factor * 2 ** (32 - _TABLE_BITS)
    per_column = np.round(np.cos(angles) * pixel * scale).astype(np.int64)
    per_row = np.round(-np.sin(angles) * pixel * scale).astype(np.int64)
    centre = ((n_bins - 1) / 2 + before) * scale + 2 ** (31 - _TABLE_BITS)
    origin = np.round(centre - (columns - 1) / 2 * per_column - (rows - 1) / 2 * per_row).astype(np.int64)
    table = refine_table(views, weights.astype(np.float32), before * factor, factor, n_places * factor)
    out = np.empty(geometry.size, np.float32)
    back_project_parallel(table, origin, per_row, per_column, 32 - _TABLE_BITS, out)
    return out


def _sum_fan(views: np.ndarray, geometry: ScanGeometry, weights: np.ndarray) -> np.ndarray:
    """Back-projection along the rays of a fan."""
    from isocenter.imaging.reconstruct.kernels_ct import back_project_fan

    assert geometry.beam_mm is not None
    source_mm, distance_mm = geometry.beam_mm
    angles = np.deg2rad(geometry.angles_deg)
    out = np.zeros(geometry.size, np.float32)
    weighted = (views * weights[:, None]).astype(np.float32)
    magnified = distance_mm / geometry.detector_mm
    back_project_fan(weighted, np.cos(angles), np.sin(angles), source_mm / geometry.pixel_mm, magnified, out)
    return out
