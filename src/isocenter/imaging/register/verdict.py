"""Did it converge? The verdict from evidence: local agreement where the search ended against the same elsewhere.

Two images of one thing agree window by window: inside a small window a straight line, rising or falling, joins their
intensities, whatever the modalities. Two that do not belong together agree no better where the search ended than a
hand's breadth beside it. So the agreement (mean squared correlation of windows) is set against that of displaced
copies: (here - beside) / (1 - beside), 0 for chance and 1 for the same image.
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
LEAST_AGREEMENT: Final = 0.12
LEAST_OVERLAP: Final = 0.25


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a registration.

    local_similarity   mean squared correlation of windows, 0 to 1
    chance             the same for displaced copies
    overlap            share of the fixed body's windows that the moving image covers
    n_starts           how many climbs of the wide search were made
    n_agreeing         how many of them ended where the best did
    """

    local_similarity: float
    chance: float
    overlap: float
    n_starts: int
    n_agreeing: int

    @property
    def agreement(self) -> float:
        """Local similarity beyond chance: 0 for chance, 1 for the same image; at most 1."""
        return (self.local_similarity - self.chance) / max(1 - self.chance, 1e-6)

    @property
    def converged(self) -> bool:
        """Whether the images belong together and lie on one another."""
        return self.agreement >= LEAST_AGREEMENT and self.overlap >= LEAST_OVERLAP

    @property
    def reason(self) -> str:
        """One line that says why, for a person."""
        if self.overlap < LEAST_OVERLAP:
            return f"the images share {self.overlap:.0%} of the body, at least {LEAST_OVERLAP:.0%} is needed"
        if self.agreement < LEAST_AGREEMENT:
            return (
                f"the images agree no better where the search ended than beside it (agreement {self.agreement:.2f}, "
                f"at least {LEAST_AGREEMENT} is needed)"
            )
        return f"the images agree (agreement {self.agreement:.2f}, overlap {self.overlap:.0%})"


def weigh_evidence(fixed: Level, moving: Level, matrix: np.ndarray, climbs: tuple[int, int]) -> Evidence:
    """The local agreement of two levels at a motion (fixed -> moving points, mm), and beside it.

    climbs   how many were made, and how many ended where the best did

    Levels of about 48 voxels along the longest side are fine enough.
    """
    centres = _window_centres(fixed)
    here = window_agreements(fixed, moving, matrix, centres)
    covered = here >= 0
    if not covered.any():
        return Evidence(0.0, 0.0, 0.0, *climbs)
    beside = []
    for displaced in _displacements(fixed):
        there = window_agreements(fixed, moving, matrix @ displaced, centres)
        if np.count_nonzero(there >= 0) >= max(20, 0.3 * np.count_nonzero(covered)):
            beside.append(float(there[there >= 0].mean()))
    chance = float(np.mean(beside)) if beside else 0.0
    return Evidence(float(here[covered].mean()), chance, float(covered.mean()), *climbs)


def weigh_again(fixed: Level, moving: Level, matrix: np.ndarray, before: Evidence) -> Evidence:
    """The evidence at a motion not far from the one of `before`, whose chance still holds."""
    here = window_agreements(fixed, moving, matrix, _window_centres(fixed))
    covered = here >= 0
    if not covered.any():
        return replace(before, local_similarity=0.0, overlap=0.0)
    return replace(before, local_similarity=float(here[covered].mean()), overlap=float(covered.mean()))


def _window_centres(level: Level) -> np.ndarray:
    """Indices (n, 3) spread over the body where the image has structure."""
    inside = np.argwhere(foreground(level))
    if len(inside) < 50:
        inside = np.argwhere(np.ones(level.array.shape, dtype=np.bool_))
    inside = inside[:: max(1, len(inside) // (2 * _N_WINDOWS))]
    spread = _deviations(level, inside)
    strong = spread >= np.quantile(spread, 1 - _STRUCTURED)
    return np.ascontiguousarray(inside[strong][:: max(1, int(strong.sum()) // _N_WINDOWS)])


def _deviations(level: Level, centres: np.ndarray) -> np.ndarray:
    reach = _reach(level)
    padded = np.pad(level.array, [(r, r) for r in reach], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, tuple(2 * r + 1 for r in reach))
    return np.asarray(windows[tuple(centres.T)].std(axis=(1, 2, 3)))


def _reach(level: Level) -> np.ndarray:
    """Voxels that a window reaches along each axis: as far in mm along all, within the array."""
    spacing = level.spacing_mm
    wanted = np.maximum(1, np.floor(_REACH * spacing.min() / spacing + 0.5)).astype(np.int64)
    return np.asarray(np.minimum(wanted, (np.array(level.array.shape) - 1) // 2))


def window_agreements(fixed: Level, moving: Level, matrix: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Squared correlation of each window, (n,); -1 where the moving image does not reach."""
    from isocenter.imaging.register.verdict_kernels import window_agreement

    place = np.linalg.solve(moving.affine, matrix @ fixed.affine)
    least = 1e-3 * (moving.range[1] - moving.range[0])
    return np.asarray(window_agreement(fixed.array, centres, _reach(fixed), moving.array, place, least))


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
