"""Small windows spread over a body, and how well two images agree in each of them."""

from typing import Final

import numpy as np

from isocenter.imaging.register.levels import Level, foreground

# Windows reach so many voxels of the finest axis from their centre.
_REACH: Final = 3
_N_WINDOWS: Final = 600
# Of the body's windows, the share with the strongest structure that is compared.
_STRUCTURED: Final = 0.6
# Share of a window that both images have to know.
KNOWN: Final = 0.75


def window_agreements(
    fixed: Level, moving: Level, matrix: np.ndarray, *, known: float = KNOWN, centres: np.ndarray | None = None
) -> np.ndarray:
    """Squared correlation of each window, (n,); -1 where less than a share `known` of it is in both images.

    centres   (n, 3) indices, as `window_centres` gives them; None to find them anew
    """
    from isocenter.imaging.register.verdict_kernels import window_agreement

    place = np.linalg.solve(moving.affine, matrix @ fixed.affine)
    limits = np.array((1e-3 * (moving.range[1] - moving.range[0]), known))
    centres = window_centres(fixed) if centres is None else centres
    return np.asarray(window_agreement(fixed.array, centres, _reach(fixed), moving.array, place, limits))


def known_mean(agreements: np.ndarray) -> float:
    """The mean over the windows that both images know; -1 where there is none."""
    known = agreements >= 0
    return float(agreements[known].mean()) if known.any() else -1.0


def window_centres(level: Level) -> np.ndarray:
    """Indices (n, 3) spread over the body where the image has structure; NaN is no body."""
    known = np.isfinite(level.array)
    inside = np.argwhere(known if not known.all() else foreground(level))
    if len(inside) < 50:
        inside = np.argwhere(np.ones(level.array.shape, dtype=np.bool_))
    inside = inside[:: max(1, len(inside) // (2 * _N_WINDOWS))]
    spread = _deviations(level, inside)
    strong = spread >= np.quantile(spread, 1 - _STRUCTURED)
    return np.ascontiguousarray(inside[strong][:: max(1, int(strong.sum()) // _N_WINDOWS)])


def _deviations(level: Level, centres: np.ndarray) -> np.ndarray:
    """The standard deviation of the known part of the window around each centre."""
    reach = _reach(level)
    padded = np.pad(level.array, [(r, r) for r in reach], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, tuple(2 * r + 1 for r in reach))
    return np.asarray(np.nanstd(windows[tuple(centres.T)], axis=(1, 2, 3)))


def _reach(level: Level) -> np.ndarray:
    """Voxels that a window reaches along each axis: as far in mm along all, within the array."""
    spacing = level.spacing_mm
    wanted = np.maximum(1, np.floor(_REACH * spacing.min() / spacing + 0.5)).astype(np.int64)
    return np.asarray(np.minimum(wanted, (np.array(level.array.shape) - 1) // 2))
