"""Chests of another make than `imaging.phantoms`: voxels set one by one from formulas, no scanner."""

from dataclasses import dataclass, field

import numpy as np
import pytest


@dataclass
class CrudeChest:
    """HU, spacing (slices, rows, columns), nodules as (centre, semi-axes) in mm (z, y, x), noise-free HU."""

    hu: np.ndarray
    spacing_mm: tuple[float, float, float]
    nodules: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    clean: np.ndarray | None = None


def _ball(grid, centre, semi):
    return sum(((g - c) / s) ** 2 for g, c, s in zip(grid, centre, semi, strict=True))


def _soft(f, semi, edge_mm):
    """1 inside, 0 outside, from the ellipsoid's f^2; hard for edge 0."""
    if edge_mm == 0:
        return (f <= 1).astype(np.float32)
    root = np.sqrt(f)
    distance = (root - 1) * float(np.cbrt(np.prod(semi)))
    return (0.5 - 0.5 * np.tanh(distance / edge_mm)).astype(np.float32)


def _window(grid, centre, reach):
    """Slices of the grid around a place, and the grid there."""
    box, local = [], []
    for axis, (g, c, r) in enumerate(zip(grid, centre, np.broadcast_to(reach, 3), strict=True)):
        at = np.flatnonzero(np.abs(g.ravel() - c) <= r + 2)
        box.append(slice(at[0], at[-1] + 1) if len(at) else slice(0, 0))
        local.append(np.take(g, range(box[-1].start, box[-1].stop), axis))
    return tuple(box), local


def _rod(grid, start, end, radius):
    start, end = np.asarray(start, float), np.asarray(end, float)
    axis = end - start
    offset = [g - s for g, s in zip(grid, start, strict=True)]
    along = np.clip(sum(o * a for o, a in zip(offset, axis, strict=True)) / (axis @ axis), 0, 1)
    away2 = sum((o - along * a) ** 2 for o, a in zip(offset, axis, strict=True))
    return away2 <= radius**2


def make_crude_chest(
    seed: int,
    *,
    spacing_mm=(1.5, 0.8, 0.8),
    size_mm=(190.0, 230.0, 300.0),
    noise_hu=20.0,
    edge_mm=0.0,
    diameters=(4.0, 5.0, 6.5, 8.0, 10.0, 13.0, 20.0),
    lung_hu=-870.0,
    vessel_mm=(1.0, 3.5),
    fills_view=False,
    calcium=True,
) -> CrudeChest:
    """Two ellipsoid lungs in an ellipse of tissue, a heart, a spine, straight rods as vessels, ribs of balls."""
    rng = np.random.default_rng(seed)
    shape = [round(s / d) for s, d in zip(size_mm, spacing_mm, strict=True)]
    k, j, i = (((np.arange(n) - (n - 1) / 2) * d).astype(np.float32) for n, d in zip(shape, spacing_mm, strict=True))
    grid = (k[:, None, None], j[None, :, None], i[None, None, :])
    depth, width = size_mm[1] / 2, size_mm[2] / 2
    outside = 40.0 if fills_view else -1000.0
    hu = np.full(shape, outside, np.float32)
    hu[np.broadcast_to((grid[1] / (0.93 * depth)) ** 2 + (grid[2] / (0.95 * width)) ** 2 <= 1, shape)] = 45.0
    lungs = np.zeros(shape, bool)
    semi_lung = (0.45 * size_mm[0], 0.66 * depth, 0.36 * width)
    centres = [(0.0, -3.0, side * 0.46 * width) for side in (-1, 1)]
    for centre in centres:
        lungs |= _ball(grid, centre, semi_lung) <= 1
    hu[lungs] = lung_hu + float(rng.uniform(-15, 15))
    heart = ((-25.0, -12.0, 18.0), (38.0, 34.0, 42.0))
    spine = (grid[1] - 0.6 * depth) ** 2 + grid[2] ** 2 <= 15**2
    windpipe = (grid[1] + 5) ** 2 + grid[2] ** 2 <= 8**2
    taken = _ball(grid, *heart) <= 1
    hu[taken] = 45.0
    hu[np.broadcast_to(spine, shape)] = 350.0
    top = np.broadcast_to(windpipe, shape).copy()
    top[k < 15] = False
    hu[top] = -1000.0
    free = lungs & (hu < -500)
    for side in (-1, 1):
        for level in np.arange(-80, 81, 22):
            for angle in np.linspace(-1.2, 1.2, 9):
                place = (level, 0.83 * depth * np.sin(angle), side * 0.86 * width * np.cos(angle))
                box, local = _window(grid, place, 7)
                hu[box][(_ball(local, place, (5, 5, 7)) <= 1) & ~lungs[box]] = 420.0
    rods = []
    for side in (-1, 1):
        for _ in range(14):
            start = np.array([rng.uniform(-30, 30), rng.uniform(-15, 15), side * 0.2 * width])
            way = rng.normal(0, 1, 3) * (1.2, 1, 0.6) + np.array([0, 0, side * 1.0])
            end = start + way / np.linalg.norm(way) * rng.uniform(40, 75)
            radius = float(rng.uniform(*vessel_mm))
            rods.append((start, end, radius))
            box, local = _window(grid, (start + end) / 2, np.abs(end - start) / 2 + radius)
            hu[box][_rod(local, start, end, radius) & free[box]] = 40.0
    clean_nodules = []
    for n, diameter in enumerate(diameters):
        for _ in range(3000):
            semi = diameter / 2 * np.exp(rng.normal(0, 0.06, 3))
            centre = _crude_place(rng, n % 3, rods, (centres, semi_lung), diameter / 2)
            if centre is not None and _crude_free(centre, diameter, n % 3, clean_nodules, rods, heart, size_mm):
                break
        else:
            continue
        box, local = _window(grid, centre, semi + 4 * edge_mm)
        share = _soft(_ball(local, centre, semi), semi, edge_mm)
        hu[box] += share * (float(rng.uniform(-100, 100)) - hu[box])
        clean_nodules.append((np.array(centre), np.asarray(semi)))
    if calcium:
        for n in range(4):
            angle = 0.6 + 1.4 * n
            place = (-25 + 20 * np.cos(angle), -12 + 18 * np.sin(angle), 18 + 20 * np.cos(angle + 1))
            box, local = _window(grid, place, 4)
            hu[box][_ball(local, place, rng.uniform(1.8, 3.5, 3)) <= 1] = float(rng.choice([250, 330, 460, 700]))
    clean = hu.copy()
    if noise_hu:
        hu = hu + rng.normal(0, noise_hu, hu.shape).astype(np.float32)
    first = np.array([k[0], j[0], i[0]])
    nodules = [(centre - first, semi) for centre, semi in clean_nodules]
    return CrudeChest(np.round(hu).astype(np.float32), spacing_mm, nodules, clean)


def _crude_place(rng, kind, rods, lungs, radius):
    centres, semi = lungs
    centre = np.array(centres[int(rng.integers(2))])
    if kind == 1:
        start, end, thick = rods[int(rng.integers(len(rods)))]
        if thick > 0.55 * radius:
            return None
        aside = rng.normal(0, 1, 3)
        return start + (end - start) * rng.uniform(0.3, 0.8) + aside / np.linalg.norm(aside) * radius * 0.6
    way = rng.normal(0, 1, 3)
    way /= np.linalg.norm(way)
    reach = 1 / np.sqrt(((way / semi) ** 2).sum())
    if kind == 2:
        return centre + way * (reach - radius * rng.uniform(0.6, 1.0))
    inner = centre + way * reach * rng.uniform(0, 0.8)
    return inner if reach * 0.2 > radius + 4 else None


def _crude_free(centre, diameter, kind, others, rods, heart, size_mm):
    radius = diameter / 2
    (heart_centre, heart_semi) = heart
    if np.linalg.norm((centre - heart_centre) / (np.array(heart_semi) + radius + 5)) < 1:
        return False
    if abs(centre[2]) < 22 + radius or (np.abs(centre) > np.array(size_mm) / 2 - radius - 8).any():
        return False
    reach = np.array([0.45 * size_mm[0], 0.33 * size_mm[1], 0.18 * size_mm[2]]) - radius - 4
    middle = (0, -3, np.sign(centre[2]) * 0.23 * size_mm[2])
    if kind == 1 and np.linalg.norm((centre - middle) / reach) > 1:
        return False
    if any(np.linalg.norm(centre - c) < radius + s.max() + 8 for c, s in others):
        return False
    for start, end, thick in rods:
        axis = end - start
        along = np.clip((centre - start) @ axis / (axis @ axis), 0, 1)
        gap = np.linalg.norm(centre - start - along * axis) - thick
        if gap < radius + 2 and (kind != 1 or thick > 0.55 * radius):
            return False
    return True


@pytest.fixture(scope="session")
def crude_chest():
    return make_crude_chest
