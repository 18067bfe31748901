import numpy as np
import pytest

from isocenter.app.demo import _distance_mm
from isocenter.core.finding import Code, Evidence, Finding, Site


def test_a_finding_without_a_place_is_infinitely_far():
    code = Code("SCT", "1", "thing")
    box = ((0, 0, 0), (1, 1, 1))
    placed = Finding("F1", "t", code, Site(code), (Evidence("box", centre_lps_mm=(3.0, 4.0, 0.0), box_index=box),))
    lost = Finding("F1", "t", code, Site(code), (Evidence("box", box_index=box),))
    assert _distance_mm(placed, np.zeros(3)) == pytest.approx(5)
    assert _distance_mm(lost, np.zeros(3)) == float("inf")
