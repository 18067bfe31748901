"""Nodules of the lungs: found as blobs, fitted as ellipsoids, told from vessels, walls and sheets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from isocenter.imaging.segment.ellipsoid_fit import Crop, FittedEllipsoid, directions, fit_ellipsoid
from isocenter.imaging.segment.grids import Triple
from isocenter.imaging.segment.lungs import Lungs
from isocenter.imaging.segment.nodule_candidates import Candidate, find_candidates
from isocenter.imaging.segment.nodule_shape import Surroundings, blob_radii, look_around

# A vessel's neck is about 1, a nodule of twice its vessel's thickness 0.5.
_MAX_NECK = 0.6
_MAX_NECK_ROUGH = 0.75
_MAX_WALL_ROUGH = 0.5
_MIN_RADIUS_ROUGH_MM = 1.3
_MIN_FREE = 0.25
_MAX_WALL = 0.6
# Fainter than a solid nodule ought to be: it must fit all the better.
_FAINT_HU = -150.0
_MIN_EXPLAINED = 0.65
# What pulls an ellipsoid out of shape, such as a vessel, is outvoted by a second fit that tends to a ball.
_ROUND = 40.0
_MIN_EXPLAINED_ROUND = 0.94
_MIN_KEPT = 0.3
_MAX_STRETCH = 1.9
_MAX_STRETCH_ATTACHED = 1.4
_MAX_STRETCH_SMALL = 1.38
_MIN_SEMI_AXIS_MM = 1.3
_DIAMETER_MM = (3.4, 36.0)
# Of the largest scale of candidates: anything may be larger than that.
_LARGEST_BLOB_MM = 8.0


@dataclass(frozen=True, slots=True)
class NoduleFit:
    """A nodule: its ellipsoid in millimetres from voxel (0, 0, 0), and what it hangs on."""

    ellipsoid: FittedEllipsoid
    around: Surroundings
    candidate: Candidate

    @property
    def attachment(self) -> str:
        """ "pleura", "vessel" or "isolated"."""
        if self.around.wall > 0.06:
            return "pleura"
        return "vessel" if self.around.neck > 0.15 else "isolated"


def find_nodules(hu: np.ndarray, spacing_mm: Triple, lungs: Lungs) -> tuple[NoduleFit, ...]:
    """The nodules in the lungs, largest first.

    hu   (slices, rows, columns), axial
    """
    candidates = _plausible(hu, spacing_mm, lungs, find_candidates(hu, spacing_mm, lungs))
    found: list[NoduleFit] = []
    for candidate, radius in candidates:
        place = np.array(candidate.centre) * spacing_mm
        if any(fit.ellipsoid.distance_mm(place) < 1.0 for fit in found):
            continue
        nodule = _measure(hu, spacing_mm, lungs, (candidate, radius))
        if nodule is not None:
            found.append(nodule)
    return tuple(sorted(_without_twins(found), key=lambda n: -n.ellipsoid.volume_ml))


def _plausible(
    hu: np.ndarray, spacing_mm: Triple, lungs: Lungs, candidates: Sequence[Candidate]
) -> list[tuple[Candidate, float]]:
    """Candidates that do not go on as a vessel, with their radius; strongest first."""
    if not candidates:
        return []
    centres = np.array([c.centre for c in candidates])
    radii = blob_radii(hu, spacing_mm, centres, np.array([c.radius_mm for c in candidates]), lungs.lung_hu)
    large = radii > _MIN_RADIUS_ROUGH_MM
    candidates = [c for c, ok in zip(candidates, large, strict=True) if ok]
    centres, radii = centres[large], np.minimum(radii[large], 16.0)
    kept = []
    for first in range(0, len(candidates), 200):
        part = slice(first, first + 200)
        around = look_around(hu, spacing_mm, centres[part], radii[part, None], lungs)
        pairs = zip(candidates[part], radii[part], around, strict=True)
        kept += [(c, float(r)) for c, r, a in pairs if a.neck < _MAX_NECK_ROUGH and a.wall < _MAX_WALL_ROUGH]
    return kept


def _measure(hu: np.ndarray, spacing_mm: Triple, lungs: Lungs, start: tuple[Candidate, float]) -> NoduleFit | None:
    """The fitted nodule at a candidate, None if it is none."""
    candidate, radius = start
    spacing = np.array(spacing_mm)
    centre = np.array(candidate.centre)
    crop = _crop(hu, spacing_mm, lungs, (centre, radius))
    for roundness in (1.0, _ROUND):
        fit = fit_ellipsoid(
            crop, centre_mm=centre * spacing, radius_mm=radius, background_hu=lungs.lung_hu, roundness=roundness
        )
        if fit is None:
            return None
        if not _is_nodule_like(fit) or (roundness > 1 and fit.explained < _MIN_EXPLAINED_ROUND):
            continue
        surface = fit.radii_mm(directions())[None]
        around = look_around(hu, spacing_mm, (fit.centre_mm / spacing)[None], surface, lungs)[0]
        if around.free >= _MIN_FREE and _stands_out(fit, around) and not _outgrew(fit, around, candidate):
            return NoduleFit(fit, around, candidate)
    return None


def _outgrew(fit: FittedEllipsoid, around: Surroundings, candidate: Candidate) -> bool:
    """Whether a fit on a wall is far larger than the blob that it began with: the wall's bulge, not a ball on it.

    Scales of candidates stand 1.44 apart, so a true ball lies within 1.2 of its blob's radius, on a wall within 1.35.
    """
    radius_mm = float(np.prod(fit.semi_axes_mm)) ** (1 / 3)
    return around.wall > 0.06 and candidate.radius_mm < _LARGEST_BLOB_MM and radius_mm > 1.4 * candidate.radius_mm


def _stands_out(fit: FittedEllipsoid, around: Surroundings) -> bool:
    """Whether it is more than a piece of what it hangs on; the more it hangs on, the better the ellipsoid must fit."""
    small = sum(fit.axial_axes_mm) / 2 < 5.2
    hangs = around.neck > 0.3 or around.wall > 0.06
    needed = 0.8 if around.neck > 0.45 else 0.75 if small else _MIN_EXPLAINED
    if small and hangs:
        needed = 0.96 if around.neck > 0.5 else 0.9
    elif around.wall > 0.06:
        needed = 0.88
    if fit.inside_hu < _FAINT_HU:
        needed = max(needed, 0.9)
    if around.wall > 0.5:
        needed = 0.95
    # A piece of a vessel, or a vessel that runs along a wall, is longer than wide.
    stretch = fit.semi_axes_mm[2] / fit.semi_axes_mm[0]
    attached = around.neck > 0.5 or around.wall > 0.4 or fit.kept < 0.5
    piece = (attached and stretch > _MAX_STRETCH_ATTACHED) or (small and stretch > _MAX_STRETCH_SMALL)
    # A great vessel or the heart bulges into the lung with less than half a ball.
    ball = fit.explained > 0.95 and stretch < 1.15 and fit.kept > 0.4 and around.neck < 0.3
    bulge = fit.kept < 0.45 and fit.semi_axes_mm[0] > 7 and not ball
    return around.neck <= _MAX_NECK and around.wall <= _MAX_WALL and fit.explained > needed and not piece and not bulge


def _crop(hu: np.ndarray, spacing_mm: Triple, lungs: Lungs, blob: tuple[np.ndarray, float]) -> Crop:
    """The voxels around a blob; large blobs are taken more sparsely."""
    centre, radius = blob
    spacing = np.array(spacing_mm)
    half = np.ceil((1.45 * radius + 4.5) / spacing).astype(int)
    low = np.maximum(np.round(centre).astype(int) - half, 0)
    high = np.minimum(np.round(centre).astype(int) + half + 1, hu.shape)
    box = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
    steps = np.maximum(1, (radius / 5.5 / spacing).astype(int))
    sparse = tuple(slice(None, None, int(step)) for step in steps)
    values = hu[box][sparse]
    usable = lungs.coarse.lift(lungs.hull > 0, box)[sparse] | (values < (lungs.lung_hu + 30) / 2)
    wide = spacing * steps
    return Crop(values, usable, low * spacing, (float(wide[0]), float(wide[1]), float(wide[2])), spacing_mm[0])


def _is_nodule_like(fit: FittedEllipsoid) -> bool:
    """Whether size, stretch, brightness and fit are those of a solid nodule."""
    axes = fit.semi_axes_mm
    long_mm, short_mm = fit.axial_axes_mm
    return bool(
        _DIAMETER_MM[0] <= (long_mm + short_mm) / 2 <= _DIAMETER_MM[1]
        and axes[0] > _MIN_SEMI_AXIS_MM
        and axes[2] < _MAX_STRETCH * axes[0]
        and fit.inside_hu > -300
        and fit.explained > _MIN_EXPLAINED
        and fit.kept > _MIN_KEPT
    )


def _without_twins(found: Sequence[NoduleFit]) -> list[NoduleFit]:
    """One fit per nodule: the better explained of those whose centres lie in one another."""
    kept: list[NoduleFit] = []
    for nodule in sorted(found, key=lambda n: -n.ellipsoid.volume_ml * n.ellipsoid.explained):
        if all(other.ellipsoid.distance_mm(nodule.ellipsoid.centre_mm) > 0 for other in kept):
            kept.append(nodule)
    return kept
