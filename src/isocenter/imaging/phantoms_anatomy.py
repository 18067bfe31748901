"""A chest in solids: body wall, ribs, spine, heart, great vessels, lungs, fissures, airways and vessel trees.

Sizes are those of an adult of middle build as textbooks of anatomy give them, rounded; `scale` shrinks or grows them.
"""

from dataclasses import dataclass

import numpy as np

from isocenter.imaging.phantoms_shapes import Capsule, Column, Common, Ellipsoid, Point, Sheet, Solid

# HU of tissues, rounded from ICRU 44 compositions at 120 kV.
AIR, LUNG, FAT, MUSCLE, BLOOD, LIVER = -1000.0, -850.0, -95.0, 50.0, 42.0, 58.0
SPONGY_BONE, HARD_BONE, WALL = 190.0, 520.0, 30.0
Painted = tuple[Solid, float]


@dataclass(frozen=True, slots=True)
class Build:
    """What varies from chest to chest; made by `random_build`."""

    scale: float = 0.92
    depth: float = 1.0
    heart_mm: Point = (22.0, -22.0, -38.0)
    dome_mm: tuple[float, float] = (-48.0, -56.0)
    lung_hu: float = LUNG
    rib_drop_mm: float = 38.0


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A chest ready to paint.

    lungs     right, left; outside of heart, aorta and diaphragm
    solids    in painting order, with HU
    vessels   capsules in the lungs, thickest first
    """

    build: Build
    lungs: tuple[Common, Common]
    solids: tuple[Painted, ...]
    vessels: tuple[Capsule, ...]


def random_build(rng: np.random.Generator) -> Build:
    """A build drawn from plausible ranges."""
    return Build(
        scale=float(rng.uniform(0.86, 0.96)),
        depth=float(rng.uniform(0.92, 1.08)),
        heart_mm=(float(rng.uniform(16, 28)), float(rng.uniform(-26, -18)), float(rng.uniform(-44, -30))),
        dome_mm=(float(rng.uniform(-54, -40)), float(rng.uniform(-62, -48))),
        lung_hu=float(rng.uniform(-880, -820)),
        rib_drop_mm=float(rng.uniform(30, 46)),
    )


def make_anatomy(build: Build, rng: np.random.Generator) -> Anatomy:
    """The chest of this build; vessels branch by `rng`."""
    place = _Place(build.scale, build.depth)
    heart = place.ellipsoid(build.heart_mm, (46, 38, 46), 35)
    organs: tuple[Solid, ...] = (heart, *_aorta(place))
    domes = (
        place.ellipsoid((-70, 8, build.dome_mm[0] - 90), (78, 92, 90)),
        place.ellipsoid((68, 8, build.dome_mm[1] - 90), (76, 90, 90)),
    )
    cage = place.column((0, 0), (131, 84))
    blocked: tuple[Solid, ...] = (*organs, *domes, place.column((0, 60), (21, 21)))
    right = Common((place.ellipsoid((-72, 4, 0), (58, 78, 122), 0, 2.6), cage), blocked)
    left = Common((place.ellipsoid((72, 4, 0), (56, 76, 120), 0, 2.6), cage), blocked)
    airways = _airways(place)
    vessels = tuple(v for lung, side in ((right, -1), (left, 1)) for v in _vessel_trees(place, lung, side, rng))
    wall: list[Painted] = [
        (place.column((0, 0), (166, 114)), 20.0),
        (place.column((0, 0), (164, 112)), FAT),
        (place.column((0, 0), (150, 98)), MUSCLE),
        (place.ellipsoid((0, -30, 20), (12, 40, 90)), FAT),
        (right, build.lung_hu),
        (left, build.lung_hu),
        *((dome, LIVER) for dome in domes),
    ]
    wall += [(Common((sheet, lung)), -250.0) for sheet, lung in _fissures(place, right, left)]
    wall += [(heart, BLOOD), *((part, BLOOD) for part in organs[1:])]
    wall += _skeleton(place, build)
    return Anatomy(build, (right, left), (*wall, *airways), tuple(sorted(vessels, key=lambda v: -v.start_radius_mm)))


@dataclass(frozen=True, slots=True)
class _Place:
    """Scales textbook millimetres to this chest."""

    scale: float
    depth: float

    def point(self, p: Point) -> Point:
        return (p[0] * self.scale, p[1] * self.scale * self.depth, p[2] * self.scale)

    def ellipsoid(self, centre: Point, semi_axes: Point, turn_deg: float = 0.0, power: float = 2.0) -> Ellipsoid:
        return Ellipsoid(self.point(centre), self.point(semi_axes), turn_deg, power)

    def column(self, centre: tuple[float, float], semi_axes: tuple[float, float]) -> Column:
        x, y, _ = self.point((*centre, 0.0))
        a, b, _ = self.point((*semi_axes, 0.0))
        return Column((x, y), (a, b), (-400.0, 400.0))

    def rod(self, start: Point, end: Point, radii: tuple[float, float]) -> Capsule:
        return Capsule(self.point(start), self.point(end), radii[0] * self.scale, radii[1] * self.scale)


def _aorta(place: _Place) -> tuple[Capsule, ...]:
    """Ascending part, arch, descending part, and the pulmonary trunk."""
    points: list[Point] = [
        (6, -22, 2),
        (-6, -24, 40),
        (0, -14, 58),
        (12, 14, 62),
        (17, 36, 50),
        (18, 42, 0),
        (12, 44, -180),
    ]
    radii = [15, 15, 14, 13, 12.5, 12, 11]
    pieces = [place.rod(points[n], points[n + 1], (radii[n], radii[n + 1])) for n in range(len(points) - 1)]
    return (*pieces, place.rod((14, -26, 8), (22, -4, 26), (13, 11)))


def _fissures(place: _Place, right: Common, left: Common) -> list[tuple[Sheet, Common]]:
    """Both oblique fissures and the right horizontal one."""
    point = place.point
    oblique = (0.0, 0.72, 0.69)
    return [
        (Sheet(point((-72, 6, 0)), oblique, 0.8), right),
        (Sheet(point((72, 6, 4)), oblique, 0.8), left),
        (
            Sheet(point((-72, -40, 18)), (0.05, 0.1, 1.0), 0.7),
            Common((right,), (Sheet((0, 400, 0), (0, 1, 0), 800 - 10),)),
        ),
    ]


def _airways(place: _Place) -> list[Painted]:
    """Trachea, main and lobar bronchi: walls first, then the air in them."""
    carina: Point = (-3, 8, 22)
    pieces = [
        ((-1, -6, 170), carina, 9.0, 8.6),
        (carina, (-30, 14, 2), 6.6, 6.0),
        (carina, (34, 16, 4), 6.0, 5.4),
        ((-30, 14, 2), (-50, 6, 26), 3.8, 2.4),
        ((-30, 14, 2), (-52, 26, -40), 4.2, 2.4),
        ((34, 16, 4), (52, 4, 24), 3.6, 2.3),
        ((34, 16, 4), (54, 30, -38), 4.0, 2.3),
    ]
    walls: list[Painted] = [(place.rod(a, b, (r0 + 1.2 + 0.05 * r0, r1 + 1.0)), WALL) for a, b, r0, r1 in pieces]
    return walls + [(place.rod(a, b, (r0, r1)), AIR) for a, b, r0, r1 in pieces]


def _skeleton(place: _Place, build: Build) -> list[Painted]:
    """Spine with discs, sternum and twelve pairs of ribs in pieces."""
    parts: list[Painted] = []
    for level in range(-7, 8):
        z = 24.0 * level
        body = place.point((0, 62, z))
        for radius, height, hu in ((17.5, 10.0, HARD_BONE), (16.0, 8.5, SPONGY_BONE)):
            a, b, c = place.point((radius, radius * 0.85, height))
            parts.append((Column((body[0], body[1]), (a, b), (body[2] - c, body[2] + c)), hu))
        parts.append((place.rod((0, 88, z - 4), (0, 98, z - 14), (4, 3)), HARD_BONE))
        parts += [(place.rod((s * 9, 76, z), (s * 24, 86, z + 2), (4.5, 4)), HARD_BONE) for s in (-1, 1)]
    for hu, shrink in ((HARD_BONE, 0.0), (SPONGY_BONE, 1.2)):
        parts.append((place.ellipsoid((0, -91.5, 12), (17 - shrink, 4.5 - shrink, 75 - shrink), 0, 4), hu))
        for level in range(-6, 6):
            for side in (-1, 1):
                parts += [(piece, hu) for piece in _rib(place, build, (24.0 * level + 14, side), 5.0 - shrink)]
    return parts


def _rib(place: _Place, build: Build, where: tuple[float, int], radius: float) -> list[Capsule]:
    """One rib: from beside the spine round the side to the front, falling on the way."""
    z, side = where
    angles = np.linspace(np.radians(72), np.radians(-62), 15)
    points: list[Point] = [
        (side * 138.5 * np.cos(a), 90.5 * np.sin(a), z - build.rib_drop_mm * (1 - np.sin(a)) / 2) for a in angles
    ]
    return [place.rod(points[n], points[n + 1], (radius, radius)) for n in range(len(points) - 1)]


def _vessel_trees(place: _Place, lung: Common, side: int, rng: np.random.Generator) -> list[Capsule]:
    """Arteries and veins of one lung: rods that taper, bend and fork from the hilum to near the pleura."""
    hilum = np.array(place.point((side * 26, 8, 8)))
    targets = [
        (0.4, -0.5, 0.9),
        (0.7, 0.3, 1.0),
        (1.0, -0.6, 0.1),
        (0.8, 0.8, 0.1),
        (0.5, 0.6, -1.0),
        (0.8, -0.1, -1.0),
    ]
    twigs: list[Capsule] = []
    for target in targets:
        heading = np.array([side * target[0], target[1], target[2]]) + rng.normal(0, 0.15, 3)
        start = hilum + rng.normal(0, 5, 3)
        _grow(twigs, lung, (start, heading / np.linalg.norm(heading)), float(rng.uniform(3.2, 4.6)), rng)
    return twigs


def _grow(
    twigs: list[Capsule], lung: Common, ray: tuple[np.ndarray, np.ndarray], radius: float, rng: np.random.Generator
) -> None:
    """Add the branch that starts on `ray` and, by forking, all that comes after it."""
    start, heading = ray
    while radius > 0.55:
        length = radius * float(rng.uniform(4.5, 8)) + 3
        end = start + heading * length
        near = radius + 3.0
        depth = float(-lung.distance_mm(*(np.array([c]) for c in end))[0])
        if depth < near and radius < 3.0:
            return
        after = radius * 0.93
        twigs.append(Capsule(_point(start), _point(end), radius, after))
        axis = rng.normal(0, 1, 3)
        axis -= heading * (axis @ heading)
        axis /= np.linalg.norm(axis)
        # Murray's law: the cubes of the daughters' radii add up to the parent's (Proc Natl Acad Sci 1926;12:207).
        share = float(rng.uniform(0.25, 0.5))
        angle = float(rng.uniform(0.35, 0.8))
        small = np.cos(angle) * heading + np.sin(angle) * axis
        _grow(twigs, lung, (end, small), after * share ** (1 / 3), rng)
        turn = angle * 0.5
        heading = np.cos(turn) * heading - np.sin(turn) * axis
        start, radius = end, after * (1 - share) ** (1 / 3)


def _point(p: np.ndarray) -> Point:
    return (float(p[0]), float(p[1]), float(p[2]))
