import numpy as np
import pytest

from isocenter.imaging.register.levels import finest_level
from isocenter.imaging.register.windows import known_mean, window_agreements, window_centres


def test_the_mean_leaves_unknown_windows_out():
    assert known_mean(np.array((0.2, -1.0, 0.6))) == pytest.approx(0.4)
    assert known_mean(np.array((-1.0, -1.0))) == -1


def test_windows_lie_where_there_is_structure(body):
    level = finest_level(body())
    centres = window_centres(level)
    assert 300 < len(centres) < 1200
    values = level.array[tuple(centres.T)]
    assert np.mean(values > 0.1 * level.range[1]) > 0.9


def test_a_line_through_the_tones_agrees_fully_and_given_centres_are_used(body):
    level = finest_level(body())
    turned = finest_level(body().with_array(200 - 2 * body().array))
    centres = window_centres(level)[:50]
    found = window_agreements(level, turned, np.eye(4), centres=centres)
    assert found.shape == (50,)
    assert found.min() > 0.98
