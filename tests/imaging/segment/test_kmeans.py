"""k-means: plain numbers against every cut there is, features against scikit-learn."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from isocenter.core.errors import InputError
from isocenter.imaging.segment.kmeans import interval_limits, kmeans, require_classes, value_histogram


def spread(values: np.ndarray, limits: np.ndarray) -> float:
    parts = np.searchsorted(limits, values)
    return sum(((values[parts == n] - values[parts == n].mean()) ** 2).sum() for n in np.unique(parts))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_no_cuts_of_a_row_of_numbers_are_better(seed: int, classes: int):
    values = np.sort(np.random.default_rng(seed).gamma(1.5, size=14))
    found = spread(values, interval_limits(values, classes))
    middles = (values[1:] + values[:-1]) / 2
    best = min(spread(values, np.array(cuts)) for cuts in combinations(middles, classes - 1))
    assert found == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize("classes", [2, 3, 5, 8])
def test_intervals_are_as_tight_as_the_best_of_scikit_learn(classes: int):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(m, s, n) for m, s, n in ((0, 3, 4000), (9, 1, 300), (30, 9, 1500))])
    peer = KMeans(classes, n_init=5, random_state=0).fit(values[:, None])
    assert spread(values, interval_limits(values, classes)) <= peer.inertia_ * (1 + 1e-6)


def test_features_are_clustered_as_tightly_as_scikit_learn_does():
    rng = np.random.default_rng(1)
    centres = rng.normal(0, 4, (6, 5))
    rows = (centres[rng.integers(0, 6, 3000)] + rng.normal(size=(3000, 5))).astype(np.float32)
    labels, means = kmeans(rows, 6, rng=np.random.default_rng(0))
    ours = ((rows - means[labels]) ** 2).sum()
    peer = KMeans(6, n_init=10, random_state=0).fit(rows).inertia_
    assert ours <= peer * 1.001


def test_the_same_rng_gives_the_same_classes():
    rows = np.random.default_rng(2).normal(size=(500, 3))
    one, two = (kmeans(rows, 4, rng=np.random.default_rng(7))[0] for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_a_histogram_keeps_count_and_sum():
    values = np.random.default_rng(0).normal(size=5000) * 1e6
    x, mass = value_histogram(values, 100)
    assert mass.sum() == 5000 and (x * mass).sum() == pytest.approx(values.sum())
    x, mass = value_histogram(np.full(7, -3.0), 100)
    assert x.tolist() == [-3] and mass.tolist() == [7]


@pytest.mark.parametrize(("classes", "different"), [(1, 5), (65, 99), (4, 3)])
def test_classes_that_cannot_be_are_refused(classes: int, different: int):
    with pytest.raises(InputError, match="classes: expected"):
        require_classes(classes, different)
