"""A chest CT whose every nodule and calcification is known: drawn in solids, scanned on the computer.

Truth is analytic (the solids) for diameters and volumes, and the noise-free grid for the Agatston reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Volume
from isocenter.imaging.phantoms_anatomy import AIR, Anatomy, make_anatomy, random_build
from isocenter.imaging.phantoms_scan import ScanSettings, scan_ct
from isocenter.imaging.phantoms_shapes import Canvas, Capsule, Ellipsoid, Point
from isocenter.imaging.segment.agatston import score_calcium

Attachment = Literal["isolated", "vessel", "pleura"]


@dataclass(frozen=True, slots=True)
class PhantomNodule:
    """A nodule that was painted.

    kind   "solid" or "ground-glass"
    """

    body: Ellipsoid
    hu: float
    attachment: Attachment
    kind: str = "solid"

    @property
    def mean_diameter_mm(self) -> float:
        """Mean of long and short axis in the axial plane through the centre."""
        return self.body.semi_axes_mm[0] + self.body.semi_axes_mm[1]


@dataclass(frozen=True, slots=True)
class PhantomCalcium:
    """A calcification that was painted."""

    body: Ellipsoid
    hu: float


@dataclass(frozen=True, slots=True)
class NoduleWish:
    """A nodule to be placed: where it sits is left to chance."""

    diameter_mm: float
    attachment: Attachment = "isolated"
    hu: float = 30.0
    stretch: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ChestPhantom:
    """A scanned chest with its truth.

    volume   what the scanner shows, HU
    clean    the noise-free chest sampled on the same grid, HU
    """

    volume: Volume
    clean: np.ndarray = field(repr=False)
    nodules: tuple[PhantomNodule, ...]
    calcium: tuple[PhantomCalcium, ...]

    @property
    def agatston_score(self) -> float:
        """The score of the painted calcium on the noise-free grid."""
        near = np.zeros(self.clean.shape, bool)
        for spot in self.calcium:
            low, high = spot.body.box_mm()
            ends = self.volume.grid.to_index(np.array([low - 2.0, high + 2.0])) + np.array([[0], [1]])
            (k0, j0, i0), (k1, j1, i1) = np.clip(np.round(ends), 0, self.clean.shape).astype(int)
            near[k0:k1, j0:j1, i0:i1] = True
        slice_mm, row_mm, column_mm = (float(s) for s in self.volume.grid.spacing_mm)
        return score_calcium(self.clean, near, (slice_mm, row_mm, column_mm))[0].agatston


DEMO_WISHES = (
    NoduleWish(5.0), NoduleWish(7.0, "vessel"), NoduleWish(9.0, "pleura", 20.0),
    NoduleWish(12.0, "isolated", 40.0, 1.15), NoduleWish(16.0, "vessel", 35.0),
)  # fmt: skip


DEMO_SCAN = ScanSettings()


def chest_phantom(
    rng: np.random.Generator,
    *,
    shape: tuple[int, int, int] = (110, 384, 384),
    spacing_mm: Point = (2.0, 0.85, 0.85),
    wishes: Sequence[NoduleWish] = DEMO_WISHES,
    n_calcium: int = 4,
    scan: ScanSettings | None = DEMO_SCAN,
) -> ChestPhantom:
    """A random chest with the nodules wished for and `n_calcium` calcifications of coronary arteries and aorta.

    spacing_mm   slices, rows, columns
    scan         None gives the noise-free grid itself
    """
    grid = _centred_grid(shape, spacing_mm)
    anatomy = make_anatomy(random_build(rng), rng)
    nodules = _place_nodules(anatomy, wishes, grid, rng)
    calcium = _place_calcium(anatomy, n_calcium, rng)
    clean = _paint(anatomy, nodules, calcium, grid, rng)
    if scan is None:
        values = clean
    else:
        values = scan_ct(clean, pixel_mm=spacing_mm[1], slice_mm=spacing_mm[0], rng=rng, settings=scan)
    stored = np.clip(np.round(values), -1024, 3071).astype(np.float32)
    thickness = max(spacing_mm[0], scan.thickness_mm if scan else 0.0)
    facts = Facts(body_part="CHEST", kvp=120.0, slice_thickness_mm=thickness, kernel="HANN", contrast=False)
    return ChestPhantom(Volume(stored, grid, "HU", "CT", facts), clean, tuple(nodules), tuple(calcium))


def sphere_phantom(
    diameters_mm: Sequence[float],
    *,
    spacing_mm: Point,
    contrast_hu: tuple[float, float] = (-850.0, 30.0),
) -> tuple[Volume, tuple[Ellipsoid, ...]]:
    """A calibration block: spheres in a row in uniform surroundings, noise-free, with partial volume.

    contrast_hu   surroundings, spheres
    """
    pitch = max(diameters_mm) + 12.0
    size = np.ceil(np.array([pitch, pitch, pitch * len(diameters_mm)]) / spacing_mm).astype(int)
    shape = (int(size[0]), int(size[1]), int(size[2]))
    grid = _centred_grid(shape, spacing_mm)
    canvas = Canvas(shape, spacing_mm, _origin(grid), contrast_hu[0])
    first = -pitch * (len(diameters_mm) - 1) / 2
    spheres = tuple(
        Ellipsoid((first + n * pitch + 0.13, 0.21, 0.34), (d / 2, d / 2, d / 2)) for n, d in enumerate(diameters_mm)
    )
    for sphere in spheres:
        canvas.paint(sphere, contrast_hu[1], fine=4)
    return Volume(canvas.values(), grid, "HU", "CT"), spheres


def _centred_grid(shape: tuple[int, int, int], spacing_mm: Point) -> Grid:
    """An axial grid with the world's origin in its middle."""
    half = [-(n - 1) / 2 * s for n, s in zip(shape, spacing_mm, strict=True)]
    return Grid.of_spacing(shape, spacing_mm, (half[2], half[1], half[0]))


def _origin(grid: Grid) -> Point:
    x, y, z = grid.affine[:3, 3]
    return (float(x), float(y), float(z))


def _paint(
    anatomy: Anatomy,
    nodules: Sequence[PhantomNodule],
    calcium: Sequence[PhantomCalcium],
    grid: Grid,
    rng: np.random.Generator,
) -> np.ndarray:
    """The noise-free chest on the grid, float32 HU."""
    slice_mm, row_mm, column_mm = (float(s) for s in grid.spacing_mm)
    canvas = Canvas(grid.shape, (slice_mm, row_mm, column_mm), _origin(grid), AIR)
    for solid, hu in anatomy.solids:
        canvas.paint(solid, hu)
    for vessel in anatomy.vessels:
        canvas.paint(vessel, 40.0, fine=2 if vessel.end_radius_mm < 1.5 else 1)
    for nodule in nodules:
        canvas.paint(nodule.body, nodule.hu, fine=4)
    for spot in calcium:
        canvas.paint(spot.body, spot.hu, fine=4)
    values = canvas.values()
    return np.asarray(values + _lung_texture(values, rng))


def _lung_texture(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Slow swings of a dozen HU in aerated lung, nought elsewhere."""
    coarse = rng.normal(0, 1, tuple(max(2, n // 12) for n in values.shape))
    rows = [np.linspace(0, n - 1, m) for n, m in zip(coarse.shape, values.shape, strict=True)]
    smooth = coarse
    for axis, at in enumerate(rows):
        low = np.minimum(at.astype(int), coarse.shape[axis] - 2)
        weight = (at - low).reshape([-1 if a == axis else 1 for a in range(3)])
        smooth = np.take(smooth, low, axis) * (1 - weight) + np.take(smooth, low + 1, axis) * weight
    aerated = (values > -930) & (values < -780)
    return np.asarray(12 * smooth * aerated, np.float32)


def _depth_mm(anatomy: Anatomy, point: np.ndarray) -> float:
    """How deep a point lies in a lung; negative outside."""
    at = [np.array([c]) for c in point]
    return float(max(-lung.distance_mm(*at)[0] for lung in anatomy.lungs))


def _place_nodules(
    anatomy: Anatomy, wishes: Sequence[NoduleWish], grid: Grid, rng: np.random.Generator
) -> list[PhantomNodule]:
    """Nodules where they are wished for and touch nothing else; the largest first."""
    placed: list[PhantomNodule] = []
    for wish in sorted(wishes, key=lambda w: -w.diameter_mm):
        for _ in range(4000):
            centre = _draw_centre(anatomy, wish, rng)
            if centre is not None and _is_free(anatomy, placed, wish, centre, grid):
                break
        else:
            raise InputError(f"phantom: found no room for a nodule of {wish.diameter_mm} mm ({wish.attachment})")
        radius = wish.diameter_mm / 2
        semi = (radius * wish.stretch, radius / wish.stretch, radius)
        body = Ellipsoid((float(centre[0]), float(centre[1]), float(centre[2])), semi)
        kind = "solid" if wish.hu > -300 else "ground-glass"
        placed.append(PhantomNodule(body, wish.hu, wish.attachment, kind))
    return placed


def _draw_centre(anatomy: Anatomy, wish: NoduleWish, rng: np.random.Generator) -> np.ndarray | None:
    """A place that fits the wished attachment, not yet checked against neighbours."""
    radius = wish.diameter_mm / 2
    if wish.attachment == "vessel":
        fitting = [v for v in anatomy.vessels if 0.6 < v.end_radius_mm < 0.55 * radius]
        if not fitting:
            return None
        vessel = fitting[int(rng.integers(len(fitting)))]
        share = float(rng.uniform(0.2, 0.8))
        on_axis = (1 - share) * np.array(vessel.start_mm) + share * np.array(vessel.end_mm)
        aside = rng.normal(0, 1, 3)
        return np.asarray(on_axis + aside / np.linalg.norm(aside) * rng.uniform(0, radius))
    low, high = anatomy.lungs[int(rng.integers(2))].box_mm()
    point = rng.uniform(low, high)
    if wish.attachment == "isolated":
        return np.asarray(point)
    middle = (low + high) / 2
    outward = (point - middle) / np.linalg.norm(point - middle)
    outward[0] = abs(outward[0]) * np.sign(middle[0])
    deep, shallow = 0.0, 150.0
    for _ in range(24):
        half = (deep + shallow) / 2
        deep, shallow = (half, shallow) if _depth_mm(anatomy, middle + outward * half) > 0 else (deep, half)
    return np.asarray(middle + outward * (deep - radius * rng.uniform(0.7, 1.0)))


def _is_free(
    anatomy: Anatomy, placed: Sequence[PhantomNodule], wish: NoduleWish, centre: np.ndarray, grid: Grid
) -> bool:
    """Whether the nodule lies in the scan and touches only what it should."""
    radius = wish.diameter_mm / 2
    corner = grid.to_world_mm(np.zeros(3))
    if (np.abs(centre) > np.abs(corner) - radius - 6).any():
        return False
    depth = _depth_mm(anatomy, centre)
    if wish.attachment == "pleura":
        if not 0.6 * radius < depth < 1.02 * radius:
            return False
    elif depth < radius + 4:
        return False
    for other in placed:
        if np.linalg.norm(np.subtract(other.body.centre_mm, centre)) < max(other.body.semi_axes_mm) + radius + 8:
            return False
    limit = 0.55 * radius if wish.attachment == "vessel" else -1.0
    return not any(_gap_mm(v, centre) < radius + 2 and v.start_radius_mm > limit for v in anatomy.vessels)


def _gap_mm(vessel: Capsule, centre: np.ndarray) -> float:
    """From a point to a vessel's surface."""
    return float(vessel.distance_mm(*(np.array([c]) for c in centre))[0])


def _place_calcium(anatomy: Anatomy, n_calcium: int, rng: np.random.Generator) -> list[PhantomCalcium]:
    """Calcifications on the heart's surface (coronary arteries) and in the wall of the descending aorta."""
    heart = next(s for s, _ in anatomy.solids if isinstance(s, Ellipsoid) and s.turn_deg)
    aorta = [s for s, _ in anatomy.solids if isinstance(s, Capsule) and s.start_radius_mm > 10 * anatomy.build.scale]
    spots: list[PhantomCalcium] = []
    for n in range(n_calcium):
        turn = 2 * np.pi * (n + rng.uniform(0.1, 0.6)) / max(n_calcium, 1)
        if n % 4 == 3:
            wall = aorta[-3]
            axis = np.array(wall.start_mm) * 0.6 + np.array(wall.end_mm) * 0.4
            reach = wall.start_radius_mm - 1.0
            centre = axis + reach * np.array([np.cos(turn), -abs(np.sin(turn)), 0])
        else:
            out = np.array([np.cos(turn) * 0.7, -0.55, np.sin(turn) * 0.6])
            out /= np.linalg.norm(out)
            centre = np.array(heart.centre_mm) + out * (min(heart.semi_axes_mm) - 6)
        semi = tuple(float(s) for s in rng.uniform(1.6, 3.2, 3))
        body = Ellipsoid((float(centre[0]), float(centre[1]), float(centre[2])), (semi[0], semi[1], semi[2]))
        spots.append(PhantomCalcium(body, float(rng.choice([260.0, 350.0, 520.0, 800.0]))))
    return spots
