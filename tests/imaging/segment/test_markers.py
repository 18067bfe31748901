"""What is sure before anything is segmented."""

import numpy as np
import pytest

from isocenter.core.errors import InputError, UnknownSpacingError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.markers import beside, class_markers, seed_markers, two_means, undecided_box


def ball(radius=10, size=33, spread=8.0) -> tuple[Volume, np.ndarray]:
    k, j, i = np.mgrid[:size, :size, :size] - size // 2
    truth = k**2 + j**2 + i**2 <= radius**2
    noise = np.random.default_rng(0).normal(0, spread, truth.shape)
    return Volume((100 * truth + noise).astype(np.float32), Grid.of_spacing(truth.shape, (1.0, 1.0, 1.0))), truth


def test_sure_places_are_right_and_most_of_the_image():
    volume, truth = ball()
    markers = class_markers(volume)
    assert truth[markers == 1].all()
    assert not truth[markers == 2].any()
    assert (markers > 0).mean() > 0.85


def test_markers_do_not_change_with_the_unit_of_intensity():
    volume, _ = ball()
    other = volume.with_array(volume.array * 7 - 1000)
    np.testing.assert_array_equal(class_markers(other), class_markers(volume))


def test_around_a_seed_only_the_thing_is_marked_and_what_differs_is_background():
    volume, truth = ball()
    markers, count = seed_markers(volume, ((16, 16, 16),))
    assert count == 1
    assert (markers == 1).sum() > 300
    assert truth[markers == 1].all()
    assert not truth[markers == 2].any()


def test_given_background_is_taken_alone():
    volume, _ = ball()
    markers, _ = seed_markers(volume, ((16, 16, 16),), background=((1, 1, 1),))
    assert 0 < (markers == 2).sum() < 30


def test_beyond_the_reach_is_background():
    volume, _ = ball()
    far = seed_markers(volume, ((16, 16, 16),), background=((1, 1, 1),), reach_mm=6)[0] == 2
    assert far[16, 16, 16 + 7]
    assert not far[16, 16, 16 + 5]
    pixels = Volume(volume.array, Grid.of_pixels(volume.grid.shape))
    with pytest.raises(UnknownSpacingError):
        seed_markers(pixels, ((16, 16, 16),), reach_mm=6)


def test_two_seeds_have_two_numbers():
    volume, _ = ball()
    markers, count = seed_markers(volume, ((16, 16, 16), (16, 16, 20)))
    assert count == 2
    assert markers[16, 16, 16] == 1
    assert markers[20, 16, 16] == 2


def test_where_nothing_differs_there_is_no_background():
    flat = Volume(np.zeros((5, 5, 5), np.float32), Grid.of_spacing((5, 5, 5), (1.0, 1.0, 1.0)))
    with pytest.raises(InputError, match="--background"):
        seed_markers(flat, ((2, 2, 2),))
    with pytest.raises(InputError, match="constant"):
        class_markers(flat)


def test_two_means_are_those_of_the_classes():
    assert two_means(np.array([1.0, 3.0, 10.0, 20.0]), 5.0) == (15.0, 2.0)
    assert two_means(np.array([1.0, 3.0]), 5.0) == (5.0, 2.0)


def test_the_undecided_box_keeps_two_voxels_of_background():
    markers = np.full((9, 9, 9), 2)
    markers[4, 3:6, 7] = (0, 1, 0)
    assert undecided_box(markers, 1) == (slice(2, 7), slice(1, 8), slice(5, 10))


def test_beside_is_the_background_within_four_steps_or_all_of_it():
    markers = np.full((1, 1, 20), 2)
    markers[0, 0, 8:10] = (0, 1)
    assert np.flatnonzero(beside(markers, 1, np.ones(3))).tolist() == [4, 5, 6, 7, 10, 11, 12, 13]
    assert np.flatnonzero(beside(markers, 1, np.array((1.0, 1.0, 2.0)))).tolist() == [6, 7, 10, 11]
    assert beside(np.full((1, 1, 5), 2), 1, np.ones(3)).all()
