"""Contrast against scikit-image and OpenCV where they say the same, and its own laws where they do not."""

import cv2
import numpy as np
import pytest
from skimage import exposure

from isocenter.core.errors import InputError
from isocenter.imaging.contrast import apply_gamma, clahe, equalize


def picture(shape=(1, 128, 128)) -> np.ndarray:
    rng = np.random.default_rng(0)
    smooth = np.stack([cv2.GaussianBlur(rng.normal(size=shape[1:]), (0, 0), 6) for _ in range(shape[0])])
    return np.round(255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)


def test_gamma_is_scikit_images():
    array = picture().astype(np.float64)
    array[0, 0, :2] = 0, 255
    expected = exposure.adjust_gamma(array / 255, 0.6) * 255
    np.testing.assert_allclose(apply_gamma(array, gamma=0.6), expected, atol=1e-4)


def test_gamma_keeps_the_ends_of_hounsfield_units():
    bent = apply_gamma(np.array([-1000.0, 0.0, 3000.0]), gamma=2.0)
    assert (bent[0], bent[2]) == (-1000, 3000)
    assert bent[1] == pytest.approx(-1000 + 4000 / 16)


def test_equalising_is_scikit_images():
    array = picture()
    low, span = float(array.min()), float(np.ptp(array))
    expected = low + span * exposure.equalize_hist(array.astype(np.float32))
    np.testing.assert_allclose(equalize(array), expected, atol=1e-3 * span)


def test_equalising_leaves_what_is_outside_the_mask():
    array = picture().astype(np.float32)
    mask = np.zeros(array.shape, bool)
    mask[:, 30:90, 30:90] = True
    changed = equalize(array, mask=mask)
    assert np.array_equal(changed[~mask], array[~mask])
    quarters = np.quantile(changed[mask], (0.25, 0.5, 0.75))
    low, span = array[mask].min(), np.ptp(array[mask])
    np.testing.assert_allclose((quarters - low) / span, (0.25, 0.5, 0.75), atol=0.03)


@pytest.mark.parametrize("clip_limit", [1.5, 3.0])
def test_clahe_is_opencvs_to_a_few_gray_levels(clip_limit: float):
    # Tiles of 4096 pixels: in small ones OpenCV's whole numbers of pixels per level differ from ours.
    array = picture((1, 512, 512))
    array[0, 0, :2] = 0, 255
    ours = clahe(array, clip_limit=clip_limit, tiles=(8, 8))[0]
    theirs = cv2.createCLAHE(clip_limit, (8, 8)).apply(array[0])
    # OpenCV puts the centres of tiles half a pixel off; ours are where a mirrored picture has them too.
    assert np.abs(ours - theirs).mean() < 1.5
    assert np.abs(ours - theirs).max() < 8.0
    mirrored = clahe(array[..., ::-1], clip_limit=clip_limit, tiles=(8, 8))
    np.testing.assert_allclose(mirrored[0, :, ::-1], ours, atol=1e-3)


@pytest.mark.parametrize("tiles", [(8, 8), (2, 4, 4)])
def test_clahe_never_leaves_the_range_and_raises_the_contrast(tiles):
    array = -1000 + 0.2 * picture((6, 64, 64)).astype(np.float32)
    array[0, 0, 0] = 2000
    changed = clahe(array, tiles=tiles, clip_limit=4.0)
    assert changed.min() >= array.min()
    assert changed.max() <= array.max()
    assert changed[1:].std() > 1.5 * array[1:].std()


def test_clahe_in_3d_sees_the_slices_beside():
    array = picture((6, 64, 64))
    array[0, 0, :2] = 0, 255
    alone = clahe(array[:3], tiles=(1, 4, 4))
    other = array.copy()
    other[3:] = 0
    assert np.abs(clahe(other, tiles=(1, 4, 4))[:3] - alone).max() > 5
    assert np.abs(clahe(other, tiles=(2, 4, 4))[0] - clahe(array, tiles=(2, 4, 4))[0]).max() < 1e-3


def test_clahe_counts_and_changes_only_the_mask():
    array = picture().astype(np.float32)
    mask = np.zeros(array.shape, bool)
    mask[:, :, 64:] = True
    changed = clahe(array, mask=mask)
    assert np.array_equal(changed[~mask], array[~mask])
    other = np.where(mask, array, 200.0)
    assert np.array_equal(clahe(other, mask=mask)[mask], changed[mask])


def test_a_constant_image_stays_as_it_is():
    array = np.full((1, 16, 16), 7, np.int16)
    for changed in (apply_gamma(array, gamma=2), equalize(array), clahe(array)):
        assert np.array_equal(changed, array)


def test_what_makes_no_sense_is_refused():
    array = picture()
    for call, match in (
        (lambda: apply_gamma(array, gamma=0), "gamma"),
        (lambda: clahe(array, clip_limit=0.5), "clip limit"),
        (lambda: clahe(array, tiles=(0, 8)), "tiles"),
        (lambda: clahe(array, mask=np.zeros(array.shape, bool)), "empty"),
        (lambda: equalize(array, mask=np.ones((1, 2, 2), bool)), "mask"),
        (lambda: clahe(array[0]), "slices"),
    ):
        with pytest.raises(InputError, match=match):
            call()
