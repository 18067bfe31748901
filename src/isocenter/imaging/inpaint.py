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


def inpaint_biharmonic(array: np.ndarray, mask: np.ndarray, *, spacing_mm: Sequence[float] = (1, 1, 1)) -> np.ndarray:
    """The array with the mask's voxels filled as smoothly as a bent plate would, float32.

    array        (slices, rows, columns); what it holds inside the mask does not count
    mask         bool, same shape
    spacing_mm   along (slices, rows, columns); only ratios count

    The filling has the least sum of squared Laplacians. Source: Chui & Mhaskar, Appl. Comput. Harmon. Anal.
    2010;28:104-113. Raises InputError for a mask that covers everything, or nothing.
    """
    values = _prepare(array, mask, spacing_mm)
    filled = values.copy()
    for box in _boxes(mask, _MARGIN):
        filled[box] = _solve_plate(values[box], mask[box], _weights(values[box].shape, spacing_mm))
    return filled.astype(np.float32)


def inpaint_tv(array: np.ndarray, mask: np.ndarray, *, spacing_mm: Sequence[float] = (1, 1, 1)) -> np.ndarray:
    """The array with the mask's voxels filled so that edges are short and the rest is flat, float32.

    array, mask, spacing_mm   as for `inpaint_biharmonic`

    Source: Chan & Shen, SIAM J. Appl. Math. 2002;62(3):1019-1043; solved by Chambolle & Pock, J. Math. Imaging Vis.
    2011;40:120-145.
    """
    from isocenter.imaging.denoise_variation import adjoint, gradient

    values = inpaint_biharmonic(array, mask, spacing_mm=spacing_mm).astype(np.float64)
    for box in _boxes(mask, _TV_MARGIN):
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


def _boxes(mask: np.ndarray, margin: int) -> list[tuple[slice, slice, slice]]:
    """Boxes around the holes with a margin; holes that the margins join share one."""
    import cc3d

    from isocenter.imaging.morphology import dilate

    reach = tuple(1.0 if size > 1 else 1e9 for size in mask.shape)
    joined = dilate(mask, radius_mm=float(margin), spacing_mm=reach)
    labels = cc3d.connected_components(joined, connectivity=26)
    found = cc3d.statistics(labels)["bounding_boxes"][1:]
    return [box for box in found if box is not None]


def _weights(shape: tuple[int, ...], spacing_mm: Sequence[float]) -> list[tuple[int, float]]:
    """The axes with differences, and one over the spacing in finest voxels."""
    axes = [axis for axis, size in enumerate(shape) if size > 1]
    finest = min(float(spacing_mm[axis]) for axis in axes)
    return [(axis, finest / float(spacing_mm[axis])) for axis in axes]


def _solve_plate(values: np.ndarray, mask: np.ndarray, weights: list[tuple[int, float]]) -> np.ndarray:
    """The least squares of the Laplacian over all voxels that see a hole."""
    from scipy.sparse.linalg import LinearOperator, cg, spsolve

    laplacian = _laplacian(values.shape, weights)
    hole = mask.reshape(-1)
    unknown, known = laplacian[:, hole], laplacian[:, ~hole]
    flat = values.reshape(-1)
    rest = -(known @ flat[~hole])
    normal = (unknown.T @ unknown).tocsc()
    right = unknown.T @ rest
    most = _DIRECT if len(weights) < 3 else _DIRECT_SOLID
    if right.size <= most:
        solved = spsolve(normal, right)
    else:
        diagonal = normal.diagonal()
        precondition = LinearOperator(normal.shape, matvec=lambda x: x / diagonal)
        start = np.full(right.size, flat[~hole].mean())
        solved, _ = cg(normal, right, x0=start, rtol=1e-7, maxiter=5000, M=precondition)
    filled = flat.copy()
    filled[hole] = solved
    return filled.reshape(values.shape)


def _laplacian(shape: tuple[int, ...], weights: list[tuple[int, float]]) -> Any:
    """Second differences of all axes as a sparse matrix; none across the border."""
    from scipy import sparse

    total = None
    for axis, weight in weights:
        size = shape[axis]
        chain = sparse.diags([np.ones(size - 1), np.ones(size - 1)], [-1, 1], format="csr")
        chain = chain - sparse.diags(np.asarray(chain.sum(axis=1)).reshape(-1))
        before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
        part = sparse.kron(sparse.identity(before), sparse.kron(chain * weight**2, sparse.identity(after)), "csr")
        total = part if total is None else total + part
    return total
