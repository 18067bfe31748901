"""Class activation: where a network with global pooling found what speaks for a class; one pass, no gradients.

The network exports, beside its logits, either "cam" (N, classes, h, w), or "maps" (N, d, h, w), its last feature maps,
to which the last layer's weights (classes, d) belong.
Source: Zhou et al. 2016, Learning Deep Features for Discriminative Localization.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from isocenter.core.errors import InputError

_LEVELS = 64


def class_map(
    outputs: Mapping[str, np.ndarray], column: int, *, shape: tuple[int, int], weights: np.ndarray | None = None
) -> np.ndarray:
    """Where the image speaks for one class rather than the others, on the prepared pixels, 0…1, shape `shape`.

    outputs   of one image, by name
    column    of the class
    weights   (classes, d) of the last layer, for a network that exports "maps" alone

    A softmax answers to differences, so the mean activation of the other classes is taken away first. All zeros where
    nothing speaks for the class. Raises InputError if the network exports no maps.
    """
    activation = _activation(outputs, weights)
    if not 0 <= column < activation.shape[0]:
        raise InputError(f"class map: expected a class below {activation.shape[0]}, got {column}")
    contrast = activation[column]
    if activation.shape[0] > 1:
        contrast = contrast - np.delete(activation, column, axis=0).mean(axis=0)
    size = (shape[1], shape[0])
    enlarged = cv2.resize(np.ascontiguousarray(contrast, dtype=np.float32), size, interpolation=cv2.INTER_CUBIC)
    positive = np.maximum(enlarged, 0)
    return np.asarray(positive / max(float(positive.max()), 1e-12), dtype=np.float32)


def region_box(heat: np.ndarray, share: float = 0.5) -> tuple[tuple[int, int], tuple[int, int]]:
    """The box ((top, left), (bottom, right)), half open, of the region of an image that drove the answer.

    heat   (rows, columns), not negative; as `region_bounds`
    """
    if heat.ndim != 2:
        raise InputError(f"region: expected a map of (rows, columns), got shape {heat.shape}; see region_bounds")
    (top, left), (bottom, right) = region_bounds(heat, share)
    return (top, left), (bottom, right)


def region_bounds(heat: np.ndarray, share: float = 0.5) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The box, (first index, last index + 1) per axis, of the region around the peak that holds a share of the heat.

    heat   (rows, columns) or (slices, rows, columns), not negative

    The region is the connected one around the largest value, grown down to the level at which it holds the share.
    The whole image where the map is flat. Raises InputError for a share outside (0, 1] or a map that is not finite.
    """
    if not 0 < share <= 1 or not np.isfinite(heat).all():
        raise InputError(f"region: expected a share in (0, 1] and a finite map, got {share}")
    positive = np.maximum(heat, 0).astype(np.float64)
    peak, total = float(positive.max()), float(positive.sum())
    if peak <= 0 or float(positive.min()) == peak:
        return (0,) * heat.ndim, tuple(heat.shape)
    low, high = 0, _LEVELS
    region = positive > 0
    while low < high:
        level = (low + high + 1) // 2
        grown = _around_peak(positive, peak * level / _LEVELS)
        if float(positive[grown].sum()) >= share * total:
            region, low = grown, level
        else:
            high = level - 1
    where = np.nonzero(region)
    return tuple(int(axis.min()) for axis in where), tuple(int(axis.max()) + 1 for axis in where)


def _activation(outputs: Mapping[str, np.ndarray], weights: np.ndarray | None) -> np.ndarray:
    """(classes, h, w) of the first image of the batch."""
    if "cam" in outputs:
        return np.asarray(outputs["cam"][0], dtype=np.float64)
    if "maps" in outputs and weights is not None:
        return np.asarray(np.einsum("cd,dhw->chw", weights, outputs["maps"][0]), dtype=np.float64)
    raise InputError(
        f"class map: expected an output named cam, or maps with weights, got {sorted(outputs)}; use occlusion"
    )


def _around_peak(positive: np.ndarray, level: float) -> np.ndarray:
    """The connected pixels at or above the level that the peak belongs to, bool."""
    import cc3d

    labels = cc3d.connected_components(positive >= level, connectivity=8 if positive.ndim == 2 else 26)
    return np.asarray(labels == labels.flat[int(positive.argmax())])
