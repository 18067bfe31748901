"""Lungs and airways of a chest CT, found on a coarse grid of about 2 mm.

Thresholds are those in wide use for aerated lung (Hu, Hoffman, Reinhardt, IEEE Trans Med Imaging 2001;20:490): tissue
and lung part at about -400 HU. Both lungs are closed with a ball wider than the largest nodule looked for, so that
nodules on the pleura and vessels belong to the lung's hull.
"""

from dataclasses import dataclass, field

import cc3d
import edt
import numpy as np

from isocenter.imaging.segment.grids import CoarseMap, pool_mean

TISSUE_HU = -400.0
# A bowel loop holds pure gas, a lung does not; a lung below this is not aerated lung as we know it.
_LUNG_MEAN_HU = (-965.0, -500.0)
_CLOSING_MM = 13.0
_MIN_LUNG_ML = 60.0
RIGHT, LEFT = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Lungs:
    """Where the lungs are, on a coarse grid.

    aerated    uint8: 0 none, 1 right lung, 2 left lung; air-filled voxels only
    hull       uint8, same labels: closed, with vessels and nodules, without airways
    airway     bool: trachea and main bronchi
    body       bool: not the air around the patient
    coarse     how the coarse grid lies on the fine one
    lung_hu    median HU of aerated lung
    """

    aerated: np.ndarray = field(repr=False)
    hull: np.ndarray = field(repr=False)
    airway: np.ndarray = field(repr=False)
    body: np.ndarray = field(repr=False)
    coarse: CoarseMap
    lung_hu: float

    def volume_ml(self, label: int) -> float:
        """Volume of one lung with its vessels."""
        return float(np.count_nonzero(self.hull == label) * self.coarse.voxel_ml)


def find_lungs(hu: np.ndarray, spacing_mm: tuple[float, float, float]) -> Lungs | None:
    """The lungs of an axial CT (slices towards the head, rows to the back, columns to the left), None without any.

    hu          (slices, rows, columns)
    spacing_mm  slices, rows, columns
    """
    coarse = CoarseMap.for_grid(hu.shape, spacing_mm, 2.0)
    values = pool_mean(hu, coarse)
    air = values < TISSUE_HU
    around = _air_around(air, values)
    inside = air & ~around
    airway = _find_airway(values, inside, coarse)
    lungs = _two_lungs(values, inside & ~_grow(airway, 2.5, coarse), coarse)
    if lungs is None:
        return None
    hull = np.zeros_like(lungs)
    blocked = around | _grow(airway, 3.0, coarse)
    for label in (RIGHT, LEFT):
        closed = _close(lungs == label, coarse) & ~blocked & (lungs != RIGHT + LEFT - label)
        hull[closed & (hull == 0)] = label
    return Lungs(lungs, hull, airway, ~around, coarse, float(np.median(values[lungs > 0])))


def _air_around(air: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The air around the patient: what touches the image border sideways and is no aerated lung cut by the border."""
    labels = cc3d.connected_components(air.astype(np.uint8), connectivity=6)
    rim = np.concatenate(
        [labels[:, 0].ravel(), labels[:, -1].ravel(), labels[:, :, 0].ravel(), labels[:, :, -1].ravel()]
    )
    counts = np.bincount(rim, minlength=int(labels.max()) + 1)
    sums = np.bincount(labels.ravel(), weights=values.ravel())
    sizes = np.bincount(labels.ravel())
    mean = sums / np.maximum(sizes, 1)
    outer = (counts > 0) & ((mean < -940) | (counts > 0.02 * sizes))
    outer[0] = False
    return np.asarray(outer[labels])


def _find_airway(values: np.ndarray, inside: np.ndarray, coarse: CoarseMap) -> np.ndarray:
    """Trachea and main bronchi: the long upright tube of pure air near the middle; empty if there is none.

    The limit falls from the darkest gas towards lung until the region leaks into a lung, as its sudden growth shows
    (Mori et al., Proc ICPR 1996:528).
    """
    empty = np.zeros(values.shape, bool)
    if not inside.any():
        return empty
    lung_hu = float(np.median(values[inside]))
    best, best_ml = empty, 0.0
    for share in (0.35, 0.5, 0.62, 0.74):
        limit = -1000.0 + share * max(lung_hu + 1000.0, 20.0)
        labels = cc3d.connected_components((inside & (values < limit)).astype(np.uint8), connectivity=6)
        tube = _most_tube_like(labels, inside, coarse)
        volume_ml = float(np.count_nonzero(tube) * coarse.voxel_ml)
        if volume_ml > 110 or (best_ml > 0 and volume_ml > 2.5 * best_ml + 8):
            break
        if volume_ml > best_ml:
            best, best_ml = tube, volume_ml
    return best


def _most_tube_like(labels: np.ndarray, inside: np.ndarray, coarse: CoarseMap) -> np.ndarray:
    """Of all components the one that could be a trachea: near the middle, at least 25 mm long, 40-900 mm2 across."""
    middle = float(np.mean(np.nonzero(inside.any(axis=(0, 1)))[0][[0, -1]]))
    stats = cc3d.statistics(labels)
    dz, dy, dx = coarse.spacing_mm
    chosen, chosen_size = 0, 0
    for n in range(1, len(stats["voxel_counts"])):
        box = stats["bounding_boxes"][n]
        length = (box[0].stop - box[0].start) * dz
        size = int(stats["voxel_counts"][n])
        if length < 25 or size <= chosen_size:
            continue
        top = labels[max(box[0].stop - max(2, int(15 / dz)), 0) : box[0].stop] == n
        areas = top.sum(axis=(1, 2)) * dy * dx
        offset = abs(float(np.nonzero(top)[2].mean()) - middle) * dx
        if offset < 30 and 40 < float(np.median(areas)) < 900:
            chosen, chosen_size = n, size
    return np.asarray(labels == chosen) if chosen else np.zeros(labels.shape, bool)


def _two_lungs(values: np.ndarray, air: np.ndarray, coarse: CoarseMap) -> np.ndarray | None:
    """Right (1) and left (2) lung, uint8; None where nothing is large and aerated enough."""
    labels = cc3d.connected_components(air.astype(np.uint8), connectivity=6)
    sizes = np.bincount(labels.ravel())
    means = np.bincount(labels.ravel(), weights=values.ravel()) / np.maximum(sizes, 1)
    lung_like = (sizes * coarse.voxel_ml > 4) & (means > _LUNG_MEAN_HU[0]) & (means < _LUNG_MEAN_HU[1])
    lung_like[0] = False
    if float(sizes[lung_like].sum() * coarse.voxel_ml) < _MIN_LUNG_ML:
        return None
    lungs = np.asarray(lung_like[labels])
    order = [n for n in np.argsort(sizes * lung_like)[::-1] if lung_like[n]]
    if len(order) < 2 or sizes[order[1]] < 0.12 * sizes[order[0]]:
        cores = _split_cores(labels == order[0], coarse)
    else:
        cores = labels == order[0], labels == order[1]
    if cores is None:
        label = RIGHT if _centre_column(lungs) < values.shape[2] / 2 else LEFT
        return np.asarray(lungs * label, np.uint8)
    first, second = cores
    if _centre_column(first) > _centre_column(second):
        first, second = second, first
    to_first, to_second = _distance(first, coarse), _distance(second, coarse)
    return np.asarray(np.where(to_first <= to_second, RIGHT, LEFT) * lungs, np.uint8)


def _split_cores(lungs: np.ndarray, coarse: CoarseMap) -> tuple[np.ndarray, np.ndarray] | None:
    """Two cores of lungs that touch, by wearing them down until they part; None if they never do."""
    depth = edt.edt(np.ascontiguousarray(lungs), anisotropy=coarse.spacing_mm, black_border=False)
    for radius in (2.5, 4.0, 6.0, 8.0, 11.0, 14.0):
        labels = cc3d.connected_components((depth > radius).astype(np.uint8), connectivity=6)
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        order = np.argsort(sizes)[::-1]
        if len(order) > 2 and sizes[order[1]] > 0.15 * sizes[order[0]]:
            return labels == order[0], labels == order[1]
    return None


def _centre_column(mask: np.ndarray) -> float:
    columns = mask.sum(axis=(0, 1))
    return float((columns * np.arange(len(columns))).sum() / max(columns.sum(), 1))


def _distance(mask: np.ndarray, coarse: CoarseMap) -> np.ndarray:
    """Millimetres to the mask."""
    return np.asarray(edt.edt(~mask, anisotropy=coarse.spacing_mm, black_border=False))


def _grow(mask: np.ndarray, radius_mm: float, coarse: CoarseMap) -> np.ndarray:
    """The mask and what lies within the radius of it."""
    if not mask.any():
        return mask
    return _distance(mask, coarse) <= radius_mm


def _close(lung: np.ndarray, coarse: CoarseMap) -> np.ndarray:
    """The lung closed with a ball and without holes; beyond the first and last slice it goes on as there."""
    if not lung.any():
        return lung
    sides = [np.nonzero(lung.any(axis=tuple({0, 1, 2} - {a})))[0] for a in range(3)]
    box = tuple(slice(s[0], s[-1] + 1) for s in sides)
    pads = [int(np.ceil(_CLOSING_MM / s)) + 1 for s in coarse.spacing_mm]
    part = np.pad(lung[box], [(p, p) for p in pads])
    for end, at_border in ((0, box[0].start == 0), (-1, box[0].stop == lung.shape[0])):
        if at_border:
            edge = part[pads[0]] if end == 0 else part[-pads[0] - 1]
            part[slice(0, pads[0]) if end == 0 else slice(-pads[0], None)] = edge
    grown = _distance(part, coarse) <= _CLOSING_MM
    closed = edt.edt(grown, anisotropy=coarse.spacing_mm, black_border=False) > _CLOSING_MM
    closed |= part
    closed = closed[pads[0] : -pads[0], pads[1] : -pads[1], pads[2] : -pads[2]]
    out = np.zeros_like(lung)
    out[box] = _fill_holes(closed)
    return out


def _fill_holes(mask: np.ndarray) -> np.ndarray:
    """The mask with everything that it encloses."""
    padded = np.pad(mask, 1)
    labels = cc3d.connected_components((~padded).astype(np.uint8), connectivity=6)
    filled = labels != labels[0, 0, 0]
    return np.asarray(filled[1:-1, 1:-1, 1:-1])
