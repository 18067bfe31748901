"""A body cut off from what it hangs together with: where it narrows against its own depth."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from isocenter.imaging.morphology import distance_mm
from isocenter.imaging.segment.inputs import Place
from isocenter.imaging.segment.region import pieces_at

# Out of a square corner the core lies the square root of three radii away; curved borders need less.
_BACK: Final = 1.3
# How far the way up is looked for: a pinhole of noise must not stop it.
_STRIDE: Final = 2


def cut_at_necks(mask: np.ndarray, place: Place, *, share: float, spacing_mm: Sequence[float]) -> np.ndarray:
    """The part of a mask around a place that narrows nowhere below a share of its own depth, bool.

    place   (k, j, i) inside the mask; its body's depth is that of the hill of depth it lies on
    share   0 to 1: necks thinner than this share of the body are cut

    The image's border is no wall: a body that the field of view cuts off is as deep as what is seen of it.
    """
    depth = distance_mm(mask, spacing_mm=spacing_mm)
    top = _deepest_near(depth, place)
    least = share * float(depth[top])
    if not np.isfinite(least) or least <= 0:
        return mask
    core = pieces_at(depth >= least, [top])
    near = distance_mm(~core, spacing_mm=spacing_mm) <= _BACK * least
    return np.asarray(pieces_at(mask & near, [top]))


def _deepest_near(depth: np.ndarray, place: Place) -> Place:
    """Uphill from a place, always to the deepest within two voxels, until none is deeper."""
    while True:
        box = tuple(slice(max(0, p - _STRIDE), p + _STRIDE + 1) for p in place)
        at = np.unravel_index(int(np.argmax(depth[box])), depth[box].shape)
        k, j, i = (int(side.start) + int(n) for side, n in zip(box, at, strict=True))
        if depth[k, j, i] <= depth[place]:
            return place
        place = (k, j, i)
