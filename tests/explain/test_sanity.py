"""Scores of heat maps: a true map scores well, a wrong one badly, and the closed forms hold."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.explain.sanity import energy_inside, faithfulness, pointing_hit, rank_correlation

BOX = (slice(8, 16), slice(4, 12))


def predict(batch):
    p = np.clip(batch[(slice(None), 0, *BOX)].mean(axis=(1, 2)), 0, 1)
    return np.stack([p, 1 - p], axis=1)


def scene():
    image = np.zeros((1, 32, 32), np.float32)
    image[(0, *BOX)] = 1
    return image, image[0].copy()


def test_a_true_map_beats_random_and_a_wrong_map_does_not():
    image, truth = scene()
    true = faithfulness(predict, image, truth, column=0, rng=np.random.default_rng(0))
    wrong = faithfulness(predict, image, 1 - truth, column=0, rng=np.random.default_rng(0))
    assert true.deletion_auc < 0.15 < true.random_auc < wrong.deletion_auc
    assert true.insertion_auc > 0.9 > wrong.insertion_auc


def test_a_model_linear_in_the_share_of_pixels_scores_one_half_in_any_order():
    image = np.ones((1, 16, 16), np.float32)
    image[0, ::2] = -1  # mean 0, so that the blank image is 0 everywhere

    def share(batch):
        return np.abs(batch).mean(axis=(1, 2, 3))[:, np.newaxis]

    scores = faithfulness(
        share, image, np.random.default_rng(1).random((16, 16)), column=0, rng=np.random.default_rng(2)
    )
    assert (scores.deletion_auc, scores.insertion_auc, scores.random_auc) == pytest.approx((0.5, 0.5, 0.5))


def test_the_misplaced_map_keeps_the_grain_and_leaves_the_place():
    """Moved by at least a quarter of each side, a map of one small box no longer covers it."""
    image, truth = scene()
    scores = [faithfulness(predict, image, truth, column=0, rng=np.random.default_rng(s)) for s in range(5)]
    assert min(score.random_auc for score in scores) > 3 * scores[0].deletion_auc
    assert len({score.random_auc for score in scores}) > 1
    assert len({score.deletion_auc for score in scores}) == 1


def test_pointing_and_energy():
    _, truth = scene()
    mask = truth > 0
    assert pointing_hit(truth, mask) and not pointing_hit(1 - truth, mask)
    assert energy_inside(truth, mask) == 1.0
    assert energy_inside(np.ones_like(truth), mask) == pytest.approx(mask.mean())
    assert energy_inside(-truth, mask) == 0.0


def test_rank_correlation_agrees_with_scipy_and_ignores_monotone_changes():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 9, (2, 20, 20)).astype(float)
    b += a
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert rank_correlation(a, np.exp(3 * a)) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, np.ones_like(a)) == 0


def test_a_map_of_another_shape_is_refused():
    image, _ = scene()
    with pytest.raises(InputError, match="shape"):
        faithfulness(predict, image, np.zeros((4, 4)), column=0, rng=np.random.default_rng(0))
