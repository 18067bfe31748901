"""Morphological curvature: what keeps a contour on voxels smooth."""

import numpy as np
from numba import njit

# The lines of a 3 x 3 square and the planes of a 3 x 3 x 3 cube through its middle, by their normals.
_LINES = np.array(((0, 1, 0), (0, 0, 1), (0, 1, 1), (0, 1, -1)), np.int8)
_PLANES = np.array(
    ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, -1, 0), (1, 0, 1), (1, 0, -1), (0, 1, 1), (0, 1, -1)), np.int8
)


@njit(cache=True)
def lines_or_planes(mask: np.ndarray, normals: np.ndarray, value: bool) -> np.ndarray:
    """The mask with each voxel of `value` turned that lies on no line or plane of `value` only.

    mask   with a border of one voxel of False

    Source: Marquez-Neila P, et al. IEEE PAMI 2014;36(1):2-17.
    """
    n_k, n_j, n_i = mask.shape
    turned = mask.copy()
    reach = 0 if n_k == 1 else 1
    for k in range(reach, n_k - reach):
        for j in range(1, n_j - 1):
            for i in range(1, n_i - 1):
                if mask[k, j, i] == value and not _on_one(mask, (k, j, i), normals, value, reach):
                    turned[k, j, i] = not value
    return turned


@njit(cache=True)
def _on_one(mask: np.ndarray, place: tuple[int, int, int], normals: np.ndarray, value: bool, reach: int) -> bool:
    """Whether one of the lines or planes through a place holds one value only."""
    k, j, i = place
    for normal in normals:
        whole = True
        for dk in range(-reach, reach + 1):
            for dj in range(-1, 2):
                for di in range(-1, 2):
                    if dk * normal[0] + dj * normal[1] + di * normal[2] == 0 and mask[k + dk, j + dj, i + di] != value:
                        whole = False
        if whole:
            return True
    return False


def smooth_once(mask: np.ndarray, *, inside_first: bool) -> np.ndarray:
    """One step of curvature flow on a mask, bool; steps alternate which side yields first.

    mask   (slices, rows, columns); one slice moves in its plane
    """
    one_slice = mask.shape[0] == 1
    normals = _LINES if one_slice else _PLANES
    pads = [(0, 0) if one_slice else (1, 1), (1, 1), (1, 1)]
    padded = np.pad(mask, pads)
    # Beyond the border nothing is inside, as for the peers' erosions and dilations.
    for value in (True, False) if inside_first else (False, True):
        padded = lines_or_planes(padded, normals, value)
    inner = tuple(slice(before, size - after) for (before, after), size in zip(pads, padded.shape, strict=True))
    return np.asarray(padded[inner])
