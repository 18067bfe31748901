"""Settings come from a mapping; the tests of IBSI-2 are shipped as data."""

import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.features.filters_settings import FilterSettings, ibsi2_config, ibsi2_names, read_settings


def test_phase_1_has_36_tests_and_phase_2_has_22():
    names = ibsi2_names()
    assert len([name for name in names if name[-1] in "AB"]) == 22
    assert len(names) == 58


def test_ibsi_2_leaves_the_names_apart_that_differ_in_case_only():
    assert ibsi2_config("2.a")["sigma_mm"] == 3.0
    assert ibsi2_config("2.A")["support"] == 5
    assert ibsi2_config("ibsi2-4b2") == ibsi2_config("4.b.2") == ibsi2_config("4B2")


def test_settings_read_texts_as_options_give_them():
    settings = read_settings({"filter": "laws", "kernels": "e5l5s5", "energy_distance": "7", "dimension": "3D"})
    assert settings.kernels == ("E5", "L5", "S5") and settings.energy_distance == 7 and settings.dimension == 3


def test_other_keys_replace_those_of_a_shipped_test():
    settings = read_settings({"ibsi2": "2.a", "sigma_mm": 4})
    assert (settings.sigma_mm, settings.cutoff, settings.boundary) == (4.0, 4.0, "zero")


def test_a_length_in_voxels_asks_for_no_millimetres():
    def never() -> tuple[float, ...]:
        raise AssertionError

    assert FilterSettings("log", sigma_voxels=2.0).length_voxels("sigma", never) == (2.0, 2.0, 2.0)
    assert FilterSettings("log", sigma_mm=2.0).length_voxels("sigma", lambda: (1.0, 2.0, 4.0)) == (2.0, 1.0, 0.5)


@pytest.mark.parametrize("value", ["two", True, None, [1]])
def test_what_is_no_number_is_named(value: object):
    with pytest.raises(InputError, match="sigma_mm: expected a number"):
        read_settings({"filter": "log", "sigma_mm": value})


@pytest.mark.parametrize("value", ["1.5", "nan", "inf"])
def test_what_is_no_whole_number_is_named(value: str):
    with pytest.raises(InputError, match="support: expected"):
        read_settings({"filter": "mean", "support": value})
