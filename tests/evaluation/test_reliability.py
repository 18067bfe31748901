import numpy as np
import pytest
from scipy import stats

from isocenter.core.errors import InputError
from isocenter.evaluation.reliability import (
    concordance_correlation,
    feature_stability,
    intraclass_correlation,
    repeatability_coefficient,
)

# Six subjects, four judges. Source: Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428, table 2.
SHROUT = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])


@pytest.mark.parametrize(
    ("model", "value", "low", "high"),
    # Values of the paper (table 4: .17, .29, .71); the intervals as the R package psych prints them for these data.
    [("1,1", 0.17, -0.13, 0.72), ("2,1", 0.29, 0.02, 0.76), ("3,1", 0.71, 0.34, 0.95)],
)
def test_the_worked_example_of_shrout_and_fleiss(model, value, low, high):
    found = intraclass_correlation(SHROUT, model=model)
    assert [round(each, 2) for each in (found.value, found.low, found.high)] == [value, low, high]
    assert found.n == 6


def test_a_shift_of_one_rater_costs_agreement_but_not_consistency():
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 3, 40)
    values = np.column_stack((truth, truth + 4)) + rng.normal(0, 0.5, (40, 2))
    assert intraclass_correlation(values, model="3,1").value > 0.95
    assert intraclass_correlation(values, model="2,1").value < 0.7


@pytest.mark.parametrize("model", ["1,1", "2,1", "3,1"])
def test_the_interval_holds_the_truth_in_95_of_100_samples(model):
    rng = np.random.default_rng(1)
    # Variance 2 between subjects, 1 within: 2/3.
    inside = 0
    for _ in range(400):
        values = rng.normal(0, 2**0.5, (15, 1)) + rng.normal(0, 1, (15, 3))
        found = intraclass_correlation(values, model=model)
        inside += found.low <= 2 / 3 <= found.high
    assert 0.92 < inside / 400 < 0.985


@pytest.mark.parametrize("model", ["1,1", "2,1", "3,1"])
def test_perfect_repeats_are_one_and_constants_are_nothing(model):
    assert intraclass_correlation(np.array([[1.0, 1], [2, 2], [5, 5]]), model=model).value == 1
    assert np.isnan(intraclass_correlation(np.ones((3, 2)), model=model).value)


def test_concordance_is_a_correlation_less_the_shift():
    rng = np.random.default_rng(2)
    x = rng.normal(size=50)
    y = x + rng.normal(0, 0.3, 50)
    shifted = concordance_correlation(x, y + 2).value
    assert shifted < concordance_correlation(x, y).value <= stats.pearsonr(x, y).statistic
    assert concordance_correlation(x, x).value == pytest.approx(1)
    covariance = np.cov(x, y, ddof=0)
    by_hand = 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (x.mean() - y.mean()) ** 2)
    assert concordance_correlation(x, y).value == pytest.approx(by_hand)


def test_the_interval_of_concordance_is_as_wide_as_the_spread_of_samples():
    rng = np.random.default_rng(3)
    found = []
    for _ in range(1500):
        x = rng.normal(size=200)
        found.append(concordance_correlation(x, 0.8 * x + 0.7 + rng.normal(0, 0.6, 200)))
    widths = [np.arctanh(each.high) - np.arctanh(each.low) for each in found]
    spread = np.std([np.arctanh(each.value) for each in found])
    assert np.isclose(np.mean(widths), 2 * 1.96 * spread, rtol=0.06)


def test_repeatability_is_277_times_the_within_subject_deviation():
    rng = np.random.default_rng(4)
    values = rng.normal(0, 9, (4000, 1)) + rng.normal(0, 2, (4000, 2))
    found = repeatability_coefficient(values)
    assert np.isclose(found.value, 2.77 * 2, rtol=0.03)
    within = values.var(axis=1, ddof=1).mean()
    low, high = (1.959964 * (2 * 4000 * within / stats.chi2.ppf(share, 4000)) ** 0.5 for share in (0.975, 0.025))
    assert np.allclose((found.low, found.high), (low, high), rtol=1e-6)


def test_differences_stay_below_the_coefficient_in_95_of_100_pairs():
    rng = np.random.default_rng(5)
    first = rng.normal(0, 1.5, (3000, 2))
    limit = repeatability_coefficient(first).value
    second = rng.normal(0, 1.5, (3000, 2))
    assert abs(np.mean(np.abs(second[:, 0] - second[:, 1]) < limit) - 0.95) < 0.015


def test_the_table_ranks_features_and_names_constants():
    rng = np.random.default_rng(6)
    tables = []
    for subject in range(20):
        repeats = []
        for _ in range(2):
            noise = rng.normal(size=2)
            repeats.append({"loose": noise[0], "firm": subject + 0.1 * noise[1], "flat": 4.0, "broken": np.nan})
        tables.append(repeats)
    rows = feature_stability(tables)
    assert [row.tag for row in rows] == ["firm", "loose", "flat"]
    assert [row.grade for row in rows] == ["excellent", "poor", "constant"]
    assert np.isclose(rows[0].within_percent, 100 * 0.1 / 9.5, rtol=0.4)


@pytest.mark.parametrize("values", [np.ones((1, 2)), np.ones((3, 1)), np.ones(4), np.array([[1.0, np.nan], [2, 3]])])
def test_too_little_is_refused(values):
    with pytest.raises(InputError, match="2 or more subjects"):
        intraclass_correlation(values)


def test_unequal_tables_and_lists_are_refused():
    with pytest.raises(InputError, match="as many repeats"):
        feature_stability([[{"a": 1.0}, {"a": 2.0}], [{"a": 1.0}]])
    with pytest.raises(InputError, match="as many finite values"):
        concordance_correlation(np.ones(3), np.ones(4))
