"""How far a placement stands out: two images compared where they lie, and at displaced copies of that place.

Where single windows say little (PET on CT, a limb cut off on all sides), the place itself can be asked: are the images
more alike here than after shifts and turns that nobody claims? Two measures that err in different ways are added, each
in standard deviations of the displaced copies: the agreement of small windows and the normalised information of ranks.
"""

from typing import Final

import numpy as np

from isocenter.imaging.register.levels import Level, take_samples
from isocenter.imaging.register.motion import about, rotation_matrix
from isocenter.imaging.register.refine import Pair, bin_pair, information
from isocenter.imaging.register.windows import known_mean, window_agreements, window_centres

_N_COPIES: Final = 40
_N_BINS: Final = 24
_N_SAMPLES: Final = 6_000
# Every second of the windows is enough for a mean.
_EVERY: Final = 2
# A copy is shifted by so much of the longest side of the field of view, and turned by so many degrees at most.
_SHIFTS: Final = (0.08, 0.2)
_TURN_DEG: Final = 35.0
# A copy counts where it shows so much of what is seen at the place itself; so many have to.
_LEAST_SEEN: Final = 0.3
_LEAST_COPIES: Final = 10


def standing(fixed: Level, moving: Level, matrix: np.ndarray) -> float:
    """By how many standard deviations two measures together exceed those of displaced copies; about 0 by chance.

    matrix   (4, 4); fixed points -> moving points, LPS mm

    Levels of about 48 voxels along the longest side are fine enough. 0 where too few copies can be compared.
    """
    ranks = [ranked_level(level) for level in (fixed, moving)]
    samples = take_samples(ranks[0], None, n_most=_N_SAMPLES)
    binned = bin_pair(Pair(ranks[0], samples, ranks[1]), n_bins=_N_BINS)
    centres = np.ascontiguousarray(window_centres(fixed)[::_EVERY])

    def measures(place: np.ndarray) -> tuple[float, float, float]:
        """Mean agreement of windows (-1: none known), normalised information, and the weight of what is seen."""
        counts, seen = binned.at(place)
        agreements = window_agreements(fixed, moving, place, centres=centres)
        return known_mean(agreements), information(counts)[1], seen

    here = measures(matrix)
    copies = [measures(matrix @ moved) for moved in displacements(fixed)]
    beside = np.array([copy[:2] for copy in copies if copy[0] >= 0 and copy[2] >= _LEAST_SEEN * here[2]])
    if here[0] < 0 or len(beside) < _LEAST_COPIES:
        return 0.0
    spread = np.maximum(beside.std(0), 1e-6)
    return float(((np.array(here[:2]) - beside.mean(0)) / spread).sum())


def ranked_level(level: Level) -> Level:
    """The level with each value replaced by its rank, 0 to 1: any rising change of tones leaves it as it is."""
    values = level.array.ravel()
    knots = np.unique(np.quantile(values[:: max(1, values.size // 100_000)], np.linspace(0, 1, _N_BINS + 1)))
    if len(knots) < 2:
        return level
    ranks = np.interp(level.array, knots, np.linspace(0, 1, len(knots))).astype(np.float32)
    return Level(ranks, level.affine, (0.0, 1.0))


def displacements(level: Level) -> list[np.ndarray]:
    """Shifts and turns about the middle, drawn once and for all; within the plane for one slice."""
    rng = np.random.default_rng(0)
    axes = level.affine[:3, :3] / level.spacing_mm
    longest_mm = float((level.spacing_mm * np.array(level.array.shape)).max())
    free = np.array(level.array.shape) > 1
    centre = level.centre_mm
    found = []
    for _ in range(_N_COPIES):
        shift, turn = rng.normal(size=3) * free, rng.normal(size=3) * (free if free.all() else ~free)
        shift *= rng.uniform(*_SHIFTS) * longest_mm / np.linalg.norm(shift)
        turn *= np.deg2rad(rng.uniform(0, _TURN_DEG)) / np.linalg.norm(turn)
        found.append(about(rotation_matrix(axes @ turn), centre, centre + axes @ shift))
    return found
