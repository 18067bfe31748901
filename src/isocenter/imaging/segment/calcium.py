"""Calcium of heart, coronary arteries and thoracic aorta: found between the lungs, apart from bone, freed of noise.

Noise lifts peaks and strews false areas, so bright spots are looked for in a smoothed volume, and around each the
volume is denoised by non-local means (Buades, Coll, Morel, Multiscale Model Simul 2005;4:490), which keeps edges,
before the rule is applied. Where the noise is small the voxels stay as they are. Where the noise tells how the
reconstruction blurred the slices, the plaques are scored as they would look without that blur.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cc3d
import cv2
import numpy as np

from isocenter.imaging.segment.agatston import THRESHOLD_HU, CalciumScore, score_calcium
from isocenter.imaging.segment.grids import Triple, pool_mean, smooth_volume
from isocenter.imaging.segment.lungs import LEFT, RIGHT, Lungs
from isocenter.imaging.segment.reconstruction_blur import ReconstructionBlur, estimate_reconstruction_blur

_BONE_HU = 150.0
_BONE_ML = 2.0
_CONTRAST_ML = 15.0
_QUIET_HU = 6.0
_MIN_SOFT_VOXELS = 200
_ABOVE_MM = 40.0
# Larger than any plaque that hangs together: what is larger is bone or contrast agent.
_MAX_LESION_ML = 4.0
Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Calcium:
    """Calcium found.

    score      without noise, and without the reconstruction's blur where that is known
    as_scanned without noise, but with the blur
    spread     standard deviation of the Agatston score that the noise leaves, where the blur was undone
    blur       of the reconstruction, undone; None where the noise does not tell it
    mask       bool, inside `box` of the volume
    noise_hu   standard deviation of the noise in soft tissue
    contrast   whether large parts of the heart or the vessels are as bright as calcium: contrast agent
    """

    score: CalciumScore
    mask: np.ndarray = field(repr=False)
    box: Box
    noise_hu: float
    contrast: bool
    n_lesions: int
    as_scanned: CalciumScore
    spread: float
    blur: ReconstructionBlur | None


def find_calcium(hu: np.ndarray, spacing_mm: Triple, lungs: Lungs, *, slice_mm: float | None = None) -> Calcium:
    """The calcium between the lungs of an axial CT.

    slice_mm   thickness of the slices, where they overlap
    """
    # numba loads with the plaque's model: only where there is a CT to read.
    from isocenter.imaging.segment.plaque_score import Lesions, Scanner, score_plaques

    region = _between_lungs(lungs)
    bone, contrast = _bone_and_contrast(hu, region, lungs)
    box = _box_of(region, lungs)
    part = hu[box].astype(np.float32)
    allowed = lungs.coarse.lift(region & ~bone, box)
    noise = _noise_hu(part, allowed)
    none = CalciumScore(0.0, 0.0, 0)
    if contrast or not allowed.any():
        return Calcium(none, np.zeros(part.shape, bool), box, noise, contrast, 0, none, 0.0, None)
    largest = _MAX_LESION_ML * 1000 / float(np.prod(spacing_mm))
    lesions = Lesions.of_mask(_seeds(part, allowed, noise, spacing_mm), max_voxels=largest)
    clean, near = _denoise_around(part, lesions.boxes, (noise, spacing_mm))
    as_scanned, mask = score_calcium(clean, near & allowed, spacing_mm)
    square = abs(spacing_mm[1] / spacing_mm[2] - 1) < 0.01
    blur = estimate_reconstruction_blur(hu) if lesions.boxes and square else None
    if blur is None:
        return Calcium(as_scanned, mask, box, noise, False, len(lesions.boxes), as_scanned, 0.0, None)
    scanner = Scanner(spacing_mm, max(spacing_mm[0], slice_mm or 0.0), noise, blur)
    score, mask, spread = score_plaques(part, clean, near & allowed, lesions=lesions, scanner=scanner)
    return Calcium(score, mask, box, noise, False, len(lesions.boxes), as_scanned, spread, blur)


def _between_lungs(lungs: Lungs) -> np.ndarray:
    """Coarse mask of what lies between the lungs: their convex hull, slice by slice, without them.

    Only between the middles of both lungs. Lungs up to 40 mm above count too, since the heart's front part reaches
    below the lungs' front edge.
    """
    aerated = lungs.aerated > 0
    region = np.zeros(aerated.shape, np.uint8)
    above = max(1, round(_ABOVE_MM / lungs.coarse.spacing_mm[0]))
    slices = np.flatnonzero(aerated.any(axis=(1, 2)))
    for k in range(slices[0], slices[-1] + 1):
        points = cv2.findNonZero(aerated[k : k + above].any(axis=0).astype(np.uint8))
        if points is None:
            continue
        cv2.fillConvexPoly(region[k], cv2.convexHull(points), 1)
        outlines, _ = cv2.findContours(aerated[k].astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(region[k], outlines, -1, 0, cv2.FILLED)
    region[:, :, : _middle_column(lungs, RIGHT)] = 0
    region[:, :, _middle_column(lungs, LEFT) :] = 0
    return np.asarray(region.astype(bool) & lungs.body)


def _middle_column(lungs: Lungs, label: int) -> int:
    """The column through a lung's centre; beyond it lie ribs only. The border if it is missing."""
    columns = np.nonzero(lungs.aerated == label)[2]
    if len(columns):
        return int(columns.mean())
    return 0 if label == RIGHT else lungs.aerated.shape[2]


def _bone_and_contrast(hu: np.ndarray, region: np.ndarray, lungs: Lungs) -> tuple[np.ndarray, bool]:
    """Coarse mask of bone and a little around it; whether contrast agent fills heart or vessels."""
    coarse = lungs.coarse
    values = pool_mean(hu, coarse)
    labels = cc3d.connected_components((values > _BONE_HU).astype(np.uint8), connectivity=6)
    sizes = np.bincount(labels.ravel())
    inside = np.bincount(labels.ravel(), weights=region.ravel())
    sizes[0] = 0
    rows = np.flatnonzero(region.any(axis=(0, 2)))
    contrast = False
    for n in np.flatnonzero(sizes * coarse.voxel_ml > _CONTRAST_ML):
        if inside[n] > 0.6 * sizes[n]:
            at = np.nonzero((labels == n).any(axis=2).sum(axis=0))[0].mean()
            contrast |= bool((at - rows[0]) / max(np.ptp(rows), 1) < 0.62)
    large = sizes * coarse.voxel_ml > _BONE_ML
    outer = (inside < 0.5 * sizes) & (sizes > 0)
    large[0] = outer[0] = False
    bone = _along_spine((large | outer)[labels], coarse.spacing_mm[0])
    ring = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    return np.stack([cv2.dilate(plane.astype(np.uint8), ring) for plane in bone]).astype(bool), contrast


def _along_spine(bone: np.ndarray, slice_mm: float) -> np.ndarray:
    """Bone and what lies within 8 mm above or below it: discs share their slices with the edges of vertebrae."""
    out = bone.copy()
    for step in range(1, int(8.0 / slice_mm) + 1):
        out[step:] |= bone[:-step]
        out[:-step] |= bone[step:]
    return out


def _box_of(region: np.ndarray, lungs: Lungs) -> Box:
    """The region's box on the fine grid."""
    sides = []
    for axis in range(3):
        at = np.flatnonzero(region.any(axis=tuple({0, 1, 2} - {axis})))
        factor, size = lungs.coarse.factors[axis], lungs.coarse.fine_shape[axis]
        low, high = (at[0] * factor, (at[-1] + 1) * factor) if len(at) else (0, 1)
        sides.append(slice(max(0, int(low) - 4), min(size, int(np.ceil(high)) + 4)))
    return sides[0], sides[1], sides[2]


def _noise_hu(part: np.ndarray, allowed: np.ndarray) -> float:
    """Standard deviation of the noise: differences of neighbouring slices in soft tissue, robustly."""
    step = max(1, len(part) // 24)
    soft = allowed[::step][:-1] & (part[::step][:-1] > -150) & (part[::step][:-1] < 230)
    following = part[1::step][: len(soft)]
    rows = min(len(soft), len(following))
    steps = (following[:rows] - part[::step][:rows])[soft[:rows]]
    return 1.4826 * float(np.median(np.abs(steps))) * float(2**-0.5) if len(steps) > 100 else 0.0


def _seeds(part: np.ndarray, allowed: np.ndarray, noise: float, spacing_mm: Triple) -> np.ndarray:
    """Voxels that are brighter than calcium's limit beyond doubt."""
    if noise < _QUIET_HU:
        return np.asarray((part >= THRESHOLD_HU) & allowed)
    smooth = smooth_volume(part, (min(0.7, 0.7 / spacing_mm[0]), 0.7 / spacing_mm[1], 0.7 / spacing_mm[2]))
    soft = smooth[allowed & (smooth > -150) & (smooth < 230)]
    middle = float(np.median(soft)) if len(soft) else 40.0
    spread = 1.4826 * float(np.median(np.abs(soft - middle))) if len(soft) else 0.0
    limits = np.maximum(THRESHOLD_HU, middle + 5.5 * spread * _louder_slices(part, allowed, noise))
    return np.asarray((smooth >= limits[:, None, None]) & allowed)


def _louder_slices(part: np.ndarray, allowed: np.ndarray, noise: float) -> np.ndarray:
    """How many times the volume's noise each slice has, no less than 1; where shoulders or liver take the photons."""
    steps = np.ones(len(part) + 1)
    for k in range(len(part) - 1):
        soft = allowed[k] & (part[k] > -150) & (part[k] < 230)
        if np.count_nonzero(soft) > _MIN_SOFT_VOXELS:
            apart = np.abs(part[k + 1][soft] - part[k][soft])
            steps[k + 1] = max(1.0, 1.4826 * float(np.median(apart)) * 2**-0.5 / noise)
    return np.asarray(np.maximum(steps[1:], steps[:-1]))


def _denoise_around(
    part: np.ndarray, boxes: Sequence[Box], scale: tuple[float, Triple]
) -> tuple[np.ndarray, np.ndarray]:
    """The part denoised around each group of seeds, and where that is (bool)."""
    noise, spacing_mm = scale
    margin = [1, *(int(np.ceil(2.0 / s)) for s in spacing_mm[1:])]
    clean, near = part.copy(), np.zeros(part.shape, bool)
    for box in boxes:
        parts = [
            slice(max(0, s.start - m), min(n, s.stop + m)) for s, m, n in zip(box, margin, part.shape, strict=True)
        ]
        wide = (parts[0], parts[1], parts[2])
        near[wide] = True
        if noise >= _QUIET_HU:
            clean[wide] = denoise_patchwise(part, wide, noise)
    return clean, near


def denoise_patchwise(values: np.ndarray, box: Box, noise: float) -> np.ndarray:
    """Non-local means inside a box: 3 x 3 patches, neighbours up to 3 in plane and 1 slice away; float32."""
    reach = (1, 3, 3)
    pad = [(r + 1, r + 1) for r in reach]
    low = [max(0, s.start - p[0]) for s, p in zip(box, pad, strict=True)]
    high = [min(n, s.stop + p[1]) for s, p, n in zip(box, pad, values.shape, strict=True)]
    block = values[low[0] : high[0], low[1] : high[1], low[2] : high[2]]
    missing = [(p[0] - (s.start - lo), p[1] - (h - s.stop)) for s, p, lo, h in zip(box, pad, low, high, strict=True)]
    block = np.pad(block, missing, mode="edge")
    size = [s.stop - s.start for s in box]
    centre = _shifted(block, size, reach, (0, 0, 0))
    total, weights = np.zeros(size, np.float32), np.zeros(size, np.float32)
    for dk in range(-reach[0], reach[0] + 1):
        for dj in range(-reach[1], reach[1] + 1):
            for di in range(-reach[2], reach[2] + 1):
                other = _shifted(block, size, reach, (dk, dj, di))
                apart = (other - centre) ** 2
                distance = np.stack([cv2.blur(plane, (3, 3)) for plane in apart])[:, 1:-1, 1:-1]
                weight = np.exp(-np.maximum(distance - 2 * noise**2, 0) / (0.8 * noise) ** 2)
                total += weight * other[:, 1:-1, 1:-1]
                weights += weight
    return np.asarray(total / weights)


def _shifted(block: np.ndarray, size: list[int], reach: tuple[int, int, int], by: tuple[int, int, int]) -> np.ndarray:
    """The block's inner part, one pixel wider in plane, moved."""
    start = [r + 1 + b for r, b in zip(reach, by, strict=True)]
    return np.ascontiguousarray(
        block[
            start[0] : start[0] + size[0],
            start[1] - 1 : start[1] + size[1] + 1,
            start[2] - 1 : start[2] + size[2] + 1,
        ]
    )
