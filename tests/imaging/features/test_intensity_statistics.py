import numpy as np
from scipy import stats

from isocenter.imaging.features.intensity_statistics import statistics_features


def test_moments_and_percentiles_are_those_of_scipy_and_numpy():
    values = np.random.default_rng(0).gamma(2, 30, 501) - 40
    found = statistics_features(values)
    p10, p25, p75, p90 = np.percentile(values, (10, 25, 75, 90))
    robust = values[(values >= p10) & (values <= p90)]
    wanted = {
        "mean": values.mean(), "var": values.var(), "skew": stats.skew(values), "kurt": stats.kurtosis(values),
        "median": np.median(values), "p10": p10, "p90": p90, "iqr": p75 - p25,
        "mad": np.abs(values - values.mean()).mean(),
        "rmad": np.abs(robust - robust.mean()).mean(), "medad": np.abs(values - np.median(values)).mean(),
        "cov": values.std() / values.mean(), "qcod": (p75 - p25) / (p75 + p25), "energy": (values**2).sum(),
        "rms": np.sqrt((values**2).mean()), "range": np.ptp(values),
    }  # fmt: skip
    for name, value in wanted.items():
        assert np.isclose(found[name], value), name


def test_a_constant_has_no_skewness_and_no_kurtosis():
    found = statistics_features(np.full(9, 0.1))
    assert np.isnan(found["skew"])
    assert np.isnan(found["kurt"])
    assert found["var"] == 0
    assert np.isclose(found["median"], 0.1)


def test_a_mean_of_zero_has_no_coefficient_of_variation():
    assert np.isnan(statistics_features(np.array([-1.0, 1.0]))["cov"])
