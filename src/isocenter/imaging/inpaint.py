"""Holes filled from what lies around them: smoothly (biharmonic) or with straight edges (total variation)."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from isocenter.core.errors import InputError

# Up to this many unknowns a direct solver is faster than conjugate gradients.
_DIRECT: Final = 40_000
_DIRECT_SOLID: Final = 6_000
_MARGIN: Final = 3
_TV_MARGIN: Final = 12
_TV_STEPS: Final = 1500

Box = tuple[slice, slice, slice]


def inpaint_biharmonic(array: np.ndarray, mask: np.ndarray, *, spacing_mm: Sequence[float] = (1, 1, 1)) -> np.ndarray:
    """The array with the mask's voxels filled as smoothly as a bent plate would, float32.

    array        (slices, rows, columns); what it holds inside the mask does not count
    mask         bool, same shape
    spacing_mm   along (slices, rows, columns); only ratios count

    The filling has the least sum of squared Laplacians. Source: Chui & Mhaskar, Appl. Comput. Harmon. Anal.
    2010;28:104-113. Raises InputError for a mask that covers everything, or nothing.
    """
    values = _prepare(array, mask, spacing_mm)
    weights = _weights(values.shape, spacing_mm)
    if mask.sum() <= (_DIRECT if len(weights) < 3 else _DIRECT_SOLID):
        return _solve_plate(values, mask, weights).astype(np.float32)
    for box, hole in _holes(mask):
        values[box] = _solve_plate(values[box], hole, weights)
    return values.astype(np.float32)


def inpaint_tv(array: np.ndarray, mask: np.ndarray, *, spacing_mm: Sequence[float] = (1, 1, 1)) -> np.ndarray:
    """The array with the mask's voxels filled so that edges are short and the rest is flat, float32.

    array, mask, spacing_mm   as for `inpaint_biharmonic`

    Source: Chan & Shen, SIAM J. Appl. Math. 2002;62(3):1019-1043; solved by Chambolle & Pock, J. Math. Imaging Vis.
    2011;40:120-145.
    """
    from isocenter.imaging.denoise_variation import adjoint, gradient

    values = inpaint_biharmonic(array, mask, spacing_mm=spacing_mm).astype(np.float64)
    for box in _boxes(mask, _TV_MARGIN)[1]:
        known, hole = values[box], mask[box]
        low, span = float(known.min()), max(float(np.ptp(known)), 1e-30)
        scales = [(axis, np.float32(weight)) for axis, weight in _weights(known.shape, spacing_mm)]
        filled = ((known - low) / span).astype(np.float32)
        ahead, dual = filled.copy(), np.zeros((len(scales), *filled.shape), dtype=np.float32)
        step = np.float32(1 / np.sqrt(4 * sum(scale**2 for _, scale in scales)))
        for _ in range(_TV_STEPS):
            dual += step * gradient(ahead, scales)
            dual /= np.maximum(1, np.sqrt(np.square(dual).sum(axis=0)))
            moved = np.where(hole, filled - step * adjoint(dual, scales), filled)
            ahead, filled = 2 * moved - filled, moved
        values[box] = np.where(hole, filled * span + low, known)
    return values.astype(np.float32)


def _prepare(array: np.ndarray, mask: np.ndarray, spacing_mm: Sequence[float]) -> np.ndarray:
    if array.ndim != 3:
        raise InputError(f"inpainting: expected (slices, rows, columns), got {array.shape}")
    if mask.shape != array.shape or mask.dtype != np.bool_:
        raise InputError(f"mask: expected bool of shape {array.shape}, got {mask.dtype} of {mask.shape}")
    if not mask.any() or mask.all():
        raise InputError(f"mask: expected voxels to fill and voxels to keep, {int(mask.sum())} of {mask.size} are set")
    if not all(step > 0 for step in spacing_mm):
        raise InputError(f"inpainting: expected positive spacing, got {spacing_mm}")
    values = np.where(mask, 0, array).astype(np.float64)
    if not np.isfinite(values).all():
        raise InputError("image: expected a number in every voxel outside the mask, some are NaN; mask them too")
    return values


def _boxes(mask: np.ndarray, margin: int) -> tuple[np.ndarray, list[Box]]:
    """Numbers from 1 around the holes, and each number's box; holes that the margins join share one."""
    import cc3d

    from isocenter.imaging.morphology import dilate

    reach = tuple(1.0 if size > 1 else 1e9 for size in mask.shape)
    joined = dilate(mask, radius_mm=float(margin), spacing_mm=reach)
    labels = cc3d.connected_components(joined, connectivity=26)
    found = cc3d.statistics(labels)["bounding_boxes"][1:]
    return labels, [box for box in found if box is not None]


def _holes(mask: np.ndarray) -> list[tuple[Box, np.ndarray]]:
    """Each group of holes by itself: a box with a margin, and its voxels in there; boxes may overlap."""
    labels, boxes = _boxes(mask, _MARGIN)
    return [(box, mask[box] & (labels[box] == number)) for number, box in enumerate(boxes, start=1)]


def _weights(shape: tuple[int, ...], spacing_mm: Sequence[float]) -> list[tuple[int, float]]:
    """The axes with differences, and one over the spacing in finest voxels."""
    axes = [axis for axis, size in enumerate(shape) if size > 1]
    finest = min(float(spacing_mm[axis]) for axis in axes)
    return [(axis, finest / float(spacing_mm[axis])) for axis in axes]


def _solve_plate(values: np.ndarray, mask: np.ndarray, weights: list[tuple[int, float]]) -> np.ndarray:
    """The values with those of the mask such that the squares of all Laplacians that see it sum to the least."""
    from scipy.sparse.linalg import LinearOperator, cg, splu

    hole = np.flatnonzero(mask)
    unknown, rest = _laplacian(values, mask, weights)
    normal = (unknown.T @ unknown).tocsc()
    right = -(unknown.T @ rest)
    if right.size <= (_DIRECT if len(weights) < 3 else _DIRECT_SOLID):
        options = {"SymmetricMode": True}
        solved = splu(normal, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options).solve(right)
    else:
        diagonal = normal.diagonal()
        precondition = LinearOperator(normal.shape, matvec=lambda x: x / diagonal)
        start = np.full(right.size, values[~mask].mean())
        solved, _ = cg(normal, right, x0=start, rtol=1e-7, maxiter=5000, M=precondition)
    filled = values.copy()
    filled.reshape(-1)[hole] = solved
    return filled


def _laplacian(values: np.ndarray, mask: np.ndarray, weights: list[tuple[int, float]]) -> tuple[Any, np.ndarray]:
    """Second differences at every voxel that sees the mask, none across the border: as a sparse matrix of the mask's
    voxels (in their order), and what the known voxels add to each."""
    from scipy import sparse

    near, steps = mask.copy(), []
    for axis, weight in weights:
        for side in (-1, 1):
            here, there = [slice(None)] * 3, [slice(None)] * 3
            here[axis] = slice(1, None) if side < 0 else slice(None, -1)
            there[axis] = slice(None, -1) if side < 0 else slice(1, None)
            near[tuple(here)] |= mask[tuple(there)]
            steps.append((axis, side, weight**2))
    rows = np.flatnonzero(near)
    places = np.stack(np.unravel_index(rows, mask.shape))
    number = np.cumsum(mask.reshape(-1)) - 1
    flat, is_hole = values.reshape(-1), mask.reshape(-1)
    centre, rest, entries = np.zeros(rows.size), np.zeros(rows.size), []
    for axis, side, weight in steps:
        beside = places[axis] + side
        inside = np.flatnonzero((beside >= 0) & (beside < mask.shape[axis]))
        target = rows[inside] + side * int(np.prod(mask.shape[axis + 1 :]))
        centre[inside] -= weight
        entries.append((inside[is_hole[target]], number[target[is_hole[target]]], weight))
        rest[inside] += np.where(is_hole[target], 0, weight * flat[target])
    own = is_hole[rows]
    rest += np.where(own, 0, centre * flat[rows])
    at = np.concatenate([np.flatnonzero(own), *(each[0] for each in entries)])
    to = np.concatenate([number[rows[own]], *(each[1] for each in entries)])
    factors = np.concatenate([centre[own], *(np.full(each[0].size, each[2]) for each in entries)])
    return sparse.csr_matrix((factors, (at, to)), shape=(rows.size, int(mask.sum()))), rest
