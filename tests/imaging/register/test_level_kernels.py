import numpy as np
from scipy import ndimage

from isocenter.imaging.register.level_kernels import sample_affine, sample_clamped, shrink_mean

ARRAY = np.random.default_rng(0).random((11, 12, 13)).astype(np.float32)
PLACE = np.eye(4)
PLACE[:3] += np.random.default_rng(1).normal(0, 0.05, (3, 4))


def test_shrinking_takes_the_mean_of_blocks():
    small = shrink_mean(ARRAY, np.array((2, 3, 4)))
    expected = ARRAY[:10, :12, :12].reshape(5, 2, 4, 3, 3, 4).mean((1, 3, 5))
    np.testing.assert_allclose(small, expected, atol=1e-6)


def test_sampling_is_that_of_scipy_inside():
    found = sample_affine(ARRAY, PLACE, np.array((9, 9, 9)), np.float32(-1))
    expected = ndimage.affine_transform(ARRAY, PLACE[:3, :3], PLACE[:3, 3], output_shape=(9, 9, 9), order=1, cval=-1)
    inner = np.s_[1:-1, 1:-1, 1:-1]
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)


def test_beyond_the_array_stands_the_outside_or_the_border():
    away = np.eye(4)
    away[0, 3] = 50
    assert (sample_affine(ARRAY, away, np.array((2, 3, 4)), np.float32(-7)) == -7).all()
    np.testing.assert_allclose(sample_clamped(ARRAY, away, np.array((2, 12, 13)))[0], ARRAY[-1], atol=1e-6)
