"""How much each voxel of the fixed image counts in the fine search: the inside of the body more than its skin.

Skin, jaw and neck move between two visits; what lies deep is what a reader compares.
"""

import cv2
import edt
import numpy as np

from isocenter.imaging.register.levels import Level, Samples, coarser_level, foreground, is_even, take_samples

# Weights grow with the square of the depth up to this share of the greatest depth.
_FULL_DEPTH = 0.3
# Bodies are found on copies of about so many voxels along the longest side.
_SIDE = 64
_LEAST = 0.02
# A weight that no voxel of the border has, which coarse copies blur.
_DEEP = 0.5
# The margin around the body, as a share of the field of view.
_MARGIN = 0.05


def core_level(level: Level) -> Level:
    """A small copy whose values are the weights: 0 outside the body, 1 deep inside.

    A body of one value, as a mask is, has nothing to compare but its border: then as `rim_level`.
    """
    extent = level.spacing_mm * np.array(level.array.shape)
    small = coarser_level(level, float(extent.max()) / _SIDE)
    weights = core_weights(small)
    return rim_level(level) if is_even(small, weights > _DEEP) else Level(weights, small.affine, (0.0, 1.0))


def rim_level(level: Level) -> Level:
    """A small copy whose values are 1 in the body and a margin around it, 0 elsewhere.

    Both sides of every edge count alike there, so that edges pull to no side.
    """
    extent = level.spacing_mm * np.array(level.array.shape)
    small = coarser_level(level, float(extent.max()) / _SIDE)
    outside = ~filled_body(small)
    if outside.all():
        return Level(np.ones(small.array.shape, dtype=np.float32), small.affine, (0.0, 1.0))
    away_mm = np.asarray(edt.edt(outside, anisotropy=tuple(small.spacing_mm.tolist()), black_border=False))
    return Level((away_mm <= _MARGIN * extent.max()).astype(np.float32), small.affine, (0.0, 1.0))


def weighted_samples(level: Level, core: Level, *, n_most: int) -> Samples:
    """About so many voxels of the body at most, weighed by depth; all voxels alike where no body stands out.

    core   as `core_level` or `rim_level` gives it, of the same image at any resolution
    """
    everywhere = take_samples(level, None, n_most=round(n_most / max(_share(core), 0.02)))
    place = np.linalg.solve(core.affine, level.affine)
    # Copies of one image are parallel: each axis maps by a scale and a shift.
    places = (everywhere.index[:, axis] * place[axis, axis] + place[axis, 3] for axis in range(3))
    index = (np.clip((at + 0.5).astype(np.int64), 0, n - 1) for at, n in zip(places, core.array.shape, strict=True))
    weights = core.array[tuple(index)]
    kept = weights > _LEAST
    if np.count_nonzero(kept) < min(1000, level.array.size // 20):
        return take_samples(level, None, n_most=n_most)
    return Samples(everywhere.index[kept], everywhere.values[kept], weights[kept])


def _share(core: Level) -> float:
    return float(np.mean(core.array > _LEAST))


def core_weights(level: Level) -> np.ndarray:
    """Weights from 0 (outside the body) to 1 (deep inside), float32, the level's shape.

    The border of the image is no skin: a cut body keeps its weight there.
    """
    body = filled_body(level)
    if not body.any():
        return np.ones(level.array.shape, dtype=np.float32)
    solid = body.all()
    depth = np.asarray(edt.edt(body, anisotropy=tuple(level.spacing_mm.tolist()), black_border=bool(solid)))
    return np.asarray(np.clip(depth / (_FULL_DEPTH * depth.max()), 0, 1) ** 2, dtype=np.float32)


def filled_body(level: Level) -> np.ndarray:
    """The foreground with gaps closed and, slice by slice, holes filled; bool."""
    body = foreground(level).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    filled = np.zeros_like(body)
    for picture, out in zip(body, filled, strict=True):
        closed = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, kernel, iterations=2)
        outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(out, outlines, -1, 1, cv2.FILLED)
    return filled.astype(np.bool_)
