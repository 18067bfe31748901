"""Deformable registration: a smooth field after an affine motion, found from coarse to fine.

Around every place a small window of the fixed image is matched by least squares to the moving image (Lucas and Kanade's
step with the fixed image's gradients, which stay the same while the field moves). A slope and an offset per
neighbourhood join the intensities, so that a bias field or another scanner does no harm; between modalities descriptors
of self-similarity are matched in their place. Steps are composed, not added, and kept short against their own width, so
that nothing folds; the field is smoothed as it grows.

Sources: Lucas BD, Kanade T. IJCAI 1981:674-679; Baker S, Matthews I. Int J Comput Vis 2004;56(3):221-255 (inverse
compositional); Vercauteren T et al. NeuroImage 2009;45(1):S61-S72 (composition and smoothing of demons).
"""

from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import to_gray
from isocenter.imaging.register.levels import Level, coarser_level, finest_level
from isocenter.imaging.register.linear import (
    Measure,
    Registration,
    depth_correlation,
    register_linear,
    weigh_moved,
)
from isocenter.imaging.register.self_similarity import self_similarity
from isocenter.imaging.register.warp import warp_field
from isocenter.imaging.smooth import smooth_gaussian


@dataclass(frozen=True, slots=True)
class Effort:
    """How the field is searched for.

    side            voxels along the longest side of the finest copy
    n_iterations    at most, from coarse to fine; each copy has voxels half as wide as the one before
    window          standard deviation of the matching window, in blocks
    intensity       standard deviation of the neighbourhood that shares a slope and an offset, in blocks
    damping         share of the mean structure added to each window's own: large where there is none
    smoothing       standard deviation of the smoothing of the whole field after each step, in blocks
    """

    side: int = 160
    n_iterations: tuple[int, ...] = (30, 20, 6)
    window: float = 1.5
    intensity: float = 3.0
    damping: float = 0.05
    smoothing: float = 0.6


Way = Literal["plain", "descriptors", "tones"]
STANDARD: Final = Effort()
# Blocks of 2 x 2 x 2 voxels carry one vector.
_BLOCK: Final = 2
# A step moves no block further than this share of a block, so that it cannot fold.
_STRIDE: Final = 0.4
# A search stops when blocks move by less than this share of a block on average.
_STILL: Final = 0.002
# How often a field that folds is smoothed before it is given as it is.
_FOLD_TRIES: Final = 6
# A search ends where more variance is left over than before by this factor.
_WORSE: Final = 1.02
# Below this correlation after the affine motion, descriptors are compared (another modality), unless one image is
# nearly the other's negative: then its tones are mapped.
_ALIKE, _INVERTED = 0.6, -0.85
# Tones of the moving image that are mapped to fixed ones.
_N_TONES: Final = 48
# Descriptors say less per voxel than tones: wider windows and a smoother field, in blocks. Each step costs more.
_WINDOW_APART, _SMOOTHING_APART = 2.5, 0.8
_STEPS_APART: Final = 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """A displacement field that brings the moving image onto the fixed one.

    field_mm           (slices, rows, columns, 3) float32 on the fixed grid: moving point - fixed point, LPS mm; the
                       affine part included
    linear             the motion it begins with, with the evidence after the displacement
    folding_percent    share of voxels turned inside out
    """

    field_mm: np.ndarray = field(repr=False)
    linear: Registration
    folding_percent: float


def register_deformable(
    fixed: Volume, moving: Volume, *, measure: Measure = "auto", effort: Effort = STANDARD
) -> Deformation:
    """The smooth displacement that brings `moving` onto `fixed`, after an affine motion.

    Raises what `register_linear` raises.
    """
    linear = register_linear(fixed, moving, kind="affine", measure=measure)
    alike = depth_correlation(fixed, moving, linear.matrix)
    way: Way = "plain" if alike >= _ALIKE else "tones" if alike <= _INVERTED else "descriptors"
    levels = finest_level(fixed), finest_level(moving)
    blocks, affine = _search_field(*levels, linear.matrix, effort, way=way)
    found = _without_folds(blocks, affine, fixed.grid, linear)
    moved = warp_field(to_gray(moving), fixed.grid, found.field_mm)
    return replace(found, linear=replace(linear, evidence=weigh_moved(fixed, moved, linear.evidence)))


def _search_field(
    fixed: Level, moving: Level, matrix: np.ndarray, effort: Effort, *, way: Way
) -> tuple[np.ndarray, np.ndarray]:
    """The field in mm along the grid's axes, (3, K, J, I), and where its blocks lie: (4, 4) block index -> LPS mm.

    way   what is compared: tones as they are (one modality), moving tones mapped to fixed ones, or descriptors
    """
    extent = float((fixed.spacing_mm * np.array(fixed.array.shape)).max())
    blocks, affine = np.zeros((3, 1, 1, 1), dtype=np.float32), fixed.affine
    finest_mm = max(extent / effort.side, float(fixed.spacing_mm.min()))
    for number, n_iterations in enumerate(effort.n_iterations):
        target_mm = finest_mm * 2 ** (len(effort.n_iterations) - 1 - number)
        small = coarser_level(fixed, target_mm)
        factors = np.where(np.array(small.array.shape) >= 2 * _BLOCK, _BLOCK, 1)
        new_affine = _block_affine(small, factors)
        shape = tuple(np.array(small.array.shape) // factors)
        blocks, affine = _onto(blocks, affine, new_affine, shape), new_affine
        other = _on_level(coarser_level(moving, target_mm), small, matrix)
        if way == "tones":
            # Half of the steps with the tones as they are, half with what the first half made of them.
            other = _as_fixed(other, small, blocks, factors)
            blocks = _improve(blocks, (small, other, factors), n_iterations // 2, effort)
            other = _as_fixed(other, small, blocks, factors)
        improve = _improve_by_descriptors if way == "descriptors" else _improve
        blocks = improve(blocks, (small, other, factors), n_iterations, effort)
    return blocks, affine


def _improve(
    blocks: np.ndarray, images: tuple[Level, np.ndarray, np.ndarray], n_iterations: int, effort: Effort
) -> np.ndarray:
    """The field after so many steps with one pair of copies."""
    from isocenter.imaging.register.deform_kernels import compose_fields, residual_sums, solve_steps, structure_sums

    fixed, moving, factors = images
    spacing = fixed.spacing_mm.astype(np.float32)
    block_mm = spacing * factors
    structure = _smooth(structure_sums(fixed.array, factors, spacing), effort.window, block_mm)
    trace = structure[0] + structure[3] + structure[5]
    damping = np.float32(effort.damping * float(trace.mean()) / 3 + 1e-12)
    longest = np.float32(_STRIDE * block_mm[np.array(blocks.shape[1:]) > 1].min())
    relation = np.zeros((2, *blocks.shape[1:]), dtype=np.float32)
    best, least = blocks, np.inf
    for number in range(n_iterations + 1):
        sums = residual_sums(fixed.array, moving, blocks, relation, factors, spacing)
        # Intensities change slowly: every other step is enough to follow them.
        if number % 2 == 0:
            relation, unexplained = _local_relation(_smooth(sums[3:], effort.intensity, block_mm))
            if unexplained > least * _WORSE:
                break
            if unexplained < least:
                best, least = blocks, unexplained
        if number > 0:
            pull = _smooth(sums[:3], effort.window, block_mm)
            steps = solve_steps(structure, pull, damping, longest)
            blocks = _smooth(compose_fields(blocks, steps, block_mm), effort.smoothing, block_mm)
            if float(np.abs(steps).mean()) < _STILL * float(block_mm.min()):
                break
    return best


def _improve_by_descriptors(
    blocks: np.ndarray, images: tuple[Level, np.ndarray, np.ndarray], n_iterations: int, effort: Effort
) -> np.ndarray:
    """As `_improve`, for two modalities: all channels of the self-similarity pull together."""
    from isocenter.imaging.register.deform_kernels import compose_fields, residual_sums, solve_steps, structure_sums

    fixed, moving, factors = images
    spacing = fixed.spacing_mm.astype(np.float32)
    block_mm = spacing * factors
    ones, others = self_similarity(fixed.array), self_similarity(moving)
    others[:, ~np.isfinite(moving)] = np.nan
    structure = sum(structure_sums(one, factors, spacing) for one in ones)
    structure = _smooth(np.asarray(structure), _WINDOW_APART, block_mm)
    damping = np.float32(effort.damping * float((structure[0] + structure[3] + structure[5]).mean()) / 3 + 1e-12)
    longest = np.float32(_STRIDE * block_mm[np.array(blocks.shape[1:]) > 1].min())
    as_it_is = np.stack((np.ones(blocks.shape[1:], np.float32), np.zeros(blocks.shape[1:], np.float32)))
    best, least = blocks, np.inf
    for _ in range(round(_STEPS_APART * n_iterations) + 1):
        pairs = zip(ones, others, strict=True)
        sums = np.asarray(sum(residual_sums(*pair, blocks, as_it_is, factors, spacing) for pair in pairs))
        apart = float((sums[6] + sums[7] - 2 * sums[8]).sum() / max(float(sums[3].sum()), 1.0))
        if apart > least * _WORSE:
            break
        if apart < least:
            best, least = blocks, apart
        steps = solve_steps(structure, _smooth(sums[:3], _WINDOW_APART, block_mm), damping, longest)
        blocks = _smooth(compose_fields(blocks, steps, block_mm), _SMOOTHING_APART, block_mm)
        if float(np.abs(steps).mean()) < _STILL * float(block_mm.min()):
            break
    return best


def _local_relation(sums: np.ndarray) -> tuple[np.ndarray, float]:
    """Slope and offset, (2, K, J, I), that make moving values fixed ones, and the mean variance they leave over.

    A flat neighbourhood gets slope 0.
    """
    n = np.maximum(sums[0], 1e-6)
    mean_f, mean_m = sums[1] / n, sums[2] / n
    var_f, var_m = np.maximum(sums[3] / n - mean_f**2, 0), np.maximum(sums[4] / n - mean_m**2, 0)
    both = sums[5] / n - mean_f * mean_m
    slope = both / (var_m + 1e-4 * float(var_m.max()) + 1e-12)
    unexplained = float((np.maximum(var_f - slope * both, 0) * sums[0]).sum() / max(float(sums[0].sum()), 1e-6))
    return np.asarray(np.stack((slope, mean_f - slope * mean_m)), dtype=np.float32), unexplained


def _as_fixed(moving: np.ndarray, fixed: Level, blocks: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """The moving array with each value replaced by the mean of the fixed values found with it.

    Source: Roche A et al. IEEE Trans Med Imaging 2001;20(10):1038-1049 (one image as a function of the other).
    """
    from isocenter.imaging.register.deform_kernels import values_in_pairs

    one, other = values_in_pairs(fixed.array, moving, blocks, factors, fixed.spacing_mm.astype(np.float32))
    if not other.size:
        return moving
    edges = np.quantile(other, np.linspace(0, 1, _N_TONES + 1))
    edges = np.unique(edges)
    if len(edges) < 3:
        return moving
    tone = np.clip(np.searchsorted(edges, other, side="right") - 1, 0, len(edges) - 2)
    count = np.bincount(tone, minlength=len(edges) - 1)
    known = count > 0
    goals = (np.bincount(tone, one, minlength=len(edges) - 1) / np.maximum(count, 1))[known]
    values = (np.bincount(tone, other, minlength=len(edges) - 1) / np.maximum(count, 1))[known]
    return np.asarray(np.interp(moving, values, goals), dtype=np.float32)


def _smooth(parts: np.ndarray, sigma_blocks: float, block_mm: np.ndarray) -> np.ndarray:
    """Each part blurred by a Gaussian that is as wide in mm along all axes."""
    sigma_mm = sigma_blocks * float(block_mm.min())
    return np.stack([smooth_gaussian(part, sigma_mm=sigma_mm, spacing_mm=block_mm.tolist()) for part in parts])


def _block_affine(level: Level, factors: np.ndarray) -> np.ndarray:
    """(4, 4): block index -> LPS mm of its centre."""
    affine = level.affine.copy()
    affine[:3, 3] += level.affine[:3, :3] @ ((factors - 1) / 2)
    affine[:3, :3] = level.affine[:3, :3] * factors
    return affine


def _onto(blocks: np.ndarray, affine: np.ndarray, new_affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The same field on other blocks of the same axes."""
    from isocenter.imaging.register.level_kernels import sample_clamped

    place = np.linalg.solve(affine, new_affine)
    return np.stack([sample_clamped(part, place, np.array(shape)) for part in blocks])


def _on_level(moving: Level, fixed: Level, matrix: np.ndarray) -> np.ndarray:
    """The moving level after a motion on the fixed level's grid; NaN beyond it."""
    from isocenter.imaging.register.level_kernels import sample_affine

    place = np.linalg.solve(moving.affine, matrix @ fixed.affine)
    return np.asarray(sample_affine(moving.array, place, np.array(fixed.array.shape), np.float32(np.nan)))


def _without_folds(blocks: np.ndarray, affine: np.ndarray, grid: Grid, linear: Registration) -> Deformation:
    """The field on the fixed grid; smoothed as much as it takes where any voxel is turned inside out."""
    from isocenter.imaging.register.deform_kernels import determinants, spread_blocks

    axes = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    place = np.linalg.solve(affine, grid.affine)
    change = np.stack((grid.affine, linear.matrix - np.eye(4)))
    for _ in range(_FOLD_TRIES):
        field_mm = spread_blocks(blocks, place, axes, change, np.array(grid.shape))
        folding = float(100 * np.mean(determinants(field_mm, np.ascontiguousarray(grid.affine[:3, :3])) <= 0))
        if folding == 0:
            break
        blocks = _smooth(blocks, 1.0, np.linalg.norm(affine[:3, :3], axis=0))
    return Deformation(field_mm, linear, folding)
