import numpy as np
import pytest

from isocenter.learning.foreign import KINDS, make_foreign, scramble, smooth_field


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_pictures_between_black_and_white_that_differ(kind):
    rng = np.random.default_rng(5)
    first, second = (make_foreign(kind, rng, 48) for _ in range(2))
    for picture in (first, second):
        assert picture.shape == (48, 48)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.min() >= 0
        assert picture.max() <= 1
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_picture(kind):
    pictures = [make_foreign(kind, np.random.default_rng(8), 40) for _ in range(2)]
    np.testing.assert_array_equal(*pictures)


def test_scrambling_keeps_the_values_and_moves_them():
    rng = np.random.default_rng(1)
    picture = np.arange(60 * 60, dtype=np.float32).reshape(60, 60)
    scrambled = scramble(picture, rng)
    assert not np.array_equal(scrambled, picture)
    np.testing.assert_array_equal(np.sort(scrambled.ravel()), picture.ravel())


def test_scrambling_leaves_its_input_alone():
    picture = np.random.default_rng(2).random((64, 64), dtype=np.float32)
    before = picture.copy()
    scramble(picture, np.random.default_rng(3))
    np.testing.assert_array_equal(picture, before)


def test_a_smooth_field_is_standardised_and_smoother_along_the_larger_sigma():
    field = smooth_field(np.random.default_rng(4), 96, (1.0, 8.0))
    assert abs(float(field.mean())) < 1e-4
    assert abs(float(field.std()) - 1) < 1e-3
    assert np.abs(np.diff(field, axis=1)).mean() < 0.5 * np.abs(np.diff(field, axis=0)).mean()
