import numpy as np
import pytest

from isocenter.imaging.register.self_similarity import self_similarity


def test_a_volume_has_twelve_channels_and_a_slice_four(body):
    array = body().array
    found = self_similarity(array)
    assert found.shape == (12, *array.shape)
    assert found.dtype == np.float32
    assert self_similarity(array[:1]).shape == (4, 1, *array.shape[1:])
    np.testing.assert_allclose(found.max(axis=0), 1)
    assert found.min() >= 0


@pytest.mark.parametrize(("slope", "offset"), [(-1.0, 200.0), (7.0, -30.0)])
def test_a_line_through_the_tones_changes_nothing(body, slope, offset):
    array = body(noise=2.0).array
    one, other = self_similarity(array), self_similarity(slope * array + offset)
    assert np.abs(one - other).max() < 1e-2


def test_unknown_voxels_are_taken_as_ground(body):
    array = body().array.copy()
    array[:3] = np.nan
    assert np.isfinite(self_similarity(array)).all()
