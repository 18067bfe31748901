"""The pictures of docs/how-to/measure.md: what was measured, drawn on the images that it was measured on."""

import csv

import cv2
import numpy as np
import pytest

from isocenter.app.measure_files import MeasureOptions, measure_files
from isocenter.core.mask import Mask
from isocenter.core.volume import Volume, Window
from isocenter.imaging.features.shape import axes_in_plane
from isocenter.imaging.features.uptake import find_peak, metabolic_mask
from isocenter.imaging.intensity import to_uint8
from isocenter.imaging.overlay import BLUE, YELLOW, draw_caliper, draw_label, draw_mask, draw_scale_bar, montage
from isocenter.imaging.pet import to_suv
from isocenter.imaging.spatial import crop_to_box
from isocenter.io.load import load

pytestmark = pytest.mark.data
SIDE = 400
# Fewer gray levels make a picture small enough for a page.
LEVELS = 0xF0


def enlarged(picture: np.ndarray, pixel_mm: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """The picture with square pixels, its width SIDE, and the factor along rows and columns."""
    factor = SIDE / (picture.shape[1] * pixel_mm[1])
    size = (SIDE, round(picture.shape[0] * pixel_mm[0] * factor))
    large = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC)
    return large & LEVELS, np.array(large.shape[:2]) / picture.shape[:2]


def enlarged_mask(mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return cv2.resize(mask.astype(np.uint8), shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0


def around(image: Volume, mask: Mask, margin_mm: float = 22.0) -> tuple[Volume, Mask]:
    """Both with some millimetres around the mask in each slice."""
    places = np.argwhere(mask.array)
    margin = np.array((0, *np.ceil(margin_mm / mask.grid.spacing_mm[1:]))).astype(int)
    start = np.maximum(places.min(axis=0) - margin, 0)
    stop = np.minimum(places.max(axis=0) + 1 + margin, mask.array.shape)
    part = crop_to_box(image, start, stop)
    return part, Mask(mask.array[tuple(map(slice, start, stop))], part.grid)


def axes_picture(image, mask: Mask, window: Window, title: str) -> np.ndarray:
    axes = axes_in_plane(mask)
    k = axes.slice_index
    pixel_mm = tuple(float(step) for step in mask.grid.spacing_mm[1:])
    picture, factor = enlarged(to_uint8(image.array[k], window), pixel_mm)
    drawn = draw_mask(picture, enlarged_mask(mask.array[k], picture.shape), opacity=0)
    for name, length, ends in (
        ("long axis", axes.long_mm, axes.long_ends),
        ("short axis", axes.short_mm, axes.short_ends),
    ):
        start, end = ((np.array(place) + 0.5) * factor - 0.5 for place in ends)
        drawn = draw_caliper(drawn, tuple(start), tuple(end), colour=BLUE)
        drawn = draw_label(drawn, f"{title} {name} {length:.1f} mm", at=(18 if name == "long axis" else 38, 4))
    return draw_scale_bar(drawn, pixel_mm[1] / factor[1])


def test_axes_of_a_sarcoma_on_ct_and_mr(data_dir, docs_picture):
    folder = data_dir / "sts_ct_pet_mr_tumour" / "STS_008"
    drawn = []
    for name, window in (("CT", Window(40, 400)), ("MR_T1", Window(450, 900))):
        image, labels = load(folder / f"{name}_image.nii.gz"), load(folder / f"{name}_mask.nii.gz")
        image, mask = around(image, Mask(labels.array > 0, labels.grid))
        drawn.append(axes_picture(image, mask, window, name.replace("_", " ")))
    docs_picture("measure-axes", montage(drawn, n_columns=2))


def test_uptake_of_the_same_sarcoma(data_dir, docs_picture):
    suv = to_suv(load(data_dir / "dicom_series" / "sts_STS_008_PET"))
    labels = load(data_dir / "sts_ct_pet_mr_tumour" / "STS_008" / "PET_mask.nii.gz")
    mask = Mask(labels.array > 0, suv.grid)
    hot = metabolic_mask(suv.array, mask)
    peak = find_peak(suv.array, mask)
    best = peak.place
    k = best[0]
    pixel_mm = tuple(float(step) for step in suv.grid.spacing_mm[1:])
    picture, factor = enlarged(255 - to_uint8(suv.array[k], Window(3.5, 7)), pixel_mm)
    drawn = draw_mask(picture, enlarged_mask(mask.array[k], picture.shape), opacity=0, colour=(230, 120, 0))
    drawn = draw_mask(drawn, enlarged_mask(hot.array[k], picture.shape), opacity=0, colour=(200, 0, 0))
    centre = (np.array(best[1:]) + 0.5) * factor - 0.5
    radius = (750 / np.pi) ** (1 / 3) / pixel_mm[1] * factor[1]
    cv2.circle(drawn, tuple(round(value) for value in centre[::-1]), round(radius), (0, 90, 220), 2, cv2.LINE_AA)
    drawn = draw_label(drawn, f"SUVmax {suv.array[mask.array].max():.2f}", at=(18, 4))
    drawn = draw_label(drawn, f"SUVpeak {peak.value:.2f} (blue: 1 ml)", at=(40, 4))
    drawn = draw_label(drawn, f"MTV 41 % {hot.volume_ml:.1f} ml (red)", at=(62, 4))
    docs_picture("measure-uptake", drawn)


MARKS = {"heart_right": (92, 168), "heart_left": (186, 187), "thorax_right": (20, 190), "thorax_left": (216, 190)}


def test_the_cardiothoracic_ratio_of_a_chest_film(data_dir, docs_picture, tmp_path):
    path = data_dir / "nih_cxr_pneumonia_vs_nofinding" / "images" / "00001299_000.jpg"
    with (tmp_path / "marks.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("measure", "point", "i", "j", "k"))
        writer.writerows(("cardiothoracic_ratio", name, *place, 0) for name, place in MARKS.items())
    ((_, row),) = measure_files(path, None, landmarks=tmp_path / "marks.csv", options=MeasureOptions()).rows
    picture, factor = enlarged(load(path).array[0], (1.0, 1.0))
    places = {name: (np.array(place[::-1]) + 0.5) * factor - 0.5 for name, place in MARKS.items()}
    drawn = draw_caliper(picture, tuple(places["thorax_right"]), tuple(places["thorax_left"]), colour=BLUE)
    level = places["heart_left"][0] - 30
    ends = [(level, places[name][1]) for name in ("heart_right", "heart_left")]
    drawn = draw_caliper(drawn, *ends, colour=YELLOW)
    for name, end in zip(("heart_right", "heart_left"), ends, strict=True):
        points = [tuple(round(value) for value in place[::-1]) for place in (places[name], end)]
        cv2.line(drawn, *points, YELLOW, 1, cv2.LINE_AA)
        cv2.circle(drawn, points[0], 4, YELLOW, -1, cv2.LINE_AA)
    drawn = draw_label(drawn, f"CTR {row.value:.2f} +- {row.uncertainty:.2f}", at=(18, 4))
    docs_picture("measure-ratio", drawn)
