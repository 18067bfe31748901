"""What filters share: voxels beyond the border, and responses of several directions put together."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.imaging.features.filters_settings import Boundary, Pooling

_PAD_MODES: Final[dict[Boundary, Any]] = {
    "zero": "constant",
    "nearest": "edge",
    "periodic": "wrap",
    "mirror": "symmetric",
}


def pad_border(array: np.ndarray, widths: Sequence[int], boundary: Boundary) -> np.ndarray:
    """The array with as many voxels more on both sides of each axis, as the boundary condition says, float32."""
    both = [(width, width) for width in widths]
    return np.asarray(np.pad(np.asarray(array, dtype=np.float32), both, mode=_PAD_MODES[boundary]))


def pool_responses(responses: Iterable[tuple[np.ndarray, int]], pooling: Pooling) -> np.ndarray:
    """Responses put together voxel by voxel: their maximum, mean or minimum; "none" takes the only one there is.

    responses   each with the number of directions it stands for; one at a time is held

    Raises InputError where there is none, or several and nothing to pool them by.
    """
    held: np.ndarray | None = None
    total = 0
    for response, count in responses:
        total += count
        if pooling == "mean":
            part = response * np.float32(count)
            held = part if held is None else held + part
        elif held is None:
            held = response
        elif pooling == "none":
            raise InputError("pooling: expected max, mean or min for several directions, got none")
        else:
            held = (np.maximum if pooling == "max" else np.minimum)(held, response)
    if held is None:
        raise InputError("pooling: expected at least one response, got none")
    return held / np.float32(total) if pooling == "mean" else held
