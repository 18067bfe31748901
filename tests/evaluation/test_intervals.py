import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.evaluation.intervals import bootstrap, bootstrap_mean, wilson


def test_wilson_gives_newcombes_published_example():
    estimate = wilson(81, 263)
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (0.2553, 0.3662)


def test_wilson_stays_inside_zero_and_one():
    assert wilson(0, 10).low == 0 and wilson(0, 10).high > 0.2
    assert wilson(10, 10).high == 1 and wilson(10, 10).low < 0.8
    with pytest.raises(InputError, match="share"):
        wilson(3, 2)


def test_bootstrap_of_a_mean_is_near_the_normal_interval():
    values = np.random.default_rng(1).normal(5, 2, 400)
    estimate = bootstrap_mean(values, rng=np.random.default_rng(0))
    half = 1.96 * values.std() / 20
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.03)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.03)


def test_bootstrap_by_group_is_wider_where_groups_agree():
    rng = np.random.default_rng(2)
    values = np.repeat(rng.normal(0, 1, 40), 10)
    groups = [f"g{index // 10}" for index in range(400)]
    by_case = bootstrap_mean(values, rng=np.random.default_rng(0), n_rounds=500)
    by_group = bootstrap_mean(values, rng=np.random.default_rng(0), groups=groups, n_rounds=500)
    assert by_group.n == 40 and by_case.n == 400
    assert by_group.high - by_group.low > 2 * (by_case.high - by_case.low)


def test_bootstrap_is_the_same_for_the_same_generator():
    values = np.arange(30.0)
    assert bootstrap_mean(values, rng=np.random.default_rng(3)) == bootstrap_mean(values, rng=np.random.default_rng(3))


def test_bootstrap_leaves_out_draws_without_a_figure():
    estimate = bootstrap(lambda index: float("nan") if index[0] else 1.0, 4, rng=np.random.default_rng(0), n_rounds=50)
    assert estimate.low == estimate.high == 1.0
