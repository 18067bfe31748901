"""A snake closes on an ellipse whose area is known."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.snake import close_snake


def ellipse(semi=(18.0, 25.0), size=80, spread=8.0) -> tuple[Volume, np.ndarray]:
    j, i = np.mgrid[:size, :size] - size / 2
    truth = ((j / semi[0]) ** 2 + (i / semi[1]) ** 2 <= 1)[None]
    image = 60 + 90 * truth + np.random.default_rng(0).normal(0, spread, truth.shape)
    return Volume(image.astype(np.float32), Grid.of_pixels(truth.shape)), truth


def test_it_closes_on_an_ellipse_from_outside_and_from_inside():
    volume, truth = ellipse()
    for start in (np.pad(truth[:, 10:-10, 10:-10], ((0, 0), (10, 10), (10, 10))), truth & ellipse((9.0, 9.0))[1]):
        found = close_snake(volume, start, iterations=500)
        overlap = 2 * (found & truth).sum() / (found.sum() + truth.sum())
        assert overlap > 0.96
        assert found.sum() == pytest.approx(np.pi * 18 * 25, rel=0.06)


def test_without_edges_or_a_start_it_says_so():
    flat = Volume(np.ones((1, 30, 30), np.float32), Grid.of_pixels((1, 30, 30)))
    with pytest.raises(InputError, match="edges"):
        close_snake(flat, np.ones((1, 30, 30), bool), iterations=5)
    volume, truth = ellipse()
    with pytest.raises(InputError, match="start"):
        close_snake(volume, np.zeros_like(truth), iterations=5)
