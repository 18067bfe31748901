import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from isocenter.core.errors import GeometryError, InputError
from isocenter.imaging.register.similarity import (
    correlation,
    gradient_agreement,
    local_correlation,
    mean_squared_difference,
    mutual_information,
    normalised_information,
)
from isocenter.imaging.smooth import smooth_gaussian

RNG = np.random.default_rng(0)
IMAGE = smooth_gaussian(RNG.normal(0, 1, (24, 26, 28)), sigma_mm=2, spacing_mm=(1, 1, 1))
NOISE = smooth_gaussian(RNG.normal(0, 1, (24, 26, 28)), sigma_mm=2, spacing_mm=(1, 1, 1))


def test_an_image_agrees_with_itself_as_much_as_can_be():
    assert mean_squared_difference(IMAGE, IMAGE) == 0
    assert correlation(IMAGE, IMAGE) == pytest.approx(1)
    assert local_correlation(IMAGE, IMAGE) == pytest.approx(1, abs=1e-3)
    assert normalised_information(IMAGE, IMAGE) == pytest.approx(2)
    assert gradient_agreement(IMAGE, IMAGE) == pytest.approx(1)


def test_what_an_inverted_image_tells():
    assert correlation(IMAGE, -IMAGE) == pytest.approx(-1)
    assert local_correlation(IMAGE, 5 - 3 * IMAGE) == pytest.approx(1, abs=1e-3)
    assert gradient_agreement(IMAGE, -IMAGE) == pytest.approx(1)
    assert mutual_information(IMAGE, -IMAGE) == pytest.approx(mutual_information(IMAGE, IMAGE), rel=1e-6)


def test_independent_images_agree_by_chance_alone():
    assert abs(correlation(IMAGE, NOISE)) < 0.15
    assert gradient_agreement(IMAGE, NOISE) == pytest.approx(1 / 3, abs=0.06)
    assert mutual_information(RNG.random(200_000), RNG.random(200_000)) < 0.004
    assert local_correlation(IMAGE, NOISE) < 0.35


def test_information_is_that_of_scikit_learn():
    bins = [np.clip(((x - x.min()) / np.ptp(x) * 32).astype(int), 0, 31).ravel() for x in (IMAGE, IMAGE + NOISE)]
    assert mutual_information(IMAGE, IMAGE + NOISE) == pytest.approx(mutual_info_score(*bins), rel=1e-3)


def test_a_mask_and_unknown_voxels_are_left_out():
    spoiled = IMAGE.copy()
    spoiled[:4] = NOISE[:4] * 9
    spoiled[5, 5, 5] = np.nan
    mask = np.ones(IMAGE.shape, dtype=bool)
    mask[:4] = False
    assert correlation(IMAGE, spoiled, mask=mask) == pytest.approx(1)
    assert correlation(IMAGE, spoiled) < 0.9


def test_constant_other_shapes_and_nothing_left():
    assert correlation(IMAGE, np.ones_like(IMAGE)) == 0
    assert gradient_agreement(IMAGE, np.ones_like(IMAGE)) == 0
    with pytest.raises(GeometryError, match="one shape"):
        correlation(IMAGE, IMAGE[1:])
    with pytest.raises(InputError, match="none"):
        mean_squared_difference(IMAGE, np.full_like(IMAGE, np.nan))
    with pytest.raises(InputError, match="2 bins"):
        mutual_information(IMAGE, IMAGE, n_bins=1)
