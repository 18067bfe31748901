"""Did it converge? The verdict from evidence: local agreement where the search ended against the same elsewhere.

Two images of one thing agree window by window: inside a small window a straight line, rising or falling, joins their
intensities, whatever the modalities. Two that do not belong together agree no better where the search ended than a
hand's breadth beside it. So the agreement (mean squared correlation of windows) is set against that of displaced
copies: (here - beside) / (1 - beside), 0 for chance and 1 for the same image. Outlines alone can agree (noise cut to
the shape of a head), so the inside is asked by itself too, wherever one of the two has structure there.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from isocenter.imaging.register.levels import Level, foreground
from isocenter.imaging.register.motion import about, rotation_matrix

# Windows reach so many voxels of the finest axis from their centre.
_REACH: Final = 3
_N_WINDOWS: Final = 600
# Of the body's windows, the share with the strongest structure that is compared.
_STRUCTURED: Final = 0.6
# Displaced copies: shifts by this share of the field of view, turns by this angle.
_BESIDE: Final = 0.12
_TURN_DEG: Final = 30.0
# Share of a window that both images have to know; less inside, where the ground is left out.
_KNOWN, _KNOWN_INSIDE = 0.75, 0.4
# Mean squared difference of neighbours over the variance: 2 for noise; below this there is structure.
# Source: von Neumann J. Ann Math Stat 1941;12(4):367-395.
_NOISE_RATIO: Final = 1.3
# Right pairs of the real sets reach 0.12 and more (T1 to FLAIR with the skull on is the least), wrong ones 0.06 at most
# unless few of the climbs agree.
PLAIN_AGREEMENT: Final = 0.4
LEAST_AGREEMENT: Final = 0.06
LEAST_INSIDE: Final = 0.03
LEAST_OVERLAP: Final = 0.15
# At least this share of the climbs has to end at one place where the agreement is not plain.
LEAST_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a registration.

    local_similarity   mean squared correlation of windows, 0 to 1
    chance             the same for displaced copies
    inside             agreement beyond chance without the ground; None where neither inside has structure
    overlap            share of the smaller body that the other image covers
    n_starts           how many climbs of the wide search were made
    n_agreeing         how many of them ended where the best did
    is_mirrored        whether the images agree clearly better with left and right swapped
    """

    local_similarity: float
    chance: float
    inside: float | None
    overlap: float
    n_starts: int
    n_agreeing: int
    is_mirrored: bool = False

    @property
    def agreement(self) -> float:
        """Local similarity beyond chance: 0 for chance, 1 for the same image; at most 1."""
        return (self.local_similarity - self.chance) / max(1 - self.chance, 1e-6)

    @property
    def problem(self) -> str:
        """One line that says why the registration is refused; empty where it is not."""
        if self.overlap < LEAST_OVERLAP:
            return f"the images share {self.overlap:.0%} of the body, at least {LEAST_OVERLAP:.0%} is needed"
        if self.inside is not None and self.inside < LEAST_INSIDE:
            return f"the inside of the body agrees no better than by chance ({self.inside:.2f})"
        if self.agreement < LEAST_AGREEMENT:
            return f"they agree no better where the search ended than beside it ({self.agreement:.2f})"
        if self.agreement < PLAIN_AGREEMENT and self.n_agreeing < LEAST_SHARE * self.n_starts:
            return (
                f"the agreement is weak ({self.agreement:.2f}) and only {self.n_agreeing} of {self.n_starts} searches "
                "ended there"
            )
        if self.is_mirrored:
            return "they agree better with left and right swapped; check the orientation"
        return ""

    @property
    def converged(self) -> bool:
        """Whether the images belong together and lie on one another."""
        return not self.problem


def weigh_evidence(
    fixed: Level, moving: Level, matrix: np.ndarray, *, overlap: float, climbs: tuple[int, int]
) -> Evidence:
    """The local agreement of two levels at a motion (fixed -> moving points, mm), and beside it.

    climbs   how many were made, and how many ended where the best did

    Levels of about 48 voxels along the longest side are fine enough.
    """
    here, chance = _against_chance(fixed, moving, matrix, _KNOWN)
    return Evidence(here, chance, _inside(fixed, moving, matrix), overlap, *climbs)


def weigh_again(fixed: Level, moving: Level, matrix: np.ndarray, before: Evidence) -> Evidence:
    """The evidence at a motion not far from the one of `before`, whose chance still holds."""
    here = window_agreements(fixed, moving, matrix, known=_KNOWN)
    covered = here >= 0
    return replace(before, local_similarity=float(here[covered].mean()) if covered.any() else 0.0)


def local_similarity(fixed: Level, moving: Level, matrix: np.ndarray) -> float:
    """The mean squared correlation of windows at a motion; 0 where the images share none."""
    here = window_agreements(fixed, moving, matrix, known=_KNOWN)
    return float(here[here >= 0].mean()) if (here >= 0).any() else 0.0


def window_agreements(fixed: Level, moving: Level, matrix: np.ndarray, *, known: float) -> np.ndarray:
    """Squared correlation of each window, (n,); -1 where less than a share `known` of it is in both images."""
    from isocenter.imaging.register.verdict_kernels import window_agreement

    place = np.linalg.solve(moving.affine, matrix @ fixed.affine)
    limits = np.array((1e-3 * (moving.range[1] - moving.range[0]), known))
    centres = _window_centres(fixed)
    return np.asarray(window_agreement(fixed.array, centres, _reach(fixed), moving.array, place, limits))


def _against_chance(fixed: Level, moving: Level, matrix: np.ndarray, known: float) -> tuple[float, float]:
    """The mean agreement of the windows, and the same for displaced copies."""
    here = window_agreements(fixed, moving, matrix, known=known)
    covered = np.count_nonzero(here >= 0)
    if not covered:
        return 0.0, 0.0
    beside = []
    for displaced in _displacements(fixed):
        there = window_agreements(fixed, moving, matrix @ displaced, known=known)
        if np.count_nonzero(there >= 0) >= max(20, 0.3 * covered):
            beside.append(float(there[there >= 0].mean()))
    return float(here[here >= 0].mean()), float(np.mean(beside)) if beside else 0.0


def _inside(fixed: Level, moving: Level, matrix: np.ndarray) -> float | None:
    """The agreement beyond chance where both images show body; None where there is nothing to compare."""
    bodies = []
    structured = False
    for level in (fixed, moving):
        body = _without_rim(foreground(level))
        if np.count_nonzero(body) < 200:
            return None
        structured = structured or _noise_ratio(level.array, body) < _NOISE_RATIO
        bodies.append(Level(np.where(body, level.array, np.float32(np.nan)), level.affine, level.range))
    if not structured:
        return None
    here, chance = _against_chance(bodies[0], bodies[1], matrix, _KNOWN_INSIDE)
    return (here - chance) / (1 - chance) if here > 0 else None


def _without_rim(body: np.ndarray) -> np.ndarray:
    """The body without its outermost voxels, which are part ground."""
    kept = body.copy()
    for axis in range(3):
        if body.shape[axis] > 4:
            along = np.moveaxis(body, axis, 0)
            both = np.moveaxis(kept, axis, 0)
            both[1:] &= along[:-1]
            both[:-1] &= along[1:]
    return kept


def _noise_ratio(array: np.ndarray, body: np.ndarray) -> float:
    """Mean squared difference of neighbours in the body over the variance there: about 2 for noise."""
    squares: list[float] = []
    for axis in range(3):
        both = np.diff(body.astype(np.int8), axis=axis) == 0
        both &= np.delete(body, 0, axis=axis)
        if both.any():
            squares.append(float(np.mean(np.diff(array, axis=axis)[both] ** 2)))
    return float(np.mean(squares)) / max(float(array[body].var()), 1e-12) if squares else 2.0


def _window_centres(level: Level) -> np.ndarray:
    """Indices (n, 3) spread over the body where the image has structure; NaN is no body."""
    known = np.isfinite(level.array)
    inside = np.argwhere(known if not known.all() else foreground(level))
    if len(inside) < 50:
        inside = np.argwhere(np.ones(level.array.shape, dtype=np.bool_))
    inside = inside[:: max(1, len(inside) // (2 * _N_WINDOWS))]
    spread = _deviations(level, inside)
    strong = spread >= np.quantile(spread, 1 - _STRUCTURED)
    return np.ascontiguousarray(inside[strong][:: max(1, int(strong.sum()) // _N_WINDOWS)])


def _deviations(level: Level, centres: np.ndarray) -> np.ndarray:
    """The standard deviation of the known part of the window around each centre."""
    reach = _reach(level)
    padded = np.pad(level.array, [(r, r) for r in reach], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, tuple(2 * r + 1 for r in reach))
    return np.asarray(np.nanstd(windows[tuple(centres.T)], axis=(1, 2, 3)))


def _reach(level: Level) -> np.ndarray:
    """Voxels that a window reaches along each axis: as far in mm along all, within the array."""
    spacing = level.spacing_mm
    wanted = np.maximum(1, np.floor(_REACH * spacing.min() / spacing + 0.5)).astype(np.int64)
    return np.asarray(np.minimum(wanted, (np.array(level.array.shape) - 1) // 2))


def _displacements(level: Level) -> list[np.ndarray]:
    """Shifts along and turns about each axis of the grid that has more than one voxel, both ways."""
    axes = level.affine[:3, :3] / level.spacing_mm
    extent = level.spacing_mm * np.array(level.array.shape)
    free = [axis for axis in range(3) if level.array.shape[axis] > 1]
    found = []
    for axis in free:
        for sign in (-1, 1):
            shift = np.eye(4)
            shift[:3, 3] = sign * _BESIDE * extent.max() * axes[:, axis]
            found.append(shift)
    for axis in range(3) if len(free) == 3 else (0,):
        for sign in (-1, 1):
            turn = rotation_matrix(sign * np.deg2rad(_TURN_DEG) * axes[:, axis])
            found.append(about(turn, level.centre_mm, level.centre_mm))
    return found
