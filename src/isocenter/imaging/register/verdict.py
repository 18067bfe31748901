"""Did it converge? The verdict from evidence: local agreement where the search ended against the same elsewhere.

Two images of one thing agree window by window: inside a small window a straight line, rising or falling, joins their
intensities, whatever the modalities. Two that do not belong together agree no better where the search ended than a
hand's breadth beside it. So the agreement (mean squared correlation of windows) is set against that of displaced
copies: (here - beside) / (1 - beside), 0 for chance and 1 for the same image. Outlines alone can agree (noise cut to
the shape of a head), so the inside is asked by itself too, wherever one of the two has structure there.

Where the windows alone are not plain, the place has to stand out among many displaced copies (`standing.py`): a little
where the headers put the images there, since nobody searched for it; far where a search found it, since a search always
finds something.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from isocenter.imaging.register.levels import Level, foreground, is_even
from isocenter.imaging.register.motion import about, rotation_matrix
from isocenter.imaging.register.standing import displacements, standing
from isocenter.imaging.register.windows import KNOWN, known_mean, window_agreements, window_centres

# Displaced copies: shifts by this share of the field of view, turns by this angle.
_BESIDE: Final = 0.12
_TURN_DEG: Final = 30.0
# Of the windows, every so many are compared beside the place: chance is a mean over all copies.
_EVERY: Final = 2
# Share of a window that both images have to know inside, where the ground is left out.
_KNOWN_INSIDE: Final = 0.4
# Displaced copies that have to be comparable before their scatter counts.
_LEAST_COPIES: Final = 10
# Mean squared difference of neighbours over the variance: 2 for noise; below this there is structure.
# Source: von Neumann J. Ann Math Stat 1941;12(4):367-395.
_NOISE_RATIO: Final = 1.3
# Right pairs of the real sets reach 0.12 and more (T1 to FLAIR with the skull on is the least), wrong ones 0.06 at most
# unless few of the climbs agree.
PLAIN_AGREEMENT: Final = 0.5
# From here on the place is not asked whether it stands out: a PET limb in the corner of a brain reached 0.45.
CLEAR_AGREEMENT: Final = 0.6
LEAST_AGREEMENT: Final = 0.06
LEAST_INSIDE: Final = 0.03
# From here on the inside may speak for the whole: two modalities see skull and neck differently.
PLAIN_INSIDE: Final = 0.12
LEAST_OVERLAP: Final = 0.15
# At least this share of the climbs has to end at one place where the agreement is not plain, unless it stands out far.
LEAST_SHARE: Final = 0.5
# Places of other people's limbs reach a standing of 3 at most before a search and 5 to 6 after one; right ones 4 and 7.
LEAST_STANDING_HOME, LEAST_STANDING, FAR_STANDING = 4.0, 7.0, 10.0
# Where the headers put the images, the inside speaks against them only if an outline is sharp in both, or if displaced
# copies scatter so little that even this agreement would have been seen.
SHARP_OUTLINE: Final = 0.25
SEEN_INSIDE: Final = 0.04


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
    standing           by how much the place stands out among displaced copies; None where the agreement is clear
    is_home            whether the headers put the images there
    inside_spread      standard deviation of `inside` among displaced copies; asked at the headers' place alone
    """

    local_similarity: float
    chance: float
    inside: float | None
    overlap: float
    n_starts: int
    n_agreeing: int
    is_mirrored: bool = False
    standing: float | None = None
    is_home: bool = False
    inside_spread: float = 0.0

    @property
    def agreement(self) -> float:
        """Local similarity beyond chance: 0 for chance, 1 for the same image; at most 1."""
        return (self.local_similarity - self.chance) / max(1 - self.chance, 1e-6)

    @property
    def problem(self) -> str:
        """One line that says why the registration is refused; empty where it is not."""
        if self.overlap < LEAST_OVERLAP:
            return f"the images share {self.overlap:.0%} of the body, at least {LEAST_OVERLAP:.0%} is needed"
        if self._is_outline_only:
            return f"the inside of the body agrees no better than by chance ({self.inside:.2f})"
        if not self._stands_out:
            return f"they agree no better where the search ended than beside it ({self.agreement:.2f})"
        if not self.is_home and self._is_disputed:
            return (
                f"the agreement is weak ({self.agreement:.2f}) and only {self.n_agreeing} of {self.n_starts} searches "
                "ended there"
            )
        if self.is_mirrored:
            return "they agree better with left and right swapped; check the orientation"
        return ""

    @property
    def _is_outline_only(self) -> bool:
        if self.inside is None or self.inside >= LEAST_INSIDE:
            return False
        if not self.is_home or self.agreement >= SHARP_OUTLINE:
            return True
        return self.inside + 2 * self.inside_spread < SEEN_INSIDE

    @property
    def _stands_out(self) -> bool:
        if self.standing is None:
            return self.agreement >= LEAST_AGREEMENT
        if self.is_home:
            return self.standing >= LEAST_STANDING_HOME
        agrees = self.agreement >= LEAST_AGREEMENT or (self.inside or 0.0) >= PLAIN_INSIDE
        return agrees and self.standing >= LEAST_STANDING

    @property
    def _is_disputed(self) -> bool:
        if self.agreement >= PLAIN_AGREEMENT or (self.standing or 0.0) >= FAR_STANDING:
            return False
        return self.n_agreeing < LEAST_SHARE * self.n_starts

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
    here, chance = _against_chance(fixed, moving, matrix, KNOWN)
    found = Evidence(here, chance, _inside(fixed, moving, matrix), overlap, *climbs)
    if found.agreement >= CLEAR_AGREEMENT:
        return found
    return replace(found, standing=standing(fixed, moving, matrix))


def weigh_home(fixed: Level, moving: Level, matrix: np.ndarray, evidence: Evidence) -> Evidence:
    """The evidence at a motion that is what the headers say, the inside weighed with how much its chance scatters."""
    noisy = any(_noise_ratio(level.array, foreground(level)) > _NOISE_RATIO for level in (fixed, moving))
    # Where too little is left to be asked, noise counts as an inside that does not agree.
    untold = replace(evidence, is_home=True, inside=0.0 if noisy else None)
    bodies = _insides(fixed, moving)
    if bodies is None:
        return untold
    centres = window_centres(bodies[0])
    places = [matrix, *(matrix @ moved for moved in displacements(fixed))]
    means = [known_mean(window_agreements(*bodies, place, known=_KNOWN_INSIDE, centres=centres)) for place in places]
    beside = np.array([mean for mean in means[1:] if mean >= 0])
    if means[0] < 0 or len(beside) < _LEAST_COPIES:
        return untold
    scale = 1 - float(beside.mean())
    inside = (means[0] - float(beside.mean())) / scale
    return replace(evidence, is_home=True, inside=inside, inside_spread=float(beside.std()) / scale)


def weigh_again(fixed: Level, moving: Level, matrix: np.ndarray, before: Evidence) -> Evidence:
    """The evidence at a motion not far from the one of `before`, whose chance still holds."""
    return replace(before, local_similarity=local_similarity(fixed, moving, matrix))


def local_similarity(fixed: Level, moving: Level, matrix: np.ndarray) -> float:
    """The mean squared correlation of windows at a motion; 0 where the images share none."""
    return max(0.0, known_mean(window_agreements(fixed, moving, matrix)))


def _against_chance(fixed: Level, moving: Level, matrix: np.ndarray, known: float) -> tuple[float, float]:
    """The mean agreement of the windows, and the same for displaced copies."""
    centres = window_centres(fixed)
    here = window_agreements(fixed, moving, matrix, known=known, centres=centres)
    covered = np.count_nonzero(here >= 0)
    if not covered:
        return 0.0, 0.0
    beside = []
    some = np.ascontiguousarray(centres[::_EVERY])
    for displaced in _displacements(fixed):
        there = window_agreements(fixed, moving, matrix @ displaced, known=known, centres=some)
        if _EVERY * np.count_nonzero(there >= 0) >= max(20, 0.3 * covered):
            beside.append(known_mean(there))
    return known_mean(here), float(np.mean(beside)) if beside else 0.0


def _inside(fixed: Level, moving: Level, matrix: np.ndarray) -> float | None:
    """The agreement beyond chance where both images show body; None where there is nothing to compare."""
    bodies = _insides(fixed, moving)
    if bodies is None:
        return None
    here, chance = _against_chance(bodies[0], bodies[1], matrix, _KNOWN_INSIDE)
    return (here - chance) / (1 - chance) if here > 0 else None


def _insides(fixed: Level, moving: Level) -> tuple[Level, Level] | None:
    """Both images with all but the inside of the body unknown; None where neither has structure there."""
    bodies = []
    structured = False
    for level in (fixed, moving):
        body = _without_rim(foreground(level))
        if np.count_nonzero(body) < 200:
            return None
        structured = structured or (not is_even(level, body) and _noise_ratio(level.array, body) < _NOISE_RATIO)
        bodies.append(Level(np.where(body, level.array, np.float32(np.nan)), level.affine, level.range))
    return (bodies[0], bodies[1]) if structured else None


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
