import numpy as np

from isocenter.imaging.features.tone_difference import TAGS, tone_difference_features


def features(counted, differences) -> dict:
    return dict(zip(TAGS, tone_difference_features(np.array(counted), np.array(differences)), strict=True))


def test_two_levels_by_hand():
    found = features([3.0, 0.0, 1.0], [2.0, 0.0, 1.5])
    p1, p3 = 0.75, 0.25
    weighted = p1 * 2 + p3 * 1.5
    assert np.isclose(found["coarseness"], 1 / weighted)
    assert np.isclose(found["contrast"], 2 * p1 * p3 * 4 / 2 * 3.5 / 4)
    assert found["busyness"] == 0  # 1 x 0.75 and 3 x 0.25 are the same
    assert np.isclose(found["complexity"], 2 * 2 * weighted / 4)
    assert np.isclose(found["strength"], 2 * 1 * 4 / 3.5)


def test_a_flat_region_is_as_coarse_as_can_be():
    assert features([9.0], [0.0]) == {
        "coarseness": 1e6, "contrast": 0, "busyness": 0, "complexity": 0, "strength": 0
    }  # fmt: skip


def test_without_neighbours_there_are_no_features():
    assert np.isnan(tone_difference_features(np.zeros(3), np.zeros(3))).all()
