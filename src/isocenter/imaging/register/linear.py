"""Rigid, similarity and affine registration: a wide search on small copies, then ever finer ones."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from isocenter.core.errors import GeometryError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.register.core_weights import core_level, rim_level, weighted_samples
from isocenter.imaging.register.levels import Level, coarser_level, finest_level, smoother_level
from isocenter.imaging.register.motion import KINDS, Freedom, Kind
from isocenter.imaging.register.refine import (
    Fit,
    Pair,
    bin_pair,
    correlation_at,
    information,
    refine_correlation,
    refine_information,
)
from isocenter.imaging.register.standing import standing
from isocenter.imaging.register.starts import (
    MIN_OVERLAP,
    Scene,
    body_middle,
    build_scene,
    distance_mm,
    far_starts,
    near_starts,
    wide_search,
)
from isocenter.imaging.register.verdict import (
    LEAST_STANDING_HOME,
    Evidence,
    local_similarity,
    weigh_again,
    weigh_evidence,
    weigh_home,
)

Measure = Literal["auto", "correlation", "information"]
MEASURES: Final[tuple[Measure, ...]] = ("auto", "correlation", "information")
# Voxels along the longest side of the copies of the fine search, and how many of them are compared.
_MIDDLE_SIDE: Final = 48
_STAGES: Final = ((96, 40_000), (256, 80_000))
# From here on two images count as one modality: slope and offset explain what they share.
_ONE_MODALITY: Final = 0.9
# From here on even the depth of the body is the same; skin and edges then are too, and count as much.
_ONE_SCANNER: Final = 0.97
# Local agreement from which near starts need no wide search.
_PLAIN: Final = 0.5
# How much better a mirrored image must agree before left and right count as swapped.
_MIRROR_MARGIN: Final = 0.1
# By how much the end of a search has to stand out further than the headers' place to be believed instead of it.
_WORTH_MOVING: Final = 3.0
# How many different ends of the wide search are looked at more closely.
_N_FINALISTS: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """A linear motion that brings the moving image onto the fixed one, and what speaks for it.

    matrix               (4, 4); fixed points -> moving points, LPS mm (pixels where nobody stated a size)
    measure              what the last search maximised: "correlation" or "information"
    similarity           its value at the end, over the body weighed by depth
    initial_similarity   its value where the headers put the images
    """

    matrix: np.ndarray
    kind: Kind
    measure: str
    similarity: float
    initial_similarity: float
    evidence: Evidence


def register_linear(fixed: Volume, moving: Volume, *, kind: Kind = "affine", measure: Measure = "auto") -> Registration:
    """The rigid, similarity or affine motion that brings `moving` onto `fixed`.

    measure   correlation for one modality, information (mutual) for two; auto decides by how well a straight line
              joins the intensities once the images lie on one another

    Raises InputError for images without contrast, GeometryError for a picture against a volume.
    """
    if kind not in KINDS or measure not in MEASURES:
        raise InputError(f"registration: expected one of {KINDS} and one of {MEASURES}, got {kind!r} and {measure!r}")
    if fixed.is_2d != moving.is_2d:
        raise GeometryError(
            f"registration: expected two pictures or two volumes, got {fixed.grid.shape} and {moving.grid.shape}; "
            "take one slice of the volume first"
        )
    levels = finest_level(fixed), finest_level(moving)
    scene = build_scene(*levels)
    middle = _copies(levels, _MIDDLE_SIDE)
    home = home_motion(fixed.grid, moving.grid)
    trusted = fixed.grid.position_known and moving.grid.position_known
    turning = _freedom(scene, "rigid", in_plane=fixed.is_2d)
    core = core_level(middle[0])
    start, evidence = _find_start(scene, (*middle, core), (home, turning, trusted))
    stretching = _freedom(scene, kind, in_plane=fixed.is_2d)
    fit, used, pair = _polish(levels, (*middle, core), start, stretching, measure)
    initial = correlation_at(pair, home) if used == "correlation" else _information_at(pair, home)
    evidence = weigh_again(*middle, fit.matrix, evidence)
    if trusted and evidence.standing is not None:
        fit, evidence = _unless_home(scene, middle, (fit, Fit(home, initial.similarity, initial.overlap)), evidence)
    if evidence.converged and not fixed.is_2d:
        evidence = replace(evidence, is_mirrored=_is_mirrored(scene, (*middle, core), fit.matrix, evidence))
    return Registration(fit.matrix, kind, used, fit.similarity, initial.similarity, evidence)


def home_motion(fixed: Grid, moving: Grid) -> np.ndarray:
    """Where the headers put the images: (4, 4), fixed -> moving points.

    The identity where both places are known; else, and between single slices that lie in other planes, slice on slice
    with the same axes and the corners on one another.
    """
    place_known = fixed.position_known and moving.position_known
    if place_known and max(fixed.shape[0], moving.shape[0]) > 1:
        return np.eye(4)
    offset = moving.to_index(fixed.affine[:3, 3])[0]
    tilt = moving.affine[:3, 0] @ fixed.affine[:3, 1:3]
    if place_known and abs(offset) < 0.5 and np.abs(tilt).max() < 1e-6:
        return np.eye(4)
    turned = [grid.affine / np.append(np.linalg.norm(grid.affine[:3, :3], axis=0), 1) for grid in (fixed, moving)]
    return np.asarray(turned[1] @ np.linalg.inv(turned[0]))


def depth_correlation(fixed: Volume, moving: Volume, matrix: np.ndarray) -> float:
    """The correlation of the intensities at a motion, the depth of the body weighed most."""
    small = _copies((finest_level(fixed), finest_level(moving)), _MIDDLE_SIDE)
    samples = weighted_samples(small[0], core_level(small[0]), n_most=12_000)
    return correlation_at(Pair(small[0], samples, small[1]), matrix).similarity


def weigh_moved(fixed: Volume, moved: Volume, before: Evidence) -> Evidence:
    """The evidence for a moved image that lies on the fixed grid already; overlap and climbs stay those of `before`."""
    if np.ptp(moved.array) == 0:
        return replace(before, local_similarity=0.0, chance=0.0, standing=None)
    levels = _copies((finest_level(fixed), finest_level(moved)), _MIDDLE_SIDE)
    climbs = (before.n_starts, before.n_agreeing)
    found = weigh_evidence(*levels, np.eye(4), overlap=before.overlap, climbs=climbs)
    if before.is_home:
        found = replace(found, is_home=True, inside=before.inside, inside_spread=before.inside_spread)
    return replace(found, is_mirrored=before.is_mirrored)


def _unless_home(
    scene: Scene, middle: tuple[Level, Level], ends: tuple[Fit, Fit], evidence: Evidence
) -> tuple[Fit, Evidence]:
    """The end of the search; where it stands out no further than the headers' place, that place.

    ends   the search's and the headers'

    Cropped limbs and blurred PET leave a search free to slide; where the images cannot tell, the headers can.
    """
    fit, home = ends
    if scene.overlap(home.matrix) < MIN_OVERLAP:
        return fit, evidence
    climbs = (evidence.n_starts, evidence.n_agreeing)
    at_home = weigh_evidence(*middle, home.matrix, overlap=scene.overlap(home.matrix), climbs=climbs)
    if at_home.standing is None or at_home.standing < LEAST_STANDING_HOME:
        return fit, evidence
    if distance_mm(scene, fit.matrix, home.matrix) <= float(middle[0].spacing_mm.min()):
        return fit, weigh_home(*middle, fit.matrix, evidence)
    if standing(*middle, fit.matrix) - at_home.standing < _WORTH_MOVING:
        return home, weigh_home(*middle, home.matrix, at_home)
    return fit, evidence


def _find_start(
    scene: Scene, middle: tuple[Level, Level, Level], way: tuple[np.ndarray, Freedom, bool]
) -> tuple[np.ndarray, Evidence]:
    """The rigid motion to polish, and what speaks for it; from near starts where they suffice, else from everywhere."""
    home, freedom, trusted = way
    ends: list[Fit] = []
    if trusted:
        ends = wide_search(scene, freedom, near_starts(scene, home))
        found = _best_of(scene, middle, freedom, ends[:1])
        if found is not None and found[1].agreement >= _PLAIN:
            return found
    ends += wide_search(scene, freedom, far_starts(scene, home, freedom, all_round=not trusted))
    ends.sort(key=lambda fit: -fit.similarity)
    # What the headers say, or corner on corner, stays in the choice, however little the coarse copies think of it.
    asked = [*ends, Fit(home, 1.0, 1.0)] if scene.overlap(home) >= MIN_OVERLAP else ends
    found = _best_of(scene, middle, freedom, asked)
    return found if found is not None else (home, Evidence(0.0, 0.0, None, 0.0, 0, 0))


def _best_of(
    scene: Scene, middle: tuple[Level, Level, Level], freedom: Freedom, ends: list[Fit]
) -> tuple[np.ndarray, Evidence] | None:
    """Of the different ends, each climbed on with finer copies, the one that most speaks for; None without ends.

    The last end is always among them.
    """
    reach_mm = 2 * float(scene.fixed.spacing_mm.max())
    different: list[Fit] = []
    for end in ends[-1:] + ends[:-1]:
        if end.similarity > 0 and all(distance_mm(scene, end.matrix, kept.matrix) > reach_mm for kept in different):
            different.append(end)
    samples = weighted_samples(middle[0], middle[2], n_most=12_000)
    binned = bin_pair(Pair(middle[0], samples, middle[1]))
    found: list[tuple[tuple[bool, float], np.ndarray, Evidence]] = []
    for end in different[: _N_FINALISTS + 1]:
        fit = refine_information(binned, end.matrix, freedom, n_iterations=15)
        n_agreeing = sum(distance_mm(scene, other.matrix, end.matrix) <= reach_mm for other in ends)
        climbs = (len(ends), n_agreeing)
        evidence = weigh_evidence(*middle[:2], fit.matrix, overlap=scene.overlap(fit.matrix), climbs=climbs)
        found.append((_worth(evidence), fit.matrix, evidence))
    if not found:
        return None
    best = max(found, key=lambda each: each[0])
    return best[1], best[2]


def _worth(evidence: Evidence) -> tuple[bool, float]:
    """What ends are ranked by: plain agreement before any standing."""
    if evidence.standing is None:
        return True, evidence.agreement * evidence.overlap**0.5
    return False, evidence.standing


def _is_mirrored(scene: Scene, middle: tuple[Level, Level, Level], matrix: np.ndarray, evidence: Evidence) -> bool:
    """Whether the images agree clearly better once the fixed one is seen in a mirror, left for right."""
    reflect = np.eye(4)
    reflect[0, 0], reflect[0, 3] = -1, 2 * body_middle(scene.fixed, scene.fixed_body)[0]
    pair = Pair(middle[0], weighted_samples(middle[0], middle[2], n_most=6_000), middle[1])
    turning = _freedom(scene, "rigid", in_plane=False)
    fit = refine_information(bin_pair(pair), matrix @ reflect, turning, n_iterations=15)
    if fit.similarity <= _information_at(pair, matrix).similarity:
        return False
    mirrored = replace(evidence, local_similarity=local_similarity(middle[0], middle[1], fit.matrix))
    return mirrored.agreement > evidence.agreement + _MIRROR_MARGIN


def _polish(
    levels: tuple[Level, Level],
    middle: tuple[Level, Level, Level],
    start: np.ndarray,
    freedom: Freedom,
    measure: Measure,
) -> tuple[Fit, str, Pair]:
    """The end of the fine search, the measure it used and what it compared last."""
    pair = Pair(middle[0], weighted_samples(middle[0], middle[2], n_most=12_000), middle[1])
    # Two ways up from the same place: each knows ridges on which the other stays.
    binned = bin_pair(pair)
    ways = (start, refine_correlation(pair, start, freedom).matrix)
    fit = max((refine_information(binned, way, freedom) for way in ways), key=lambda each: each.similarity)
    used: str = measure
    for side, n_samples in _STAGES:
        fine = _copies(levels, side)
        pair = Pair(fine[0], weighted_samples(fine[0], middle[2], n_most=n_samples), fine[1])
        if measure == "auto":
            alike = correlation_at(pair, fit.matrix).similarity > _ONE_MODALITY
            used = "correlation" if alike else "information"
        if used == "correlation":
            fine = _smoothed(fine)
            pair = Pair(fine[0], weighted_samples(fine[0], middle[2], n_most=n_samples), fine[1])
            if correlation_at(pair, fit.matrix).similarity > _ONE_SCANNER:
                pair = Pair(fine[0], weighted_samples(fine[0], rim_level(middle[0]), n_most=n_samples), fine[1])
            fit = refine_correlation(pair, fit.matrix, freedom)
        else:
            fit = refine_information(bin_pair(pair), fit.matrix, freedom)
    return fit, used, pair


def _information_at(pair: Pair, matrix: np.ndarray) -> Fit:
    counts, inside = bin_pair(pair).at(matrix)
    return Fit(matrix, information(counts)[0], inside / max(float(pair.samples.weights.sum()), 1e-12))


def _copies(levels: tuple[Level, Level], side: int) -> tuple[Level, Level]:
    """Both images with about so many voxels along the longest side of the larger field of view."""
    extents = [float((level.spacing_mm * np.array(level.array.shape)).max()) for level in levels]
    target_mm = max(extents) / side
    return coarser_level(levels[0], target_mm), coarser_level(levels[1], target_mm)


def _smoothed(levels: tuple[Level, Level]) -> tuple[Level, Level]:
    """Both images blurred by one voxel.

    A sharp image against one that was resampled before pulls by up to a fifth of a voxel: interpolation blurs one of
    them, and more between voxels than on them. Once both are smooth, little of that is left.
    """
    sigma_mm = max(float(level.spacing_mm.min()) for level in levels)
    return smoother_level(levels[0], sigma_mm), smoother_level(levels[1], sigma_mm)


def _freedom(scene: Scene, kind: Kind, *, in_plane: bool) -> Freedom:
    axes = scene.fixed.affine[:3, :3] / scene.fixed.spacing_mm
    left, _, right = np.linalg.svd(axes)
    extent = scene.fixed.spacing_mm * np.array(scene.fixed.array.shape)
    return Freedom(kind, scene.fixed.centre_mm, 0.35 * float(extent.max()), left @ right, in_plane)
