import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.evaluation.segmentation import (
    adjusted_rand_index,
    average_surface_distance_mm,
    dice,
    hausdorff_95_mm,
    jaccard,
    surface_dice,
    surface_distances_mm,
)


def box(shape, start, stop):
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = True
    return mask


FIRST = box((20, 20), (5, 5), (15, 15))
SHIFTED = box((20, 20), (5, 7), (15, 17))


def test_overlap_by_hand():
    assert dice(FIRST, SHIFTED) == pytest.approx(0.8)
    assert jaccard(FIRST, SHIFTED) == pytest.approx(80 / 120)
    assert dice(FIRST, FIRST) == 1.0
    empty = np.zeros((20, 20), dtype=bool)
    assert dice(empty, empty) == 1.0 and dice(FIRST, empty) == 0.0


def test_a_mask_is_at_no_distance_from_itself():
    assert surface_distances_mm(FIRST, FIRST, (1, 1)).max() == 0
    assert surface_dice(FIRST, FIRST, (1, 1), 0.0) == 1.0


def test_a_shift_is_found_in_millimetres():
    line, moved = box((9, 30), (4, 3), (5, 4)), box((9, 30), (4, 13), (5, 14))
    assert hausdorff_95_mm(line, moved, (1.0, 0.5)) == pytest.approx(5.0)
    assert average_surface_distance_mm(line, moved, (1.0, 0.5)) == pytest.approx(5.0)
    assert hausdorff_95_mm(FIRST, SHIFTED, (1, 1)) == pytest.approx(2.0)


def test_surface_dice_counts_what_lies_within_the_tolerance():
    assert surface_dice(FIRST, SHIFTED, (1, 1), 2.0) == 1.0
    assert 0 < surface_dice(FIRST, SHIFTED, (1, 1), 1.0) < 1.0


def test_distances_agree_with_an_independent_implementation():
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(0)
    first, second = (ndimage.binary_opening(rng.random((12, 14, 16)) < 0.8) for _ in range(2))
    spacing = (2.0, 0.7, 1.3)

    def edge(mask):
        return mask & ~ndimage.binary_erosion(mask)

    there = ndimage.distance_transform_edt(~edge(second), sampling=spacing)[edge(first)]
    back = ndimage.distance_transform_edt(~edge(first), sampling=spacing)[edge(second)]
    expected = np.sort(np.concatenate([there, back]))
    assert np.abs(surface_distances_mm(first, second, spacing) - expected).max() < 1e-4


def test_empty_or_unlike_masks_are_refused():
    with pytest.raises(InputError, match="not empty"):
        surface_distances_mm(FIRST, np.zeros((20, 20), dtype=bool), (1, 1))
    with pytest.raises(InputError, match="one shape"):
        dice(FIRST, np.zeros((3, 3), dtype=bool))


def test_the_adjusted_rand_index_is_that_of_scikit_learn():
    from sklearn.metrics import adjusted_rand_score

    rng = np.random.default_rng(0)
    for n_truth, n_answer in ((2, 2), (3, 7), (5, 1), (40, 40)):
        truth = rng.integers(0, n_truth, (6, 9, 10))
        answer = np.where(rng.random(truth.shape) < 0.6, truth % n_answer, rng.integers(0, n_answer, truth.shape))
        wanted = adjusted_rand_score(truth.ravel(), answer.ravel())
        assert adjusted_rand_index(truth, answer) == pytest.approx(wanted, abs=1e-12)
    assert adjusted_rand_index(np.arange(8), np.arange(8)[::-1]) == 1.0
    assert adjusted_rand_index(np.zeros(1), np.ones(1)) == 1.0


def test_labellings_of_other_shapes_are_refused():
    with pytest.raises(InputError, match="one shape"):
        adjusted_rand_index(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(InputError, match="one shape"):
        adjusted_rand_index(np.zeros(0), np.zeros(0))
