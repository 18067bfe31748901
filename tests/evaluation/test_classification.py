import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.evaluation.classification import (
    accuracy,
    auc,
    auc_delong,
    average_precision,
    class_figures,
    confusion_matrix,
    macro_auc,
    matthews,
    operating_figures,
    roc_curve,
    threshold_for_sensitivity,
)

TRUTH = np.array([0, 0, 1, 1])
SCORE = np.array([0.1, 0.4, 0.35, 0.8])


def scored(n=300, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.random(n) < 0.4
    return truth, np.round(rng.normal(truth * 1.2, 1.0), 2)


def test_auc_by_hand():
    # positives .35 and .8 against negatives .1 and .4: three of four pairs are in order
    assert auc(TRUTH == 1, SCORE) == 0.75
    assert auc(np.array([True, False]), np.array([0.5, 0.5])) == 0.5
    assert np.isnan(auc(np.array([True, True]), np.array([0.1, 0.2])))


def test_areas_agree_with_an_independent_implementation():
    metrics = pytest.importorskip("sklearn.metrics")
    truth, score = scored()
    assert auc(truth, score) == pytest.approx(metrics.roc_auc_score(truth, score), abs=1e-12)
    assert average_precision(truth, score) == pytest.approx(metrics.average_precision_score(truth, score), abs=1e-12)
    labels, answers = truth.astype(int), (score > 0.5).astype(int)
    counts = confusion_matrix(labels, answers, 2)
    assert np.array_equal(counts, metrics.confusion_matrix(labels, answers))
    assert matthews(counts) == pytest.approx(metrics.matthews_corrcoef(labels, answers), abs=1e-12)
    assert class_figures(counts)["f1"][1] == pytest.approx(metrics.f1_score(labels, answers), abs=1e-12)


def test_delong_interval_agrees_with_the_bootstrap():
    truth, score = scored(n=400, seed=4)
    delong = auc_delong(truth, score)
    both = np.column_stack([-score, score])
    boot = macro_auc(truth.astype(int), both, rng=np.random.default_rng(0))
    assert delong.value == pytest.approx(auc(truth, score), abs=1e-12)
    assert delong.low == pytest.approx(boot.low, abs=0.01)
    assert delong.high == pytest.approx(boot.high, abs=0.01)


def test_delong_needs_two_of_each():
    with pytest.raises(InputError, match="two cases"):
        auc_delong(np.array([True, False, False]), np.array([1.0, 0.0, 0.2]))


def test_confusion_rows_are_the_truth():
    counts = confusion_matrix(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0]), 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    figures = class_figures(counts)
    assert figures["recall"].tolist() == [0.5, 1.0, 0.0]
    assert figures["precision"][1] == 0.5 and np.isnan(figures["precision"][2])
    assert figures["specificity"][0] == 0.5


def test_matthews_is_one_for_perfect_and_zero_for_constant_answers():
    assert matthews(np.diag([3, 4, 5])) == pytest.approx(1.0)
    assert matthews(np.array([[3, 0], [4, 0]])) == 0.0


def test_accuracy_counts_the_largest_probability():
    estimate = accuracy(np.array([0, 1, 1, 0]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]]))
    assert estimate.value == 0.75 and estimate.n == 4 and estimate.low < 0.75 < estimate.high


def test_roc_runs_from_none_to_all_and_its_area_is_the_auc():
    truth, score = scored()
    false, hits, thresholds = roc_curve(truth, score)
    assert (false[0], hits[0], false[-1], hits[-1]) == (0, 0, 1, 1)
    assert np.all(np.diff(thresholds) < 0)
    assert np.trapezoid(hits, false) == pytest.approx(auc(truth, score), abs=1e-12)


def test_threshold_reaches_the_sensitivity_and_no_higher_one_does():
    truth, score = scored()
    threshold = threshold_for_sensitivity(truth, score, 0.9)
    assert operating_figures(truth, score, threshold).sensitivity.value >= 0.9
    above = np.min(score[score > threshold])
    assert operating_figures(truth, score, above).sensitivity.value < 0.9


def test_operating_figures_by_hand():
    figures = operating_figures(TRUTH == 1, SCORE, 0.4)
    assert figures.sensitivity.value == 0.5 and figures.specificity.value == 0.5
    assert figures.positive_predictive_value is not None and figures.positive_predictive_value.value == 0.5
    assert operating_figures(TRUTH == 1, SCORE, 2.0).positive_predictive_value is None
