"""The wide search: many motions tried on small copies, so that another field of view or angle is not lost.

Every start pairs a turn with a shift; each is scored by normalised mutual information, which asks nothing of the
modalities; the best and different ones are then climbed from.
"""

from dataclasses import dataclass, field
from itertools import product

import numpy as np

from isocenter.imaging.register.levels import Level, Samples, coarser_level, foreground, take_samples
from isocenter.imaging.register.motion import Freedom, about, moved_points, rotation_matrix
from isocenter.imaging.register.refine import Fit, Pair, bin_pair, information, refine_information

# A coarse copy has about so many voxels along its longest side.
_COARSE_SIDE = 24
_N_BINS = 20
# At least this share of the smaller body has to be seen by both images.
MIN_OVERLAP = 0.3
_TURNS_DEG = (-25.0, 0.0, 25.0)
_SHIFTS_MM = (-45.0, 45.0)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Coarse copies of both images, with their bodies: what the wide search works on.

    fixed_body, moving_body   bool, the levels' shapes
    """

    fixed: Level
    moving: Level
    fixed_body: np.ndarray = field(repr=False)
    moving_body: np.ndarray = field(repr=False)
    samples: Samples = field(repr=False)

    @property
    def pair(self) -> Pair:
        """The two levels with all voxels of the fixed one."""
        return Pair(self.fixed, self.samples, self.moving)

    def overlap(self, matrix: np.ndarray) -> float:
        """Share of the smaller body that lies in the other image's field of view."""
        forth = _share_inside(self.fixed, self.fixed_body, self.moving, matrix)
        back = _share_inside(self.moving, self.moving_body, self.fixed, np.linalg.inv(matrix))
        return max(forth, back)


def build_scene(fixed: Level, moving: Level) -> Scene:
    """Both images with voxels of one size, about a 24th of the larger field of view."""
    extents = [level.spacing_mm * np.array(level.array.shape) for level in (fixed, moving)]
    target_mm = max(float(extent.max()) for extent in extents) / _COARSE_SIDE
    small_fixed, small_moving = coarser_level(fixed, target_mm), coarser_level(moving, target_mm)
    samples = take_samples(small_fixed, None, n_most=12_000)
    return Scene(small_fixed, small_moving, foreground(small_fixed), foreground(small_moving), samples)


def wide_search(scene: Scene, freedom: Freedom, starts: list[np.ndarray], *, n_climbed: int = 10) -> list[Fit]:
    """The ends of the climbs from the best of the starts, the best first, each at another place."""
    binned = bin_pair(scene.pair, n_bins=_N_BINS)
    scores = [information(binned.at(start)[0])[1] if scene.overlap(start) >= MIN_OVERLAP else 0.0 for start in starts]
    reach_mm = 2 * float(scene.fixed.spacing_mm.max())
    chosen: list[np.ndarray] = []
    for number in np.argsort(scores, kind="stable")[::-1]:
        if scores[number] > 0 and all(distance_mm(scene, starts[number], other) > reach_mm for other in chosen):
            chosen.append(starts[number])
        if len(chosen) == n_climbed:
            break
    ends: list[Fit] = []
    for start in chosen:
        fit = refine_information(binned, start, freedom)
        score = information(binned.at(fit.matrix)[0])[1] if scene.overlap(fit.matrix) >= MIN_OVERLAP else 0.0
        ends.append(Fit(fit.matrix, score, fit.overlap))
    ends.sort(key=lambda fit: -fit.similarity)
    return ends


def distance_mm(scene: Scene, one: np.ndarray, other: np.ndarray) -> float:
    """How far two motions are apart: root mean square over the corners of the fixed body's box."""
    where = np.argwhere(scene.fixed_body)
    box = (where.min(0), where.max(0)) if len(where) else (np.zeros(3), np.array(scene.fixed.array.shape) - 1)
    corners = np.array([[box[a][0], box[b][1], box[c][2]] for a, b, c in product((0, 1), repeat=3)])
    points = moved_points(scene.fixed.affine, corners)
    apart = moved_points(one, points) - moved_points(other, points)
    return float(np.sqrt((apart**2).sum(1).mean()))


def near_starts(scene: Scene, home: np.ndarray) -> list[np.ndarray]:
    """As the headers say, middle on middle, body on body: without turns.

    home   the motion that the headers state
    """
    linear = home[:3, :3]
    bodies = (body_middle(scene.fixed, scene.fixed_body), body_middle(scene.moving, scene.moving_body))
    return [home, about(linear, scene.fixed.centre_mm, scene.moving.centre_mm), about(linear, *bodies)]


def far_starts(scene: Scene, home: np.ndarray, freedom: Freedom, *, all_round: bool) -> list[np.ndarray]:
    """Turns about the fixed body's middle with shifts onto and around the moving body's.

    all_round   whether the headers say nothing about the angle, so that every turn is tried
    """
    middle = body_middle(scene.fixed, scene.fixed_body)
    goals = [moved_points(start, middle) for start in near_starts(scene, home)]
    free = (1, 2) if freedom.in_plane else (0, 1, 2)
    extent = scene.fixed.spacing_mm * np.array(scene.fixed.array.shape)
    for axis in free:
        shift = min(_SHIFTS_MM[1], 0.3 * float(extent[axis]))
        goals += [goals[2] + sign * shift * freedom.axes[:, axis] for sign in (-1, 1)]
    linear = home[:3, :3]
    return [about(linear @ turn, middle, goal) for turn in _turns(freedom, all_round=all_round) for goal in goals]


def _turns(freedom: Freedom, *, all_round: bool) -> list[np.ndarray]:
    axes = freedom.axes
    if freedom.in_plane:
        angles = np.arange(0, 360, 20) if all_round else np.arange(-60, 61, 20)
        return [rotation_matrix(axes[:, 0] * np.deg2rad(float(angle))) for angle in angles]
    small = [
        rotation_matrix(axes @ np.deg2rad(np.array(angles, dtype=np.float64)))
        for angles in product(_TURNS_DEG, repeat=3)
    ]
    if not all_round:
        return small
    halves = [np.eye(3)] + [rotation_matrix(axes[:, axis] * np.pi) for axis in range(3)]
    quarters = [rotation_matrix(axes[:, axis] * sign * np.pi / 2) for axis in range(3) for sign in (-1, 1)]
    return [turn @ half for half in halves + quarters for turn in small]


def body_middle(level: Level, body: np.ndarray) -> np.ndarray:
    """The centre of the body's voxels, weighed by brightness above the darkest, (3,) LPS."""
    where = np.argwhere(body)
    if not len(where):
        return level.centre_mm
    weights = level.array[body].astype(np.float64) - level.range[0]
    return moved_points(level.affine, (where * weights[:, None]).sum(0) / max(weights.sum(), 1e-12))


def _share_inside(level: Level, body: np.ndarray, other: Level, matrix: np.ndarray) -> float:
    """Share of the body's voxels that a motion brings into the other image."""
    where = np.argwhere(body)
    if not len(where):
        return 0.0
    place = np.linalg.solve(other.affine, matrix @ level.affine)
    index = where @ place[:3, :3].T + place[:3, 3]
    inside = ((index > -0.5) & (index < np.array(other.array.shape) - 0.5)).all(1)
    return float(inside.mean())
