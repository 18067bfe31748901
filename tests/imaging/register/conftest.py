"""A body with structure whose every place is known, so that any motion can be applied exactly."""

import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume


def body_values(points_mm: np.ndarray) -> np.ndarray:
    """Brightness at places (..., 3) mm: an ellipsoid with a rim, two dark caves of different size, and a texture."""
    x, y, z = (points_mm[..., axis] for axis in range(3))
    inside = 1 / (1 + np.exp((np.sqrt((x / 34) ** 2 + (y / 42) ** 2 + (z / 30) ** 2) - 1) * 12))
    caves = 0.8 * np.exp(-(((x - 9) / 7) ** 2 + (y / 11) ** 2 + ((z + 4) / 6) ** 2))
    caves += 0.6 * np.exp(-(((x + 13) / 5) ** 2 + ((y - 10) / 8) ** 2 + ((z - 8) / 5) ** 2))
    texture = np.sin(x / 4.1 + 0.3) * np.sin(y / 5.3 + 1.1) * np.cos(z / 4.7 + 0.7) + np.sin((x + 2 * y) / 9 + z / 6)
    return 100 * inside * (1 + 0.25 * texture - caves)


@pytest.fixture
def body():
    """A maker of volumes: the body seen on a 2 mm grid after a motion of its places, as another modality if wanted."""

    def make(motion=None, *, shape=(40, 52, 44), other_modality=False, noise=0.0, seed=0) -> Volume:
        half = [(size - 1) / 2 * 2.0 for size in shape]
        grid = Grid.of_spacing(shape, (2.0, 2.0, 2.0), (-half[2], -half[1], -half[0]))
        index = np.stack(np.meshgrid(*[np.arange(size) for size in shape], indexing="ij"), axis=-1)
        places = grid.to_world_mm(index)
        values = body_values(places if motion is None else motion(places))
        if other_modality:
            values = 120 * np.exp(-(((values - 70) / 45) ** 2)) - 120 * np.exp(-((70 / 45) ** 2))
        values = values + np.random.default_rng(seed).normal(0, noise, shape) if noise else values
        return Volume(values.astype(np.float32), grid)

    return make


@pytest.fixture
def inside():
    """Places (n, 3) mm spread over the body."""
    rng = np.random.default_rng(1)
    points = rng.uniform(-1, 1, (600, 3))
    return points[(points**2).sum(1) < 0.8] * (34, 42, 30)
