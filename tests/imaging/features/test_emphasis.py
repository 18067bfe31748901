import numpy as np

from isocenter.imaging.features.emphasis import RUN_TAGS, emphasis_features


def test_a_small_matrix_by_hand():
    # Level 1: two runs of 1; level 2: one run of 3. Five voxels.
    found = dict(zip(RUN_TAGS, emphasis_features(np.array([[2.0, 0, 0], [0, 0, 1.0]]), n_voxels=5), strict=False))
    assert np.isclose(found["sre"], (2 + 1 / 9) / 3)
    assert np.isclose(found["lre"], (2 + 9) / 3)
    assert np.isclose(found["lrhge"], (2 + 36) / 3)
    assert np.isclose(found["glnu"], (4 + 1) / 3)
    assert np.isclose(found["rlnu_norm"], (4 + 1) / 9)
    assert np.isclose(found["r_perc"], 3 / 5)
    assert np.isclose(found["rl_var"], 2 / 3 * (1 - 5 / 3) ** 2 + 1 / 3 * (3 - 5 / 3) ** 2)


def test_named_sizes_are_the_same_as_empty_columns():
    wide = np.zeros((2, 9))
    wide[0, 2], wide[1, 8] = 4, 1
    narrow = emphasis_features(wide[:, [2, 8]], n_voxels=21, sizes=np.array([3, 9]))
    assert np.allclose(narrow, emphasis_features(wide, n_voxels=21))


def test_no_counts_no_features():
    assert np.isnan(emphasis_features(np.zeros((2, 2)), n_voxels=1)).all()
