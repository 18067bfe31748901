import numpy as np
import pytest

from isocenter.core.errors import InputError, LimitError
from isocenter.imaging.features.discretise import discretise
from isocenter.imaging.features.radiomics_config import Discretisation


def test_fixed_width_begins_at_the_range_not_at_the_minimum():
    how = Discretisation("fbs", width=25.0)
    values = np.array([-450.0, -425.0, 0.0, 400.0])
    assert discretise(values, how, low=-500.0).tolist() == [3, 4, 21, 37]
    assert discretise(values, how).tolist() == [1, 2, 19, 35]


def test_an_origin_puts_bin_borders_at_its_multiples():
    how = Discretisation("fbs", width=25.0, origin=0.0)
    assert discretise(np.array([-1.0, 0.0, 24.0, 25.0]), how).tolist() == [1, 2, 2, 3]


def test_fixed_number_puts_the_maximum_into_the_last_bin():
    how = Discretisation("fbn", bins=4)
    assert discretise(np.array([0.0, 0.99, 1.0, 3.99, 4.0]), how).tolist() == [1, 1, 2, 4, 4]


def test_a_constant_has_one_level():
    assert set(discretise(np.full(5, 7.0), Discretisation("fbn", bins=32)).tolist()) == {1}


def test_levels_as_they_are_must_be_levels():
    assert discretise(np.array([1.0, 6.0]), Discretisation("none")).tolist() == [1, 6]
    for values in ([0.0, 1.0], [1.0, 1.5]):
        with pytest.raises(InputError, match="whole numbers from 1"):
            discretise(np.array(values), Discretisation("none"))


def test_too_many_levels_are_refused():
    with pytest.raises(LimitError, match="4096"):
        discretise(np.array([0.0, 1e9]), Discretisation("fbs", width=1.0))
