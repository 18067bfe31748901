"""Solids with a signed distance, and the canvas that paints them with partial volume."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

Point = tuple[float, float, float]


class Solid(Protocol):
    """A body in LPS millimetres."""

    def box_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner, each (3,) as (x, y, z)."""
        ...

    def distance_mm(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Signed distance to the surface to first order, negative inside; x, y, z broadcast."""
        ...


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An ellipsoid; `power` above 2 makes it boxier.

    turn_deg   rotation about z
    """

    centre_mm: Point
    semi_axes_mm: Point
    turn_deg: float = 0.0
    power: float = 2.0

    @property
    def volume_ml(self) -> float:
        """Exact volume of the ellipsoid (power 2)."""
        return float(4 / 3 * np.pi * np.prod(self.semi_axes_mm) / 1000)

    def box_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of a box around it."""
        a, b, c = self.semi_axes_mm
        wide = (max(a, b), max(a, b), c) if self.turn_deg else (a, b, c)
        return np.subtract(self.centre_mm, wide), np.add(self.centre_mm, wide)

    def distance_mm(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """First-order distance: (f - 1) / |grad f| of the implicit function."""
        u, v, w = x - self.centre_mm[0], y - self.centre_mm[1], z - self.centre_mm[2]
        if self.turn_deg:
            cosine, sine = np.cos(np.radians(self.turn_deg)), np.sin(np.radians(self.turn_deg))
            u, v = cosine * u + sine * v, cosine * v - sine * u
        a, b, c = self.semi_axes_mm
        p = self.power
        if p == 2.0:
            f = np.sqrt((u / a) ** 2 + (v / b) ** 2 + (w / c) ** 2)
            slope = np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2 + (w / c**2) ** 2)
            return np.where(f > 1e-6, (f - 1) * f / np.maximum(slope, 1e-9), -min(a, b, c))
        us, vs, ws = np.abs(u / a), np.abs(v / b), np.abs(w / c)
        f = (us**p + vs**p + ws**p) ** (1 / p)
        slope = np.sqrt((us ** (p - 1) / a) ** 2 + (vs ** (p - 1) / b) ** 2 + (ws ** (p - 1) / c) ** 2)
        return np.where(f > 1e-4, (f - 1) * f ** (p - 1) / np.maximum(slope, 1e-12), -min(a, b, c))


@dataclass(frozen=True, slots=True)
class Column:
    """An upright elliptic cylinder between two heights."""

    centre_mm: tuple[float, float]
    semi_axes_mm: tuple[float, float]
    z_mm: tuple[float, float]

    def box_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of a box around it."""
        (x, y), (a, b) = self.centre_mm, self.semi_axes_mm
        return np.array([x - a, y - b, self.z_mm[0]]), np.array([x + a, y + b, self.z_mm[1]])

    def distance_mm(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """First-order distance to the wall or the ends."""
        a, b = self.semi_axes_mm
        u, v = x - self.centre_mm[0], y - self.centre_mm[1]
        f = np.sqrt((u / a) ** 2 + (v / b) ** 2)
        slope = np.sqrt((u / a**2) ** 2 + (v / b**2) ** 2)
        wall = np.where(f > 1e-6, (f - 1) * f / np.maximum(slope, 1e-9), -min(a, b))
        return np.asarray(np.maximum(wall, np.maximum(self.z_mm[0] - z, z - self.z_mm[1])))


@dataclass(frozen=True, slots=True)
class Capsule:
    """A tapered rod with round ends: vessels, airways, ribs in pieces."""

    start_mm: Point
    end_mm: Point
    start_radius_mm: float
    end_radius_mm: float

    def box_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of a box around it."""
        ends = np.array([self.start_mm, self.end_mm])
        radii = np.array([[self.start_radius_mm], [self.end_radius_mm]])
        return (ends - radii).min(axis=0), (ends + radii).max(axis=0)

    def distance_mm(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Distance to the axis less the radius there."""
        start = np.array(self.start_mm)
        axis = np.array(self.end_mm) - start
        u, v, w = x - start[0], y - start[1], z - start[2]
        along = np.clip((u * axis[0] + v * axis[1] + w * axis[2]) / max(float(axis @ axis), 1e-9), 0, 1)
        away = np.sqrt((u - along * axis[0]) ** 2 + (v - along * axis[1]) ** 2 + (w - along * axis[2]) ** 2)
        return np.asarray(away - self.start_radius_mm - along * (self.end_radius_mm - self.start_radius_mm))


@dataclass(frozen=True, slots=True)
class Sheet:
    """A thin slab through a point: a fissure."""

    point_mm: Point
    normal: Point
    thickness_mm: float
    reach_mm: float = 150.0

    def box_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of a box around it."""
        return np.subtract(self.point_mm, self.reach_mm), np.add(self.point_mm, self.reach_mm)

    def distance_mm(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Distance to the middle plane less half the thickness."""
        n = np.array(self.normal) / np.linalg.norm(self.normal)
        p = self.point_mm
        return np.asarray(np.abs((x - p[0]) * n[0] + (y - p[1]) * n[1] + (z - p[2]) * n[2]) - self.thickness_mm / 2)


@dataclass(frozen=True, slots=True)
class Common:
    """What lies in every one of `inside` and in none of `outside`."""

    inside: tuple[Solid, ...]
    outside: tuple[Solid, ...] = ()

    def box_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Corners of a box around it."""
        boxes = [solid.box_mm() for solid in self.inside]
        return np.max([low for low, _ in boxes], axis=0), np.min([high for _, high in boxes], axis=0)

    def distance_mm(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The largest of the distances, those of `outside` turned round."""
        parts = [solid.distance_mm(x, y, z) for solid in self.inside]
        parts += [-solid.distance_mm(x, y, z) for solid in self.outside]
        result = parts[0]
        for part in parts[1:]:
            result = np.maximum(result, part)
        return result


class Canvas:
    """Voxels being painted: it holds the array, finer along z than the grid that comes out.

    shape, spacing_mm   of the grid that comes out, (slices, rows, columns)
    origin_mm           LPS centre of voxel (0, 0, 0)
    """

    def __init__(self, shape: tuple[int, int, int], spacing_mm: Point, origin_mm: Point, air: float) -> None:
        self._layers = max(1, round(spacing_mm[0] / spacing_mm[2]))
        self._values = np.full((shape[0] * self._layers, *shape[1:]), air, np.float32)
        thin = spacing_mm[0] / self._layers
        first = origin_mm[2] - spacing_mm[0] / 2 + thin / 2
        self._steps = np.array([spacing_mm[2], spacing_mm[1], thin])
        self._origin = np.array([origin_mm[0], origin_mm[1], first])

    def paint(self, solid: Solid, value: float, *, fine: int = 1) -> None:
        """Lay a solid over what is there; edge voxels mix by the share that it covers.

        fine   samples per voxel side; 1 takes the share from the distance to the surface
        """
        low, high = solid.box_mm()
        sizes = np.array(self._values.shape[::-1])
        start = np.clip(np.floor((low - self._origin) / self._steps - 1), 0, sizes).astype(int)
        stop = np.clip(np.ceil((high - self._origin) / self._steps + 2), 0, sizes).astype(int)
        if (stop <= start).any():
            return
        for top in range(start[2], stop[2], 32):
            bottom = min(top + 32, int(stop[2]))
            share = self._share(solid, (start[0], start[1], top), (stop[0], stop[1], bottom), fine)
            window = self._values[top:bottom, start[1] : stop[1], start[0] : stop[0]]
            window += share * (np.float32(value) - window)

    def _share(self, solid: Solid, start: Sequence[int], stop: Sequence[int], fine: int) -> np.ndarray:
        """The share of each voxel that the solid covers, float32."""
        axes = [
            (self._origin[a] + self._steps[a] * (np.arange(start[a] * fine, stop[a] * fine) + 0.5) / fine)
            - self._steps[a] / 2
            for a in range(3)
        ]
        x, y, z = (axis.astype(np.float32) for axis in axes)
        distance = solid.distance_mm(x[None, None, :], y[None, :, None], z[:, None, None])
        cell = np.float32(np.cbrt(np.prod(self._steps)) / fine)
        share = np.clip(np.float32(0.5) - distance.astype(np.float32) / cell, 0, 1)
        if fine == 1:
            return np.asarray(share)
        n_z, n_y, n_x = (size // fine for size in share.shape)
        return np.asarray(share.reshape(n_z, fine, n_y, fine, n_x, fine).mean(axis=(1, 3, 5)))

    def values(self) -> np.ndarray:
        """The painted voxels on the grid that comes out, float32."""
        n_slices = self._values.shape[0] // self._layers
        return np.asarray(self._values.reshape(n_slices, self._layers, *self._values.shape[1:]).mean(axis=1))
