"""Measurements that somebody asks for by name: of one label, or of one label against another."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask, Regions
from isocenter.core.volume import Volume
from isocenter.imaging.features.calcium_mass import calcium_mass_mg
from isocenter.imaging.features.clinical import (
    cardiothoracic_ratio,
    cobb_angle_deg,
    evans_index,
    halved_product,
    midline_shift_mm,
)
from isocenter.imaging.features.distances import centroid_mm, distance_between_mm, mask_gap_mm
from isocenter.imaging.features.landmarks import voxel_step_mm
from isocenter.imaging.measure import Measured, axial_mask, crop_mask, half_voxel_ml
from isocenter.imaging.segment.agatston import score_calcium

Row = tuple[str, Measured]
# Name -> what the two labels are; None for those of each label on its own.
EXTRAS: Final[Mapping[str, str | None]] = {
    "abc2": None,
    "calcium": None,
    "distance": "two labels",
    "cardiothoracic": "heart,thorax or lungs",
    "evans": "frontal horns,inside of the skull",
    "midline": "midline structure,inside of the skull",
    "cobb": "upper,lower end vertebra",
}


def measure_extra(spec: str, volume: Volume, labels: Regions, calcium_factor: float | None = None) -> list[Row]:
    """The rows of one extra measurement.

    spec   a key of `EXTRAS`, with "=1,2" for those of two labels

    Raises InputError for another name, or labels that do not occur.
    """
    name, _, numbers = spec.partition("=")
    if name not in EXTRAS:
        raise InputError(f"--with: expected one of {', '.join(EXTRAS)}; got {name!r}")
    if EXTRAS[name] is None:
        return [
            row for label in labels.labels for row in _of_one(name, volume, labels, label, calcium_factor)
        ]  # fmt: skip
    first, second = _pair(name, numbers, labels)
    masks = _boxed(labels, first, second)
    return [(f"{first}-{second}", row) for row in _PAIRS[name](*masks)]


def _pair(name: str, numbers: str, labels: Regions) -> tuple[int, int]:
    parts = numbers.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise InputError(f"--with {name}: expected {name}=A,B with the labels of {EXTRAS[name]}; got {numbers!r}")
    first, second = (int(part) for part in parts)
    for label in (first, second):
        if label not in labels.labels:
            known = ", ".join(map(str, labels.labels))
            raise InputError(f"--with {name}: expected a label of the mask ({known}), got {label}")
    return first, second


def _boxed(labels: Regions, first: int, second: int) -> tuple[Mask, Mask]:
    """Both masks, turned to axial, on one grid around them."""
    masks = labels.mask_of(first), labels.mask_of(second)
    box = crop_mask(Mask(masks[0].array | masks[1].array, labels.grid)).grid
    shift = np.rint(labels.grid.to_index(box.affine[:3, 3])).astype(int)
    part = tuple(slice(start, start + size) for start, size in zip(shift, box.shape, strict=True))
    return axial_mask(Mask(masks[0].array[part], box)), axial_mask(Mask(masks[1].array[part], box))


def _of_one(name: str, volume: Volume, labels: Regions, label: int, factor: float | None) -> list[Row]:
    mask = labels.mask_of(label)
    rows = _abc2(axial_mask(crop_mask(mask))) if name == "abc2" else _calcium(volume, mask, factor)
    return [(str(label), row) for row in rows]


def _abc2(mask: Mask) -> list[Measured]:
    found = halved_product(mask)
    how = f"A x B x C / 2 with {found.a_mm:.1f}, {found.b_mm:.1f}, {found.c_mm:.1f} mm (Kothari 1996)"
    return [Measured("abc2_volume", found.volume_ml, "ml", how, found.uncertainty_ml)]


def _calcium(volume: Volume, mask: Mask, factor: float | None) -> list[Measured]:
    """Agatston, volume and mass score inside a label."""
    if volume.unit != "HU" or volume.array.shape != mask.array.shape:
        raise InputError(f"--with calcium: expected CT in HU on the mask's grid, got {volume.unit}; see --unit")
    steps = volume.grid.spacing_mm
    score, counted = score_calcium(
        volume.array.astype(np.float32), mask.array, (float(steps[0]), float(steps[1]), float(steps[2]))
    )
    where = Mask(counted, mask.grid)
    share = half_voxel_ml(where) / where.volume_ml if counted.any() else 0.0
    how = "130 HU and more, areas of 1 mm2 and more"
    rows = [
        Measured("agatston_score", score.agatston, "1", f"{how}, weighted by peak", score.agatston * share),
        Measured("calcium_volume", score.volume_mm3, "mm3", how, score.volume_mm3 * share),
    ]
    if factor is not None:
        mass_mg = calcium_mass_mg(volume.array, where, factor_mg_ml_hu=factor)
        rows.append(Measured("calcium_mass", mass_mg, "mg", f"{how}, {factor:g} mg per ml and HU", mass_mg * share))
    return rows


def _distance(first: Mask, second: Mask) -> list[Measured]:
    gap_mm = mask_gap_mm(first, second)
    centres = centroid_mm(first), centroid_mm(second)
    step_mm = float(first.grid.spacing_mm.max())
    return [
        Measured("surface_distance", gap_mm, "mm", "shortest way between the surfaces", step_mm),
        Measured(
            "centre_distance", distance_between_mm(*centres), "mm", "between the centres of mass",
            voxel_step_mm(centres[1] - centres[0], first.grid),
        ),
    ]  # fmt: skip


def _cardiothoracic(first: Mask, second: Mask) -> list[Measured]:
    found = cardiothoracic_ratio(first, second)
    how = "greatest widths across; valid on an upright postero-anterior film"
    return [Measured("cardiothoracic_ratio", found.ratio, "1", how, found.uncertainty)]


def _evans(first: Mask, second: Mask) -> list[Measured]:
    found = evans_index(first, second)
    return [Measured("evans_index", found.ratio, "1", "greatest widths in one slice", found.uncertainty)]


def _midline(first: Mask, second: Mask) -> list[Measured]:
    shift_mm, _, spread_mm = midline_shift_mm(first, second)
    how = "from the long axis of the ellipse that fits the inside of the skull"
    return [Measured("midline_shift", shift_mm, "mm", how, spread_mm)]


def _cobb(first: Mask, second: Mask) -> list[Measured]:
    angle, spread = cobb_angle_deg(first, second)
    return [Measured("cobb_angle", angle, "deg", "between endplates, each a line through its border", spread)]


_PAIRS: Final[Mapping[str, Callable[[Mask, Mask], list[Measured]]]] = {
    "distance": _distance,
    "cardiothoracic": _cardiothoracic,
    "evans": _evans,
    "midline": _midline,
    "cobb": _cobb,
}
