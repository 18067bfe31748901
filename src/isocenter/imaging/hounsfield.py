"""Whether numbers without a stated unit are Hounsfield units."""

import numpy as np

from isocenter.core.volume import Volume

# Air outside the body or in the lungs, and soft tissue: a CT of a body holds both in plenty.
_AIR_HU = (-1100.0, -700.0)
_TISSUE_HU = (-150.0, 150.0)
_RANGE_HU = (-4096.0, 32767.0)
_MIN_SHARE = 0.03
_STRIDE = 4


def looks_like_hounsfield(volume: Volume) -> bool:
    """Whether a gray stack of unstated unit holds the two peaks of a CT: air near -1000 and soft tissue near 0.

    An MR or a count image has no negative peak, so it never passes. A CT windowed to 0…255 does not pass either.
    """
    if volume.is_colour or volume.is_2d:
        return False
    sample = np.asarray(volume.array[::_STRIDE, ::_STRIDE, ::_STRIDE], dtype=np.float32)
    if sample.min() < _RANGE_HU[0] or sample.max() > _RANGE_HU[1]:
        return False
    shares = [np.mean((sample >= low) & (sample <= high)) for low, high in (_AIR_HU, _TISSUE_HU)]
    return bool(min(shares) >= _MIN_SHARE)
