"""Thresholds against scikit-image's, and the definition by brute force."""

import itertools

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold, threshold_multiotsu, threshold_otsu

from isocenter.core.errors import InputError
from isocenter.imaging.segment.threshold import hysteresis, multi_otsu_limits, otsu_limit, threshold


def images() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    mixed = np.concatenate([rng.normal(0, 1, 3000), rng.normal(6, 1, 2000), rng.normal(14, 2, 1500)])
    hounsfield = np.concatenate([rng.normal(-800, 60, 3000), rng.normal(40, 30, 2000)])
    return [
        rng.integers(0, 255, (64, 64)).astype(np.uint8),
        mixed.reshape(1, -1, 10),
        hounsfield.astype(np.int16).reshape(5, 10, 100),
        (hounsfield / 1000).astype(np.float32).reshape(5, 10, 100),
    ]


@pytest.mark.parametrize("number", range(4))
def test_otsu_equals_scikit_image(number: int):
    image = images()[number]
    assert otsu_limit(image) == pytest.approx(float(threshold_otsu(image)), rel=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
@pytest.mark.parametrize("number", range(4))
def test_multi_otsu_equals_scikit_image(number: int, n_classes: int):
    image = images()[number]
    if (number, n_classes) == (2, 4):  # scikit-image takes seconds over a thousand whole numbers
        image = image // 8
    expected = threshold_multiotsu(image, n_classes)
    np.testing.assert_allclose(multi_otsu_limits(image, n_classes=n_classes), expected, rtol=1e-6)


def test_the_limits_are_the_best_of_all():
    values = np.array([0, 0, 1, 3, 4, 4, 5, 9, 9, 10, 12, 13])

    def spread(limits: tuple[int, ...]) -> float:
        classes = np.digitize(values, np.array(limits) + 0.5)
        return sum(values[classes == c].var() * (classes == c).sum() for c in set(classes.tolist()))

    best = min(itertools.combinations(range(13), 2), key=spread)
    assert spread(tuple(int(v) for v in multi_otsu_limits(values, n_classes=3))) == pytest.approx(spread(best))


def test_two_classes_are_otsus():
    image = images()[0]
    assert multi_otsu_limits(image, n_classes=2) == (otsu_limit(image),)


def test_both_ends_belong_to_the_mask_and_nan_does_not():
    mask = threshold(np.array([1.0, 2.0, 3.0, 4.0, np.nan]), low=2, high=3)
    assert mask.tolist() == [False, True, True, False, False]
    with pytest.raises(InputError, match="low"):
        threshold(np.zeros(2), low=3, high=2)


def test_an_image_without_contrast_has_no_limit():
    for image in (np.full((4, 4), 3), np.full((4, 4), np.nan), np.zeros(0)):
        with pytest.raises(InputError, match="different"):
            otsu_limit(image)
    with pytest.raises(InputError, match="values"):
        multi_otsu_limits(np.array([1, 2]), n_classes=3)
    with pytest.raises(InputError, match="classes"):
        multi_otsu_limits(np.array([1, 2]), n_classes=1)


def test_hysteresis_is_scikit_images():
    array = np.random.default_rng(4).normal(size=(12, 20, 24))
    for low, high in ((0.5, 1.5), (1.0, 2.5)):
        # Its pieces hang together by faces alone in three dimensions; ours by corners too, as for thin edges.
        theirs = apply_hysteresis_threshold(array, low, high)
        ours = hysteresis(array, low=low, high=high)
        assert ours[theirs].all()
        labels, _ = ndimage.label(array >= low, np.ones((3, 3, 3)))
        np.testing.assert_array_equal(ours, np.isin(labels, labels[array >= high]) & (labels > 0))
    with pytest.raises(InputError, match="low"):
        hysteresis(array, low=2, high=1)
