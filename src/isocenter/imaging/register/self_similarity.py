"""What a place looks like beside its own neighbours: descriptors that stay the same in another modality.

Whether the left neighbour resembles the upper one does not depend on which of two tissues is bright. Compared channel
by channel, descriptors let least squares work between modalities as it does within one.

Source: Heinrich MP et al. Med Image Anal 2012;16(7):1423-1435 (MIND) and MICCAI 2013:187-194 (self-similarity context).
"""

from itertools import combinations
from typing import Final

import numpy as np

from isocenter.imaging.smooth import smooth_gaussian

# Standard deviation of the patch that is compared, in voxels.
_PATCH: Final = 0.8
# The local variance counts as at least and at most so many times its mean.
_FLOOR, _CEILING = 0.01, 100.0


def self_similarity(array: np.ndarray) -> np.ndarray:
    """Channels (n, slices, rows, columns), float32, 0 to 1: 12 of a volume, 4 of a single slice.

    One channel per pair of voxels that lie diagonally to each other around a place: 1 for the pair that is most alike.
    """
    known = np.where(np.isfinite(array), array, np.nanmin(array)).astype(np.float32)
    far = np.stack([_patch_distance(known, one, other) for one, other in _pairs(array.shape)])
    far -= far.min(axis=0)
    spread = far.mean(axis=0)
    middle = float(spread.mean())
    spread = np.clip(spread, _FLOOR * middle + 1e-12, _CEILING * middle + 1e-12)
    return np.asarray(np.exp(-far / spread), dtype=np.float32)


def _pairs(shape: tuple[int, ...]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Steps to two neighbours on different axes, both ways along each axis of more than one voxel."""
    steps = [
        tuple(sign if other == axis else 0 for other in range(3))
        for axis in range(3)
        for sign in (-1, 1)
        if shape[axis] > 1
    ]
    return [(one, other) for one, other in combinations(steps, 2) if np.count_nonzero(np.add(one, other)) == 2]


def _patch_distance(array: np.ndarray, one: tuple[int, ...], other: tuple[int, ...]) -> np.ndarray:
    """The blurred squared difference of the array shifted by two steps; the border repeats its outermost voxels."""
    padded = np.pad(array, 1, mode="edge")
    views = [
        padded[tuple(slice(1 + s, 1 + s + n) for s, n in zip(step, array.shape, strict=True))] for step in (one, other)
    ]
    return smooth_gaussian((views[0] - views[1]) ** 2, sigma_mm=_PATCH, spacing_mm=(1.0, 1.0, 1.0))
