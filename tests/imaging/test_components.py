"""Components against scipy's labels and hand-made boxes."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.errors import InputError
from isocenter.imaging.components import (
    describe_components,
    label_components,
    largest_component,
    remove_small_components,
)


def two_boxes() -> np.ndarray:
    mask = np.zeros((6, 10, 12), dtype=bool)
    mask[1:3, 2:5, 3:7] = True
    mask[4:6, 7:9, 8:9] = True
    return mask


@pytest.mark.parametrize(("connectivity", "rank"), [(6, 1), (18, 2), (26, 3)])
def test_pieces_are_counted_as_scipy_counts_them(connectivity: int, rank: int):
    mask = np.random.default_rng(0).random((12, 20, 20)) > 0.75
    _, count = label_components(mask, connectivity=connectivity)
    assert count == ndimage.label(mask, ndimage.generate_binary_structure(3, rank))[1]


def test_each_piece_is_described_by_size_place_and_box():
    labels, count = label_components(two_boxes())
    assert count == 2
    large, small = sorted(describe_components(labels, spacing_mm=(2.0, 0.5, 0.5)), key=lambda part: -part.n_voxels)
    assert (large.n_voxels, large.volume_mm3) == (24, 12.0)
    assert large.box_index == ((1, 2, 3), (3, 5, 7))
    assert large.centre_index == (1.5, 3.0, 4.5)
    assert not large.at_edge
    assert small.at_edge
    assert labels[1, 2, 3] == large.label


def test_the_largest_piece_is_kept():
    kept = largest_component(two_boxes())
    assert kept.sum() == 24
    assert not largest_component(np.zeros((2, 2, 2), dtype=bool)).any()


def test_pieces_below_a_volume_go():
    mask = two_boxes()
    assert remove_small_components(mask, min_volume_mm3=12.0, spacing_mm=(2.0, 0.5, 0.5)).sum() == 24
    assert remove_small_components(mask, min_volume_mm3=2.0, spacing_mm=(2.0, 0.5, 0.5)).sum() == 28
    assert not remove_small_components(mask, min_volume_mm3=12.1, spacing_mm=(2.0, 0.5, 0.5)).any()


def test_what_is_no_mask_is_refused():
    with pytest.raises(InputError, match="bool"):
        label_components(np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="connectivity"):
        label_components(np.zeros((2, 2, 2), dtype=bool), connectivity=8)
