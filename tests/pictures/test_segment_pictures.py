"""The pictures of docs/how-to/segment.md: each method on the real image that it is shown on."""

import cv2
import numpy as np
import pytest

from isocenter.app.image_files import open_image, open_labels
from isocenter.app.segment_files import METHODS
from isocenter.core.volume import Volume, Window
from isocenter.imaging.intensity import to_gray, to_uint8
from isocenter.imaging.morphology import distance_mm
from isocenter.imaging.overlay import BLUE, GREEN, RED, WHITE, YELLOW, draw_label, draw_mask, montage
from isocenter.imaging.spatial import crop_to_box

pytestmark = pytest.mark.data
SIDE = 340
# Fewer gray levels make a picture small enough for a page.
LEVELS = 0xF0
COLOURS = (YELLOW, BLUE, RED, GREEN, (204, 121, 167), (230, 159, 0))


def shown(picture: np.ndarray, side: int = SIDE) -> np.ndarray:
    """One slice of square pixels, `side` pixels wide."""
    size = (side, round(side * picture.shape[0] / picture.shape[1]))
    return cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC) & LEVELS


def panel(picture: np.ndarray, labels: np.ndarray, title: str, *, opacity: float = 0.0, colours=COLOURS) -> np.ndarray:
    """A picture with every label outlined, and a title."""
    drawn = picture
    for number in (n for n in np.unique(labels) if n):
        mask = cv2.resize((labels == number).astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        drawn = draw_mask(drawn, mask > 0, colour=colours[(int(number) - 1) % len(colours)], opacity=opacity)
    return draw_label(drawn, title, at=(18, 4), colour=WHITE)


def run(method: str, volume: Volume, **options) -> np.ndarray:
    found = METHODS[method](volume, **options)
    return np.asarray(getattr(found, "mask", found)).astype(np.int32)


def ct(data_dir) -> Volume:
    return open_image(data_dir / "ct_mr_organ_masks_small" / "example_ct.nii.gz")


def ct_slice(volume: Volume, k: int) -> np.ndarray:
    return to_uint8(volume.array[k].astype(np.float32)[::-1], Window(40, 400))


def test_thresholds(data_dir, docs_picture):
    volume, k = ct(data_dir), 50
    picture = shown(ct_slice(volume, k))
    presets = np.zeros(volume.grid.shape[1:], np.int32)
    for number, name in enumerate(("bone", "fat", "muscle"), 1):
        presets[run("threshold", volume, preset=name)[k] > 0] = number
    classes = run("multi-otsu", volume, classes=4)[k] - 1
    docs_picture(
        "segment-thresholds",
        montage(
            [
                panel(picture, presets[::-1], "--preset bone, fat, muscle", opacity=0.35),
                panel(picture, classes[::-1], "multi-otsu --classes 4", opacity=0.35),
            ],
            n_columns=2,
        ),
    )


def test_region_growing_and_its_guard(data_dir, docs_picture):
    folder = data_dir / "ct_mr_organ_masks_small"
    volume = open_image(folder / "example_ct_sm.nii.gz")
    kidney = open_labels(folder / "example_seg_fast.nii.gz", volume).array == 3
    depth = distance_mm(kidney, spacing_mm=volume.grid.spacing_mm)
    k, j, i = np.unravel_index(int(np.argmax(depth)), depth.shape)
    seed = ((int(i), int(j), int(k)),)
    free = run("region-growing", volume, seed=seed, neck_mm=0.0)
    held = run("region-growing", volume, seed=seed)
    assert 2 * (held * kidney).sum() / (held.sum() + kidney.sum()) > 0.85
    assert 2 * (free * kidney).sum() / (free.sum() + kidney.sum()) < 0.2
    picture = shown(ct_slice(volume, k))
    docs_picture(
        "segment-region",
        montage(
            [
                panel(picture, free[k][::-1], "--seed in a kidney, --neck-mm 0", opacity=0.35),
                panel(picture, held[k][::-1], "--seed in a kidney", opacity=0.35),
            ],
            n_columns=2,
        ),
    )


def test_cells_come_apart(data_dir, docs_picture):
    volume = open_image(data_dir / "bccd_blood_cells_detection" / "images" / "BloodImage_00005.jpg")
    cells = volume.with_array(255 - to_gray(volume).array, unit="a.u.")
    picture = shown(volume.array[0])
    docs_picture(
        "segment-cells",
        montage(
            [
                panel(picture, run("watershed", cells, depth=4.0)[0], "watershed"),
                panel(picture, run("edge", cells)[0], "edge", opacity=1.0),
            ],
            n_columns=2,
        ),
    )


def test_one_click_in_a_breast_lesion(data_dir, docs_picture):
    volume = to_gray(open_image(data_dir / "busi_breast_us" / "benign" / "benign_10.jpg"))
    seed = ((volume.grid.shape[2] * 47 // 256, volume.grid.shape[1] * 73 // 256),)
    picture = shown(volume.array[0], 224)
    panels = []
    for method, options in (
        ("region-growing", {}),
        ("random-walker", {}),
        ("graph-cut", {}),
        ("watershed", {}),
        ("active-contour", {"kind": "geodesic"}),
        ("level-set", {}),
    ):
        labels = run(method, volume, seed=seed, **options)[0]
        panels.append(panel(picture, labels, method))
    docs_picture("segment-click", montage(panels, n_columns=3))


def test_uptake(data_dir, docs_picture):
    folder = data_dir / "sts_ct_pet_mr_tumour" / "STS_003"
    volume = open_image(folder / "PET_image.nii.gz")
    tumour = open_labels(folder / "PET_mask.nii.gz", volume).array > 0
    k, j, i = np.unravel_index(int(np.argmax(np.where(tumour, volume.array, 0))), tumour.shape)
    seed = ((int(i), int(j), int(k)),)
    heat = np.clip(255 - volume.array[k] * (255 / 8), 0, 255).astype(np.uint8)
    picture = shown(heat)
    panels = []
    for method in ("pet-41", "pet-gradient", "graph-cut"):
        labels = run(method, volume, seed=seed)[k]
        drawn = panel(picture, labels, method, colours=(RED,))
        panels.append(panel(drawn, tumour[k].astype(int), method, colours=(BLUE,)))
    docs_picture("segment-uptake", montage(panels, n_columns=3))


def test_classes_of_a_brain(data_dir, docs_picture):
    volume = open_image(data_dir / "ms_lesions_mni_4modal" / "patient07" / "T1.nii.gz")
    part = crop_to_box(volume, (88, 30, 25), (92, 190, 157))
    picture = shown(np.clip(part.array[2] / 4000 * 400, 0, 255).astype(np.uint8)[::-1], 228)
    panels = [
        panel(picture, run("kmeans", part, classes=4)[2][::-1] - 1, "kmeans --classes 4", opacity=0.3),
        panel(picture, run("gmm", part, classes=4)[2][::-1] - 1, "gmm --classes 4", opacity=0.3),
        panel(picture, run("slic", part, segments=600)[2][::-1], "slic --segments 600", colours=(YELLOW,)),
    ]
    docs_picture("segment-classes", montage(panels, n_columns=3))
