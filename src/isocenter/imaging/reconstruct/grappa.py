"""Missing lines of k-space from their neighbours in all coils: GRAPPA."""

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.calibration import calibration_region
from isocenter.imaging.reconstruct.operators_mri import to_image
from isocenter.imaging.reconstruct.scans import KspaceScan, require_not_negative
from isocenter.imaging.reconstruct.sensitivities import coil_maps, combine_coils

_ALONG = 5
_LEAST_POSITIONS = 3


def grappa(scan: KspaceScan, *, regularisation: float = 1e-6) -> np.ndarray:
    """The magnitude image after each missing line was made from the lines around it, (rows, columns) float32.

    The weights are learnt in the fully sampled centre, which is found in the mask; lines run along rows or columns.

    regularisation   of the weights, relative to the calibration data's largest eigenvalue

    Raises InputError where the mask is not made of whole lines or has no calibration lines.
    Source: Griswold et al., Magn Reson Med 2002;47:1202.
    """
    require_not_negative(regularisation=regularisation)
    filled = fill_kspace(scan.kspace, scan.mask, regularisation)
    images = to_image(filled)
    maps = coil_maps(scan, least_strength=0.8)
    return np.asarray(np.abs(combine_coils(images, maps)), np.float32)


def fill_kspace(kspace: np.ndarray, mask: np.ndarray, regularisation: float) -> np.ndarray:
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
    filled = _fill_lines(turned, lines, turned[:, region], regularisation)
    return filled if by_row else np.ascontiguousarray(np.swapaxes(filled, 1, 2))


def _fill_lines(kspace: np.ndarray, lines: np.ndarray, calibration: np.ndarray, regularisation: float) -> np.ndarray:
    """Missing lines grouped by where their neighbours lie; each group has its own weights."""
    filled = kspace.astype(np.complex64)
    groups: dict[tuple[int, ...], list[int]] = {}
    for line in np.flatnonzero(~lines):
        offsets = _neighbours(lines, int(line), calibration.shape[1])
        if offsets:
            groups.setdefault(offsets, []).append(int(line))
    for offsets, wanted in groups.items():
        weights = _learn(calibration, offsets, regularisation)
        for missing in wanted:
            sources = _sources(kspace, [missing + offset for offset in offsets])
            filled[:, missing] = (sources @ weights).T
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


def _learn(calibration: np.ndarray, offsets: tuple[int, ...], regularisation: float) -> np.ndarray:
    """Weights (lines * coils * 5, coils) that make a calibration line from those at the offsets."""
    n_lines = calibration.shape[1]
    first, last = -min(*offsets, 0), n_lines - max(*offsets, 0)
    half = _ALONG // 2
    inside = slice(half, -half)
    n_unknown = len(offsets) * len(calibration) * _ALONG
    gram = np.zeros((n_unknown, n_unknown), np.complex128)
    right = np.zeros((n_unknown, len(calibration)), np.complex128)
    for line in range(first, last):
        sources = _sources(calibration, [line + offset for offset in offsets])[inside]
        gram += sources.conj().T @ sources
        right += sources.conj().T @ calibration[:, line, inside].T
    largest = float(np.linalg.eigvalsh(gram)[-1])
    gram[np.diag_indices(n_unknown)] += max(regularisation * largest, 1e-30)
    return np.asarray(np.linalg.solve(gram, right), np.complex64)
