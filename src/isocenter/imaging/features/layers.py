"""A mask one voxel larger or smaller, by the faces of its voxels."""

import numpy as np


def grow_by_voxel(array: np.ndarray) -> np.ndarray:
    """The mask and every voxel that shares a face with it; bool, same shape."""
    grown = array.copy()
    for axis in range(array.ndim):
        ahead = tuple(slice(1, None) if a == axis else slice(None) for a in range(array.ndim))
        behind = tuple(slice(None, -1) if a == axis else slice(None) for a in range(array.ndim))
        grown[ahead] |= array[behind]
        grown[behind] |= array[ahead]
    return grown


def shrink_by_voxel(array: np.ndarray) -> np.ndarray:
    """The voxels of a mask all of whose faces touch others of it; what lies beyond the image is outside."""
    kept = array.copy()
    for axis in range(array.ndim):
        ahead = tuple(slice(1, None) if a == axis else slice(None) for a in range(array.ndim))
        behind = tuple(slice(None, -1) if a == axis else slice(None) for a in range(array.ndim))
        kept[ahead] &= array[behind]
        kept[behind] &= array[ahead]
        for end in (0, -1):
            kept[tuple(end if a == axis else slice(None) for a in range(array.ndim))] = False
    return kept
