import numpy as np

from isocenter.imaging.features.cooccurrence import TAGS, cooccurrence_features


def test_equal_counts_of_two_levels_are_known_by_hand():
    found = dict(zip(TAGS, cooccurrence_features(np.array([[[1.0, 2.0], [0.0, 1.0]]]))[0], strict=True))
    # Both senses: [[2, 2], [2, 2]] / 8: two independent coins.
    assert (found["joint_max"], found["energy"], found["joint_entr"], found["joint_avg"]) == (0.25, 0.25, 2.0, 1.5)
    assert (found["contrast"], found["dissimilarity"], found["inv_var"]) == (0.5, 0.5, 0.5)
    assert (found["corr"], found["info_corr1"], found["info_corr2"]) == (0.0, 0.0, 0.0)


def test_one_level_correlates_with_itself():
    found = dict(zip(TAGS, cooccurrence_features(np.array([[[0.0, 0.0], [0.0, 5.0]]]))[0], strict=True))
    assert (found["corr"], found["info_corr1"], found["joint_avg"], found["contrast"]) == (1.0, 0.0, 2.0, 0.0)


def test_a_matrix_without_pairs_has_no_features():
    assert np.isnan(cooccurrence_features(np.zeros((2, 3, 3)))).all()
