"""Missing lines of k-space from their neighbours in all coils: GRAPPA."""

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.calibration import calibration_region
from isocenter.imaging.reconstruct.measurement_noise import estimate_kspace_noise, spectrum_of_image
from isocenter.imaging.reconstruct.operators_mri import to_image
from isocenter.imaging.reconstruct.scans import KspaceScan, require_not_negative
from isocenter.imaging.reconstruct.sensitivities import coil_maps, combine_coils

_ALONG = 5
_LEAST_POSITIONS = 3
# Of the largest eigenvalue: below lies the rounding of 32-bit samples.
_LEAST = 3e-8
_TINY = 1e-30
# Of the mean power at a distance from the centre, in the noise's favour: the signal there lies in few places, and is
# stronger in them. Own measurement: .1 to .3 was best over phantoms and slices, noise of 0 to 3 %.
_FAVOUR = 0.2


def grappa(scan: KspaceScan, *, regularisation: float | None = None) -> np.ndarray:
    """The magnitude image after each missing line was made from the lines around it, (rows, columns) float32.

    The weights are learnt in the fully sampled centre, which is found in the mask; lines run along rows or columns.

    regularisation   of the weights, relative to the calibration data's largest eigenvalue. None takes it from the
                     data, for each distance from the centre: the fainter the signal there, the less its noise may
                     be raised

    Raises InputError where the mask is not made of whole lines or has no calibration lines.
    Source: Griswold et al., Magn Reson Med 2002;47:1202; the weights as an estimate of least mean squared error.
    """
    require_not_negative(regularisation=regularisation)
    filled = fill_kspace(scan.kspace, scan.mask, regularisation)
    images = to_image(filled)
    maps = coil_maps(scan, least_strength=0.8)
    return np.asarray(np.abs(combine_coils(images, maps)), np.float32)


def fill_kspace(kspace: np.ndarray, mask: np.ndarray, regularisation: float | None = None) -> np.ndarray:
    """K-space with its missing lines filled in, (coils, rows, columns) complex64; measured lines stay as they are."""
    by_row = bool((mask.all(axis=1) | ~mask.any(axis=1)).all())
    by_column = bool((mask.all(axis=0) | ~mask.any(axis=0)).all())
    if not (by_row or by_column):
        raise InputError("grappa: expected a mask of whole rows or columns, got scattered samples; use cg-sense or cs")
    turned = kspace if by_row else np.swapaxes(kspace, 1, 2)
    lines = (mask if by_row else mask.T)[:, 0]
    region = calibration_region(mask if by_row else mask.T)[0]
    n_calibration = region.stop - region.start
    if not lines.all() and n_calibration < _LEAST_POSITIONS + 2:
        raise InputError(
            f"grappa: expected at least {_LEAST_POSITIONS + 2} neighbouring lines in the centre of k-space to learn "
            f"from, got {n_calibration}; use cg-sense with sensitivities"
        )
    excess = np.zeros(mask.shape) if regularisation is not None else _excess_noise(kspace, mask)
    filled = _fill_lines(turned, lines, turned[:, region], excess if by_row else excess.T, regularisation or 0.0)
    return filled if by_row else np.ascontiguousarray(np.swapaxes(filled, 1, 2))


def _excess_noise(kspace: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The noise's variance in a sample, as it would be if the signal at each place were as strong as in the
    calibration region, less the variance itself, which the calibration data hold already; (rows, columns)."""
    noise = estimate_kspace_noise(kspace, mask)
    spectrum = spectrum_of_image(kspace, mask, noise)
    rows, columns = calibration_region(mask)
    strongest = float(spectrum[rows, columns].mean())
    return np.asarray(_FAVOUR * noise**2 * np.maximum(strongest / spectrum - 1, 0), np.float64)


def _fill_lines(
    kspace: np.ndarray, lines: np.ndarray, calibration: np.ndarray, excess: np.ndarray, regularisation: float
) -> np.ndarray:
    """Missing lines grouped by where their neighbours lie; each group has its own weights, steadier where the excess
    of noise is larger."""
    filled = kspace.astype(np.complex64)
    groups: dict[tuple[int, ...], list[int]] = {}
    for line in np.flatnonzero(~lines):
        offsets = _neighbours(lines, int(line), calibration.shape[1])
        if offsets:
            groups.setdefault(offsets, []).append(int(line))
    # Steps of two are fine enough for a weight.
    step = np.round(np.log2(np.maximum(excess, 1e-12 * max(float(excess.max()), _TINY))))
    for offsets, wanted in groups.items():
        learnt = _Calibration(calibration, offsets)
        for missing in wanted:
            sources = _sources(kspace, [missing + offset for offset in offsets])
            for level in np.unique(step[missing]):
                at = step[missing] == level
                filled[:, missing, at] = (sources[at] @ learnt.weights(float(2.0**level), regularisation)).T
    return filled


def _neighbours(lines: np.ndarray, line: int, n_calibration: int) -> tuple[int, ...]:
    """The offsets of the nearest measured lines, two on each side, or one where the calibration lines are few."""
    measured = np.flatnonzero(lines)
    below, above = measured[measured < line], measured[measured > line]
    for n_each in (2, 1):
        offsets = [int(n) - line for n in (*below[-n_each:], *above[:n_each])]
        if offsets and max(*offsets, 0) - min(*offsets, 0) + _LEAST_POSITIONS <= n_calibration:
            return tuple(offsets)
    nearest = int(measured[np.argmin(np.abs(measured - line))]) - line
    return (nearest,) if abs(nearest) + _LEAST_POSITIONS <= n_calibration else ()


def _sources(kspace: np.ndarray, lines: list[int]) -> np.ndarray:
    """The samples around each place of a line, from some lines of all coils: (places, lines * coils * 5)."""
    half = _ALONG // 2
    chosen = np.pad(kspace[:, lines], ((0, 0), (0, 0), (half, half)))
    windows = np.lib.stride_tricks.sliding_window_view(chosen, _ALONG, axis=2)
    return np.moveaxis(windows, 2, 0).reshape(kspace.shape[2], -1)


class _Calibration:
    """What the calibration lines say of a line and those at the offsets around it, ready to be solved for any noise."""

    def __init__(self, calibration: np.ndarray, offsets: tuple[int, ...]) -> None:
        first, last = -min(*offsets, 0), calibration.shape[1] - max(*offsets, 0)
        half = _ALONG // 2
        inside = slice(half, -half)
        n_unknown = len(offsets) * len(calibration) * _ALONG
        gram = np.zeros((n_unknown, n_unknown), np.complex128)
        right = np.zeros((n_unknown, len(calibration)), np.complex128)
        self._n_positions = 0
        for line in range(first, last):
            sources = _sources(calibration, [line + offset for offset in offsets])[inside]
            gram += sources.conj().T @ sources
            right += sources.conj().T @ calibration[:, line, inside].T
            self._n_positions += len(sources)
        self._values, self._vectors = np.linalg.eigh(gram)
        self._right = self._vectors.conj().T @ right

    def weights(self, excess: float, regularisation: float) -> np.ndarray:
        """Weights (lines * coils * 5, coils) that make the line; excess: variance of noise beyond the calibration's."""
        floor = max(max(regularisation, _LEAST) * float(self._values[-1]), _TINY)
        spread = np.maximum(self._values, 0) + self._n_positions * excess + floor
        return np.asarray(self._vectors @ (self._right / spread[:, None]), np.complex64)
