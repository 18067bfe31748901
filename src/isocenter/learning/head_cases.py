"""The fetal-head model case by case: what a network says of a picture, and how far it is from the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from isocenter.core.card import PrepareStep
from isocenter.core.volume import Volume
from isocenter.evaluation.segmentation import dice
from isocenter.imaging.prepare import prepare
from isocenter.imaging.segment.head_ellipse import HeadFit, ellipse_perimeter, fit_head, measure_head
from isocenter.io.raster import read_raster
from isocenter.learning.data import Example, load_mask, load_volume

Outputs = Callable[[np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True, slots=True, eq=False)
class HeadCase:
    """One picture seen by a network.

    fit        None where no ellipse came out
    features   (d,)
    overlap    Dice of the ellipse and the reference mask on the picture's own pixels; NaN without a mask or a fit
    error_mm   circumference minus the reference; NaN likewise
    """

    key: str
    group: str
    fit: HeadFit | None
    features: np.ndarray = field(repr=False)
    overlap: float = float("nan")
    error_mm: float = float("nan")
    circumference_mm: float = float("nan")


def see_heads(
    outputs: Outputs, examples: Sequence[Example], steps: Sequence[PrepareStep], *, margin_px: float
) -> tuple[HeadCase, ...]:
    """Every example through a network, held against its mask and its circumference.

    outputs   prepared images (n, …) -> the network's outputs by name
    """
    return tuple(_see(outputs, example, steps, margin_px) for example in examples)


def see_strangers(outputs: Outputs, volumes: Sequence[Volume], steps: Sequence[PrepareStep]) -> tuple[HeadCase, ...]:
    """Pictures of something else through a network."""
    cases = []
    for volume in volumes:
        fit, features = _look(outputs, volume, steps)
        cases.append(HeadCase("", "", fit, features))
    return tuple(cases)


def mask_margin_px(examples: Sequence[Example], steps: Sequence[PrepareStep]) -> float:
    """By how many prepared pixels the reference masks lie outside the outline that was measured, median.

    The masks of the data set hold the drawn line, the circumference is that of its middle: the perimeter of the
    mask's ellipse exceeds the reference by 2 pi times the margin.
    """
    margins = []
    for example in examples:
        mask = load_mask(example, steps)
        fit = fit_head(mask.array[0] - 0.5, mask.to_source, _shape(read_raster(example.path)))
        if fit is None or fit.quality["visible"] < 1:
            continue
        longer, shorter = fit.ellipse.semi_axes
        surplus_px = (
            ellipse_perimeter(longer, shorter) - example.facts["head_circumference_mm"] / example.facts["pixel_size_mm"]
        )
        margins.append(surplus_px / (2 * np.pi * fit.ellipse.grain))
    return float(np.median(margins))


def _see(outputs: Outputs, example: Example, steps: Sequence[PrepareStep], margin_px: float) -> HeadCase:
    """One example through a network."""
    volume = load_volume(example)
    fit, features = _look(outputs, volume, steps)
    if fit is None or example.mask is None:
        return HeadCase(example.key, example.group, fit, features)
    truth = read_raster(example.mask).array[0]
    truth = (truth if truth.ndim == 2 else truth.max(axis=-1)) > 0
    pixel_mm = example.facts["pixel_size_mm"]
    answer = measure_head(fit.ellipse, pixel_mm, pixel_mm, margin_px=margin_px).head_circumference_mm
    reference = example.facts["head_circumference_mm"]
    overlap = dice(truth, fit.ellipse.mask(_shape(volume)))
    return HeadCase(example.key, example.group, fit, features, overlap, answer - reference, reference)


def _look(outputs: Outputs, volume: Volume, steps: Sequence[PrepareStep]) -> tuple[HeadFit | None, np.ndarray]:
    """The fit and the features of one picture."""
    prepared = prepare(volume, steps)
    given = outputs(prepared.array[np.newaxis])
    return fit_head(given["logits"][0, 0], prepared.to_source, _shape(volume)), given["features"][0]


def _shape(volume: Volume) -> tuple[int, int]:
    """Rows and columns."""
    return volume.grid.shape[1], volume.grid.shape[2]
