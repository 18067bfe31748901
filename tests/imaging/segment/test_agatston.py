import numpy as np

from isocenter.imaging.segment.agatston import score_calcium

EVERYWHERE = np.ones((2, 12, 12), bool)


def _lesion(peak_hu, n_slices=1, pixels=8):
    hu = np.zeros((2, 12, 12))
    hu[:n_slices, 2:4, 2 : 2 + pixels // 2] = 150.0
    hu[:n_slices, 2, 2] = peak_hu
    return hu


def test_eight_square_mm_of_400_hu_score_32():
    assert score_calcium(_lesion(400), EVERYWHERE, (3.0, 1.0, 1.0))[0].agatston == 32


def test_a_peak_of_399_hu_weighs_3():
    assert score_calcium(_lesion(399), EVERYWHERE, (3.0, 1.0, 1.0))[0].agatston == 24


def test_two_thin_slices_count_as_one_thick():
    assert score_calcium(_lesion(400, n_slices=2), EVERYWHERE, (1.5, 1.0, 1.0))[0].agatston == 32


def test_less_than_one_square_mm_is_nothing():
    score, mask = score_calcium(_lesion(400, pixels=2), EVERYWHERE, (3.0, 0.6, 0.6))
    assert score.agatston == 0
    assert not mask.any()


def test_129_hu_is_nothing_and_130_hu_is_calcium():
    hu = np.full((2, 12, 12), 129.0)
    assert score_calcium(hu, EVERYWHERE, (3.0, 1.0, 1.0))[0].volume_mm3 == 0
    assert score_calcium(hu + 1, EVERYWHERE, (3.0, 1.0, 1.0))[0].volume_mm3 == 2 * 144 * 3
