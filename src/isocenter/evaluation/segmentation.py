"""How well two masks of one thing agree: overlap, and distances between their surfaces in millimetres."""

from collections.abc import Sequence

import edt
import numpy as np

from isocenter.core.errors import InputError


def dice(truth: np.ndarray, answer: np.ndarray) -> float:
    """2 |A and B| / (|A| + |B|); 1 where both are empty. Source: Dice, Ecology 1945;26:297-302."""
    truth, answer = _pair(truth, answer)
    total = int(truth.sum()) + int(answer.sum())
    return 2 * int((truth & answer).sum()) / total if total else 1.0


def jaccard(truth: np.ndarray, answer: np.ndarray) -> float:
    """|A and B| / |A or B|; 1 where both are empty."""
    truth, answer = _pair(truth, answer)
    union = int((truth | answer).sum())
    return int((truth & answer).sum()) / union if union else 1.0


def adjusted_rand_index(truth: np.ndarray, answer: np.ndarray) -> float:
    """How well two labellings part the same voxels, whatever their numbers: 1 is the same parts, 0 what chance gives.

    >>> adjusted_rand_index(np.array([1, 1, 2, 2]), np.array([5, 5, 3, 3]))
    1.0

    Raises InputError where shapes differ or nothing is labelled. Source: Hubert & Arabie, J Classif 1985;2:193-218.
    """
    truth, answer = np.asarray(truth), np.asarray(answer)
    if truth.shape != answer.shape or not truth.size:
        raise InputError(
            f"adjusted Rand index: expected two labellings of one shape, got {truth.shape}, {answer.shape}"
        )
    _, rows = np.unique(truth, return_inverse=True)
    names, columns = np.unique(answer, return_inverse=True)
    table = np.bincount(rows.ravel().astype(np.int64) * names.size + columns.ravel()).astype(np.float64)
    pairs = [float((n * (n - 1) / 2).sum()) for n in (table, np.bincount(rows.ravel()), np.bincount(columns.ravel()))]
    chance = pairs[1] * pairs[2] / max(truth.size * (truth.size - 1) / 2, 1)
    most = (pairs[1] + pairs[2]) / 2
    return (pairs[0] - chance) / (most - chance) if most != chance else 1.0


def surface_distances_mm(truth: np.ndarray, answer: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    """Distance from every surface voxel of one mask to the other mask's surface, both ways, sorted, in mm.

    Surface voxels are those with a neighbour (by face) outside the mask; the image's edge counts as outside.
    Raises InputError where a mask is empty.
    """
    truth, answer = _pair(truth, answer)
    if not truth.any() or not answer.any() or len(spacing_mm) != truth.ndim:
        raise InputError(f"surface distances: expected two masks that are not empty and {truth.ndim} spacings")
    edges = _surface(truth), _surface(answer)
    distances = []
    for here, other in (edges, edges[::-1]):
        field = edt.edt(
            np.ascontiguousarray(~other), anisotropy=tuple(float(s) for s in spacing_mm), black_border=False
        )
        distances.append(field[here])
    return np.sort(np.concatenate(distances))


def hausdorff_95_mm(truth: np.ndarray, answer: np.ndarray, spacing_mm: Sequence[float]) -> float:
    """95th percentile of the surface distances, both ways together."""
    return float(np.percentile(surface_distances_mm(truth, answer, spacing_mm), 95))


def average_surface_distance_mm(truth: np.ndarray, answer: np.ndarray, spacing_mm: Sequence[float]) -> float:
    """Mean of the surface distances, both ways together."""
    return float(surface_distances_mm(truth, answer, spacing_mm).mean())


def surface_dice(truth: np.ndarray, answer: np.ndarray, spacing_mm: Sequence[float], tolerance_mm: float) -> float:
    """Share of both surfaces that lies within a tolerance of the other, by count of surface voxels.

    Source: after Nikolov et al., Journal of Medical Internet Research 2021;23:e26151 (there by surface area).
    """
    return float((surface_distances_mm(truth, answer, spacing_mm) <= tolerance_mm).mean())


def _pair(truth: np.ndarray, answer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two bool masks of one shape."""
    if truth.shape != answer.shape:
        raise InputError(f"masks: expected one shape, got {truth.shape} and {answer.shape}")
    return np.asarray(truth, dtype=bool), np.asarray(answer, dtype=bool)


def _surface(mask: np.ndarray) -> np.ndarray:
    """Voxels of the mask with a face neighbour outside it."""
    padded = np.pad(mask, 1)
    inner = mask.copy()
    for axis in range(mask.ndim):
        for shift in (-1, 1):
            rolled = np.roll(padded, shift, axis=axis)
            inner &= rolled[tuple(slice(1, -1) for _ in range(mask.ndim))]
    return np.asarray(mask & ~inner)
