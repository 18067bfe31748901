"""The pictures of docs/how-to/radiomics.md: what the features see, and which of them repeat."""

import cv2
import numpy as np
import pytest

from isocenter.core.mask import Mask
from isocenter.core.volume import Volume
from isocenter.evaluation.reliability import feature_stability
from isocenter.imaging.features.discretise import discretise
from isocenter.imaging.features.feature_terms import feature_terms
from isocenter.imaging.features.radiomics import _stem, extract_features, feature_table
from isocenter.imaging.features.radiomics_config import builtin_configs
from isocenter.imaging.features.roi import prepare_roi
from isocenter.imaging.overlay import YELLOW, draw_label, draw_mask, montage, to_rgb
from isocenter.io.load import load

GRADES = {"excellent": (60, 160, 90), "good": (150, 190, 80), "moderate": (230, 180, 60), "poor": (200, 80, 70)}


def gray(picture: np.ndarray, low: float, high: float, side: int = 256) -> np.ndarray:
    shown = np.clip(255 * (picture - low) / (high - low), 0, 255).astype(np.uint8)
    return to_rgb(cv2.resize(shown, (side, side), interpolation=cv2.INTER_CUBIC))


def levels_of(roi, how) -> np.ndarray:
    volume = np.zeros(roi.mask.shape, np.int32)
    volume[roi.mask] = discretise(roi.values, how)
    return volume


@pytest.mark.data
def test_the_region_as_the_features_see_it(data_dir, docs_picture):
    folder = data_dir / "ibsi_phantoms_radiomics" / "pyradiomics"
    image, labels = load(folder / "brain1_image.nrrd"), load(folder / "brain1_label.nrrd")
    mask = labels.array > 0
    k = int(np.argmax(mask.sum(axis=(1, 2))))
    plane = image.array[k].astype(float)
    high = float(np.percentile(plane, 99.5))
    inside = cv2.resize(mask[k].astype(np.uint8), (256, 256), interpolation=cv2.INTER_NEAREST) > 0
    first = draw_mask(gray(plane, 0, high) // 8 * 8, inside, colour=YELLOW, opacity=0.2)
    roi = prepare_roi(image, Mask(mask, image.grid), builtin_configs()["classic"])
    slice_index = int(np.argmax(roi.mask.sum(axis=(1, 2))))
    rows, columns = (np.flatnonzero(roi.mask[slice_index].any(axis=axis)) for axis in (1, 0))
    size = min(max(np.ptp(rows), np.ptp(columns)) + 3, *roi.mask.shape[1:])
    starts = [
        int(np.clip((places[0] + places[-1] + 1 - size) // 2, 0, n - size))
        for places, n in zip((rows, columns), roi.mask.shape[1:], strict=True)
    ]
    part = tuple(slice(start, start + size) for start in starts)
    second = gray(roi.image[slice_index][part], 0, high) // 8 * 8
    levels = levels_of(roi, builtin_configs()["ibsi-d"].texture)[slice_index][part]
    coloured = cv2.applyColorMap((255 * levels / 32).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1]
    coloured[levels == 0] = 0
    third = cv2.resize(np.ascontiguousarray(coloured), (256, 256), interpolation=cv2.INTER_NEAREST)
    names = ("image and region", "the region's box", "32 gray levels")
    shown = [draw_label(each, name, at=(8, 22)) for each, name in zip((first, second, third), names, strict=True)]
    docs_picture("radiomics-region", montage(shown, n_columns=3))


@pytest.fixture(scope="module")
def stability(data_dir):
    """Ten tumours on CT, each as drawn and as drawn one voxel aside, with a little noise."""
    rng = np.random.default_rng(0)
    config = builtin_configs()["ibsi-c"]
    tables = []
    for folder in sorted((data_dir / "sts_ct_pet_mr_tumour").glob("STS_*"))[:10]:
        image, labels = load(folder / "CT_image.nii.gz"), load(folder / "CT_mask.nii.gz")
        repeats = []
        for shift in ((0, 0, 0), (0, 1, 0), (0, 0, -1)):
            region = Mask(np.roll(labels.array > 0, shift, axis=(0, 1, 2)), image.grid)
            noisy = image.array + rng.normal(0, 5, image.array.shape)
            repeats.append(feature_table(extract_features(Volume(noisy, image.grid, "HU"), region, config)))
        tables.append(repeats)
    return feature_stability(tables)


@pytest.mark.data
@pytest.mark.slow
def test_most_features_of_a_tumour_repeat_and_some_do_not(stability, docs_picture):
    families: dict[str, dict[str, int]] = {}
    for row in stability:
        family = feature_terms()[_stem(row.tag)].family
        families.setdefault(family, {})[row.grade] = families.get(family, {}).get(row.grade, 0) + 1
    order = list(dict.fromkeys(term.family for term in feature_terms().values() if term.family in families))
    picture = np.full((40 + 34 * len(order), 900, 3), 255, np.uint8)
    for n, family in enumerate(order):
        y = 36 + 34 * n
        counts = families[family]
        total = sum(counts.get(grade, 0) for grade in GRADES)
        cv2.putText(picture, family, (10, y + 17), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
        x = 430.0
        for grade, colour in GRADES.items():
            width = 450 * counts.get(grade, 0) / total
            if counts.get(grade, 0):
                cv2.rectangle(picture, (round(x), y), (round(x + width), y + 24), colour, -1)
                text = str(counts[grade])
                cv2.putText(
                    picture, text, (round(x) + 5, y + 17), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA
                )
            x += width
    x = 430
    for grade, colour in GRADES.items():
        cv2.rectangle(picture, (x, 10), (x + 14, 24), colour, -1)
        cv2.putText(picture, grade, (x + 20, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
        x += 112
    docs_picture("radiomics-stability", picture)
    grades = [row.grade for row in stability]
    assert grades.count("excellent") > 0.5 * len(grades)
    assert next(row for row in stability if row.tag == "morph_volume").grade == "excellent"
