"""The Agatston rule on plaques as they would look without the noise and the blur of the reconstruction."""

from collections.abc import Sequence
from dataclasses import dataclass

import cc3d
import numpy as np

from isocenter.imaging.segment.agatston import CalciumScore, score_calcium
from isocenter.imaging.segment.grids import Triple
from isocenter.imaging.segment.plaque_fit import FittedPlaque, Scene, fit_plaque, grow_in_plane
from isocenter.imaging.segment.reconstruction_blur import ReconstructionBlur

Box = tuple[slice, slice, slice]
# Enough to make the score's mean steadier than the score of one guess: it jumps where a peak passes 200, 300, 400 HU.
_N_DRAWS = 12
_AROUND_MM = 2.5
_MAX_PLAQUES = 80
# Bone beside a plaque.
_BRIGHT_HU = 160.0


@dataclass(frozen=True, slots=True)
class Scanner:
    """How the volume was seen.

    slice_mm   thickness of the slices, no less than their spacing
    """

    spacing_mm: Triple
    slice_mm: float
    noise_hu: float
    blur: ReconstructionBlur


@dataclass(frozen=True, slots=True)
class Lesions:
    """Bright spots: label n + 1 lies in box n."""

    labels: np.ndarray
    boxes: tuple[Box, ...]

    @classmethod
    def of_mask(cls, mask: np.ndarray, *, max_voxels: float) -> "Lesions":
        """The mask's parts that hang together, without those larger than `max_voxels`."""
        labels = cc3d.connected_components(mask.astype(np.uint8), connectivity=26)
        sizes = np.bincount(labels.ravel())
        keep = (sizes <= max_voxels) & (sizes > 0)
        keep[0] = False
        boxes = cc3d.statistics(labels)["bounding_boxes"] if keep.any() else []
        order = np.flatnonzero(keep)
        renamed = np.zeros(len(sizes), np.uint32)
        renamed[order] = np.arange(1, len(order) + 1)
        return cls(renamed[labels], tuple(boxes[n] for n in order))


def score_plaques(
    raw: np.ndarray, clean: np.ndarray, allowed: np.ndarray, *, lesions: Lesions, scanner: Scanner
) -> tuple[CalciumScore, np.ndarray, float]:
    """Expected score, mask of the best guess, and the score's standard deviation from the noise.

    raw       HU as scanned
    clean     the same, denoised: what counts where no plaque could be fitted
    allowed   bool: where calcium counts
    """
    if not lesions.boxes:
        return CalciumScore(0.0, 0.0, 0), np.zeros(allowed.shape, bool), 0.0
    around = [_widened(box, raw.shape, scanner.spacing_mm) for box in lesions.boxes]
    whole = _hull(around)
    plaques = _fit_all(raw, lesions, around, scanner)
    picture, scores, mask = clean[whole].copy(), [], np.zeros(allowed.shape, bool)
    counts = _where_to_count(allowed, whole, around, plaques)
    for n in range(1 + _N_DRAWS):
        for box, plaque in zip(around, plaques, strict=True):
            if plaque is not None:
                picture[_within(box, whole)][plaque.touched] = plaque.values[n][plaque.touched]
        score, counted = score_calcium(picture, counts, scanner.spacing_mm)
        scores.append(score)
        if n == 0:
            mask[whole] = counted
    agatston = np.array([s.agatston for s in scores])
    volume_mm3 = float(np.mean([s.volume_mm3 for s in scores]))
    return CalciumScore(float(agatston.mean()), volume_mm3, scores[0].n_areas), mask, float(agatston.std())


def _fit_all(raw: np.ndarray, lesions: Lesions, around: Sequence[Box], scanner: Scanner) -> list[FittedPlaque | None]:
    """The plaques, None for one that could not be fitted, and for the smallest where there are very many."""
    rng = np.random.default_rng(0)
    sizes = np.bincount(lesions.labels.ravel(), minlength=len(around) + 1)[1:]
    fitted: list[FittedPlaque | None] = [None] * len(around)
    for n in np.argsort(-sizes, kind="stable")[:_MAX_PLAQUES]:
        box = around[n]
        scene = _scene(raw[box].astype(float), lesions.labels[box], int(n) + 1, scanner)
        fitted[n] = fit_plaque(scene, n_draws=_N_DRAWS, rng=rng)
    return fitted


def _where_to_count(
    allowed: np.ndarray, whole: Box, around: Sequence[Box], plaques: Sequence[FittedPlaque | None]
) -> np.ndarray:
    """What the plaques fill, and all that is allowed around those that could not be fitted; bool on the box `whole`."""
    counts = np.zeros(allowed[whole].shape, bool)
    for box, plaque in zip(around, plaques, strict=True):
        counts[_within(box, whole)] |= True if plaque is None else plaque.touched
    return np.asarray(counts & allowed[whole])


def _within(box: Box, whole: Box) -> Box:
    """The box as seen from the corner of another around it."""
    sides = [slice(s.start - w.start, s.stop - w.start) for s, w in zip(box, whole, strict=True)]
    return sides[0], sides[1], sides[2]


def _scene(values: np.ndarray, labels: np.ndarray, label: int, scanner: Scanner) -> Scene:
    """The plaque of this label; other plaques, and bone close by, are not to be looked at."""
    own = labels == label
    other = ((labels > 0) & ~own) | ((values > _BRIGHT_HU + 3 * scanner.noise_hu) & ~grow_in_plane(own, 3))
    other = grow_in_plane(other, 2) & ~own
    return Scene(values, own, other, scanner.spacing_mm, scanner.slice_mm, scanner.noise_hu, scanner.blur)


def _widened(box: Box, shape: tuple[int, ...], spacing_mm: Triple) -> Box:
    """The box with a margin wide enough to see the background."""
    margin = [int(np.ceil(_AROUND_MM / s)) + extra for s, extra in zip(spacing_mm, (0, 1, 1), strict=True)]
    sides = [slice(max(0, s.start - m), min(size, s.stop + m)) for s, m, size in zip(box, margin, shape, strict=True)]
    return sides[0], sides[1], sides[2]


def _hull(boxes: Sequence[Box]) -> Box:
    """The smallest box around all of them."""
    sides = [slice(min(b[a].start for b in boxes), max(b[a].stop for b in boxes)) for a in range(3)]
    return sides[0], sides[1], sides[2]
