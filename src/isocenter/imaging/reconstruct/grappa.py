"""Missing lines of k-space from their neighbours in all coils: GRAPPA; then the noise that they carry held down."""

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.calibration import calibration_region
from isocenter.imaging.reconstruct.measurement_noise import estimate_kspace_noise, is_noise_bound, spectrum_of_image
from isocenter.imaging.reconstruct.operators import Scaled
from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier, to_image
from isocenter.imaging.reconstruct.scans import KspaceScan, require_not_negative
from isocenter.imaging.reconstruct.sensitivities import coil_maps, combine_coils, even_maps, magnitude
from isocenter.imaging.reconstruct.sparsity import LEAST_NOISE, sparse_least_squares

_ALONG = 5
_LEAST_POSITIONS = 3
# Of the largest eigenvalue: below lies the rounding of 32-bit samples.
_LEAST = 3e-8
_TINY = 1e-30
# Of the mean power at a distance from the centre, in the noise's favour: the signal there lies in few places, and is
# stronger in them. Own measurement: .1 to .3 was best over phantoms and slices, noise of 0 to 3 %.
_FAVOUR = 0.2
_LEAST_FREE = 0.1
_PASSES = (1.0,) * 4
_STEPS = 20


def grappa(scan: KspaceScan, *, regularisation: float | None = None) -> np.ndarray:
    """The magnitude image after each missing line was made from the lines around it, (rows, columns) float32.

    The weights are learnt in the fully sampled centre, which is found in the mask; lines run along rows or columns.

    regularisation   of the weights, relative to the calibration data's largest eigenvalue: the bare method. None takes
                     it from the data, for each distance from the centre: the fainter the signal there, the less its
                     noise may be raised; then, unless coils have to be estimated from fewer than ten lines, seeks few
                     wavelet details while the measured lines stay explained

    Raises InputError where the mask is not made of whole lines or has no calibration lines.
    Source: Griswold et al., Magn Reson Med 2002;47:1202; the weights as an estimate of least mean squared error;
    what follows in the manner of Weller et al., Magn Reson Med 2012;68:1176 (DESIGN), with details as in `sparsity`.
    """
    require_not_negative(regularisation=regularisation)
    maps = coil_maps(scan, least_strength=0.8)
    noise = estimate_kspace_noise(scan.kspace, scan.mask) if regularisation is None else 0.0
    filled, error = fill_kspace(scan.kspace, scan.mask, noise=noise, regularisation=regularisation or 0.0)
    # Sensitivities from so few lines explain measured samples worse than their neighbours do.
    are_maps_coarse = scan.sensitivities is None and not scan.is_single_coil and is_noise_bound(scan.kspace, scan.mask)
    if regularisation is not None or are_maps_coarse:
        return np.asarray(np.abs(combine_coils(to_image(filled), maps)), np.float32)
    even, root = even_maps(maps)
    start = MultiCoilFourier(np.ones_like(scan.mask), even).adjoint(filled)
    noise = max(noise, LEAST_NOISE * float(np.abs(start).max()))
    trust = np.minimum(noise / np.sqrt(np.maximum(error, noise**2)), 1).astype(np.float32)
    image = sparse_least_squares(
        Scaled(MultiCoilFourier(np.ones_like(scan.mask), even), trust), filled * trust, start,
        noise=noise, thresholds=_PASSES, n_iterations=_STEPS,
    )  # fmt: skip
    return magnitude(image, root)


def fill_kspace(
    kspace: np.ndarray, mask: np.ndarray, *, noise: float = 0.0, regularisation: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """K-space with its missing lines filled in, (coils, rows, columns) complex64, and the variance to expect there.

    noise            in one sample, root mean square
    regularisation   of the weights, relative to the calibration data's largest eigenvalue

    Measured lines stay as they are, with the noise's variance. A filled sample's counts as often as samples share its
    sources: the sum of their squared errors may be so many times larger than if these were independent. It is infinite
    where nothing could be filled in.
    """
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
    share = _share_of_signal(kspace, mask, noise)
    filled, error = _fill_lines(
        turned, lines, turned[:, region], share=share if by_row else share.T, noise=noise, regularisation=regularisation
    )
    if by_row:
        return filled, error
    return np.ascontiguousarray(np.swapaxes(filled, 1, 2)), np.ascontiguousarray(np.swapaxes(error, 1, 2))


def _share_of_signal(kspace: np.ndarray, mask: np.ndarray, noise: float) -> np.ndarray:
    """The power that the signal is expected to have at each place over that in the calibration region, up to 1."""
    spectrum = spectrum_of_image(kspace, mask, noise)
    rows, columns = calibration_region(mask)
    return np.asarray(np.minimum(spectrum / float(spectrum[rows, columns].mean()), 1), np.float64)


def _fill_lines(
    kspace: np.ndarray,
    lines: np.ndarray,
    calibration: np.ndarray,
    *,
    share: np.ndarray,
    noise: float,
    regularisation: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Missing lines grouped by where their neighbours lie; each group has its own weights, steadier where the signal is
    fainter."""
    filled = kspace.astype(np.complex64)
    error = np.where(lines[:, None], np.float32(noise**2), np.float32(np.inf)) * np.ones(kspace.shape, np.float32)
    groups: dict[tuple[int, ...], list[int]] = {}
    for line in np.flatnonzero(~lines):
        offsets = _neighbours(lines, int(line), calibration.shape[1])
        if offsets:
            groups.setdefault(offsets, []).append(int(line))
    # The calibration data hold the noise once; were the signal there as strong as at a place, it would be this much
    # more. Steps of two are fine enough for a weight.
    excess = _FAVOUR * noise**2 * (1 / share - 1)
    step = np.round(np.log2(np.maximum(excess, 1e-12 * max(float(excess.max()), _TINY))))
    for offsets, wanted in groups.items():
        learnt = _Calibration(calibration, offsets)
        for missing in wanted:
            sources = _sources(kspace, [missing + offset for offset in offsets])
            for level in np.unique(step[missing]):
                at = step[missing] == level
                weights, left = learnt.weights(float(2.0**level), regularisation)
                filled[:, missing, at] = (sources[at] @ weights).T
                error[:, missing, at] = _error(weights, left, share[missing, at], noise)
    return filled, error


def _error(weights: np.ndarray, left: np.ndarray, share: np.ndarray, noise: float) -> np.ndarray:
    """The variance to expect in filled samples, (coils, places), times the number of sources: what the weights leave of
    the signal, and the noise that they raise.

    left   the mean squared misfit to expect with the calibration region's signal, noise in target and sources
    """
    raised = noise**2 * (np.abs(weights) ** 2).sum(axis=0)
    signal = np.maximum(left - raised - noise**2, 0)
    return np.asarray(len(weights) * (signal[:, None] * share + raised[:, None]), np.float32)


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
        self._power = np.zeros(len(calibration))
        self._n_positions = 0
        for line in range(first, last):
            sources = _sources(calibration, [line + offset for offset in offsets])[inside]
            gram += sources.conj().T @ sources
            wanted = calibration[:, line, inside].T
            right += sources.conj().T @ wanted
            self._power += (np.abs(wanted) ** 2).sum(axis=0)
            self._n_positions += len(sources)
        self._values, self._vectors = np.linalg.eigh(gram)
        self._right = self._vectors.conj().T @ right

    def weights(self, excess: float, regularisation: float) -> tuple[np.ndarray, np.ndarray]:
        """Weights (lines * coils * 5, coils) that make the line, and the mean squared misfit to expect of each coil.

        excess   variance of noise beyond the calibration's
        """
        floor = max(max(regularisation, _LEAST) * float(self._values[-1]), _TINY)
        spread = np.maximum(self._values, 0) + self._n_positions * excess + floor
        solved = self._right / spread[:, None]
        explained = ((2 * spread - self._values)[:, None] * np.abs(solved) ** 2).sum(axis=0)
        # Generalised cross-validation: what the weights would leave where they were not learnt.
        free = max(1 - float((np.maximum(self._values, 0) / spread).sum()) / self._n_positions, _LEAST_FREE)
        left = np.maximum(self._power - explained, 0) / (self._n_positions * free**2)
        return np.asarray(self._vectors @ solved, np.complex64), left
