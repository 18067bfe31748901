"""A known smooth field is found by splines too, and what cannot be is said."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.register.bspline import register_bspline
from isocenter.imaging.register.linear import register_linear
from isocenter.imaging.register.motion import moved_points


def wave(places):
    """A smooth displacement of up to 4 mm."""
    x, y, z = (places[..., axis] for axis in range(3))
    return np.stack((3 * np.sin(y / 22), 3 * np.sin(z / 24 + 1), 2.5 * np.cos(x / 26)), axis=-1)


@pytest.mark.slow
def test_a_smooth_field_is_found_where_an_affine_motion_is_not_enough(body, inside):
    fixed, moving = body(lambda p: p + wave(p), noise=1.0), body(noise=1.0, seed=1)
    found = register_bspline(fixed, moving)
    index = np.round(fixed.grid.to_index(inside)).astype(int)
    there = fixed.grid.to_world_mm(index)
    error = np.linalg.norm(found.field_mm[tuple(index.T)] - wave(there), axis=1).mean()
    straight = moved_points(register_linear(fixed, moving).matrix, there) - there
    assert error < 0.3
    assert error < 0.5 * np.linalg.norm(straight - wave(there), axis=1).mean()
    assert found.folding_percent == 0 and found.linear.evidence.converged


def test_equal_pictures_stay_where_they_are(body):
    one = body(shape=(1, 52, 44))
    found = register_bspline(one, one)
    assert found.field_mm.shape == (1, 52, 44, 3)
    assert np.abs(found.field_mm).max() < 0.1


@pytest.mark.parametrize("knot_mm", [0.0, -3.0, 0.5, np.nan, np.inf])
def test_knots_too_close_or_nowhere_are_refused(body, knot_mm):
    with pytest.raises(InputError, match="knots"):
        register_bspline(body(), body(), knot_mm=knot_mm)
