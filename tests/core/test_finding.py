import pytest

from isocenter.core.errors import InputError
from isocenter.core.finding import Code, Evidence, Finding, Measurement, Site

CODE = Code("SCT", "1", "thing")


def test_a_finding_without_evidence_is_invalid():
    with pytest.raises(InputError, match="expected a mask, a box, points or a measurement"):
        Finding("F1", "t", CODE, Site(CODE))


def test_evidence_carries_what_its_kind_says():
    with pytest.raises(InputError, match="expected a mask"):
        Evidence("mask", box_index=((0, 0, 0), (1, 1, 1)))


def test_a_probability_lies_between_zero_and_one():
    with pytest.raises(InputError, match="probability"):
        Finding("F1", "t", CODE, Site(CODE), (Evidence("box", box_index=((0, 0, 0), (1, 1, 1))),), probability=1.2)


def test_a_measurement_is_finite_and_found_by_name():
    with pytest.raises(InputError, match="finite"):
        Measurement("long_axis", float("nan"), "mm", CODE, "by hand")
    finding = Finding("F1", "t", CODE, Site(CODE), measurements=(Measurement("long_axis", 4.0, "mm", CODE, "by hand"),))
    assert finding.measurement("long_axis").value == 4.0
    with pytest.raises(KeyError):
        finding.measurement("volume")
