import pytest

from isocenter.core.errors import InputError
from isocenter.core.feature import Feature


def test_a_feature_is_a_finite_number_or_none():
    assert Feature("stat_skew", "Skewness", "", "KE2A", "n/a", None, "1").value is None
    for value in (float("nan"), float("inf")):
        with pytest.raises(InputError, match="stat_skew"):
            Feature("stat_skew", "Skewness", "", "KE2A", "n/a", value, "1")
