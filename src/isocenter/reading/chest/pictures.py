"""Pictures of a chest CT reading: each nodule with its axes, the calcium, the whole chest with the findings marked."""

from collections.abc import Sequence

import cv2
import numpy as np

from isocenter.core.reading import Figure
from isocenter.imaging.overlay import BLUE, draw_box, draw_caliper, draw_mask, draw_scale_bar, montage, to_rgb, upscale
from isocenter.imaging.segment.calcium import Calcium
from isocenter.imaging.segment.nodules import NoduleFit
from isocenter.reading.chest.axial import Axial
from isocenter.reading.chest.nodule_findings import nodule_mask

# Lung and soft-tissue windows: centre, width.
LUNG_WINDOW, SOFT_WINDOW = (-600.0, 1500.0), (90.0, 750.0)
_MAX_PICTURES = 12


def chest_figures(
    axial: Axial, nodules: Sequence[NoduleFit], calcium: Calcium | None, calcium_id: str
) -> tuple[Figure, ...]:
    """All pictures of a reading; the largest dozen nodules get their own."""
    figures = [nodule_figure(axial, nodule, f"F{number}") for number, nodule in enumerate(nodules[:_MAX_PICTURES], 1)]
    if calcium is not None and calcium_id:
        figures.append(_calcium_figure(axial, calcium, calcium_id))
    return (*figures, _overview(axial, nodules))


def nodule_figure(axial: Axial, nodule: NoduleFit, finding: str) -> Figure:
    """The slice through the nodule's middle: the whole slice with a box, and the nodule close up with its axes."""
    fit, spacing = nodule.ellipsoid, np.array(axial.spacing_mm)
    centre = fit.centre_mm / spacing
    k = int(np.clip(round(float(centre[0])), 0, axial.array.shape[0] - 1))
    part, box = nodule_mask(nodule, axial)
    mask = np.zeros(axial.array.shape[1:], bool)
    mask[box[1:]] = part[min(max(k - box[0].start, 0), len(part) - 1)]
    picture = _window(axial.array[k], LUNG_WINDOW)
    half = np.ceil(np.maximum(2.2 * fit.axial_axes_mm[0], 22.0) / spacing[1:] / 2 * 1.2).astype(int)
    low = np.clip(np.round(centre[1:]).astype(int) - half, 0, np.array(picture.shape) - 1)
    high = np.minimum(low + 2 * half, picture.shape)
    close, factor = upscale(picture[low[0] : high[0], low[1] : high[1]], min_side=384)
    outline = cv2.resize(mask[low[0] : high[0], low[1] : high[1]].astype(np.float32), close.shape[1::-1]) > 0.5
    marked = draw_mask(close, outline, opacity=0.0)
    middle = (centre[1:] - low + 0.5) * factor - 0.5
    along = fit.axial_direction
    across = np.array([-along[1], along[0]])
    for way, length in zip((along, across), fit.axial_axes_mm, strict=True):
        step = way * length / 2 / spacing[1:] * factor
        a, b = middle - step, middle + step
        marked = draw_caliper(marked, (float(a[0]), float(a[1])), (float(b[0]), float(b[1])), label=f"{length:.1f} mm")
    whole = draw_box(picture, ((int(low[0]), int(low[1])), (int(high[0]), int(high[1]))), colour=BLUE)
    whole = draw_scale_bar(whole, float(spacing[2]))
    scale = marked.shape[0] / whole.shape[0]
    whole = cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    index = axial.source_index(np.array([k, centre[1], centre[2]]))
    values = {"finding": finding, "slice": str(int(index[0]) + 1)}
    return Figure(f"{finding}-nodule", montage([whole, marked], n_columns=2), "nodule", values, finding)


def _calcium_figure(axial: Axial, calcium: Calcium, finding: str) -> Figure:
    best = int(calcium.mask.sum(axis=(1, 2)).argmax())
    k = calcium.box[0].start + best
    mask = np.zeros(axial.array.shape[1:], bool)
    mask[calcium.box[1:]] = calcium.mask[best]
    picture, factor = upscale(_window(axial.array[k], SOFT_WINDOW))
    grown = cv2.resize(mask.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST).astype(bool)
    marked = draw_scale_bar(draw_mask(picture, grown, opacity=0.15), axial.spacing_mm[2] / factor)
    index = axial.source_index(np.array([k, 0, 0]))
    return Figure(f"{finding}-calcium", marked, "calcium", {"slice": str(int(index[0]) + 1)}, finding)


def _overview(axial: Axial, nodules: Sequence[NoduleFit]) -> Figure:
    """Coronal mean of the chest as a film would show it, with each nodule numbered."""
    coronal = axial.array[::-1].mean(axis=1, dtype=np.float32)
    low, high = np.percentile(coronal, [2, 99.5])
    gray = np.clip((coronal - low) / max(high - low, 1.0) * 255, 0, 255).astype(np.uint8)
    slice_mm, _, column_mm = axial.spacing_mm
    factor = 512 / gray.shape[1]
    size = (512, max(1, round(gray.shape[0] * factor * slice_mm / column_mm)))
    picture = to_rgb(cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC))
    for number, nodule in enumerate(nodules, 1):
        k, _, i = nodule.ellipsoid.centre_mm / np.array(axial.spacing_mm)
        row = (len(axial.array) - 1 - k + 0.5) * factor * slice_mm / column_mm
        column = (i + 0.5) * factor
        reach = max(8.0, 0.8 * nodule.ellipsoid.axial_axes_mm[0] / column_mm * factor)
        corner = (int(row - reach), int(column - reach)), (int(row + reach), int(column + reach))
        picture = draw_box(picture, corner, label=f"F{number}")
    return Figure("overview", picture, "overview")


def _window(plane: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """Gray values of a slice, uint8 (PS3.3 C.11.2 as a straight line)."""
    centre, width = window
    return np.asarray(np.clip((plane - (centre - width / 2)) / width * 255, 0, 255).astype(np.uint8))
