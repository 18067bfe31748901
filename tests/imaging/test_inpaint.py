"""Holes filled: exactly where a plate or an edge says how, and no worse than scikit-image elsewhere."""

import numpy as np
import pytest
from skimage.restoration import inpaint_biharmonic as by_skimage

from isocenter.core.errors import InputError
from isocenter.imaging import inpaint as module
from isocenter.imaging.inpaint import inpaint_biharmonic, inpaint_tv


def hole(shape, *boxes) -> np.ndarray:
    mask = np.zeros(shape, bool)
    for box in boxes:
        mask[box] = True
    return mask


def test_a_ramp_is_continued_exactly_in_2d_and_3d():
    k, j, i = np.mgrid[:8, :20, :24].astype(float)
    ramp = 5 * k + 3 * j - 2 * i + 100
    mask = hole(ramp.shape, np.s_[2:5, 6:14, 8:15])
    np.testing.assert_allclose(inpaint_biharmonic(np.where(mask, -999, ramp), mask), ramp, atol=2e-2)
    flat, cover = ramp[:1], mask[3:4]
    np.testing.assert_allclose(inpaint_biharmonic(flat, cover), flat, atol=1e-3)


def test_it_is_as_good_as_scikit_images():
    j, i = np.mgrid[:60, :60] / 60
    truth = np.sin(5 * j) * np.cos(4 * i) + 0.5 * i
    mask = np.random.default_rng(0).uniform(size=truth.shape) < 0.3
    mask[20:28, 20:28] = True
    ours = inpaint_biharmonic(truth[None], mask[None])[0]
    theirs = by_skimage(np.where(mask, 0, truth), mask)
    assert np.abs(ours - truth)[mask].max() < max(1.1 * np.abs(theirs - truth)[mask].max(), 0.02)


def test_holes_in_overlapping_boxes_are_filled_as_if_solved_at_once(monkeypatch):
    j, i = np.mgrid[:70, :70] / 70
    picture = (np.sin(5 * j) * np.cos(4 * i))[None]
    # Two bent holes, each in the other's box, and some dots.
    mask = hole(
        picture.shape, np.s_[:, 10:13, 10:50], np.s_[:, 10:50, 10:13], np.s_[:, 30:60, 50:54], np.s_[:, 58:61, 25:54]
    )
    mask |= hole(picture.shape, np.s_[:, 25:28, 25:28])
    at_once = inpaint_biharmonic(picture, mask)
    np.testing.assert_allclose(at_once, picture, atol=0.02)
    monkeypatch.setattr(module, "_DIRECT", 100)
    np.testing.assert_allclose(inpaint_biharmonic(picture, mask), at_once, atol=1e-3)


def test_total_variation_carries_an_edge_across():
    truth = np.zeros((1, 40, 40))
    truth[:, :, 20:] = 1.0
    mask = hole(truth.shape, np.s_[:, 17:23, 12:28])
    found = inpaint_tv(np.where(mask, 0.5, truth), mask)
    assert np.abs(found - truth)[mask].max() < 0.1
    assert np.abs(inpaint_biharmonic(truth, mask) - truth)[mask].max() > 0.1


def test_what_the_hole_held_does_not_count_and_the_rest_stays():
    rng = np.random.default_rng(1)
    array = rng.normal(size=(1, 30, 30))
    mask = hole(array.shape, np.s_[:, 5:9, 5:9], np.s_[:, 0:3, 20:30])
    spoiled = np.where(mask, np.nan, array)
    for fill in (inpaint_biharmonic, inpaint_tv):
        found = fill(spoiled, mask)
        np.testing.assert_allclose(found, fill(array, mask))
        np.testing.assert_allclose(found[~mask], array[~mask], rtol=1e-6)
        assert np.isfinite(found).all()


def test_many_unknowns_go_through_conjugate_gradients():
    k, j, i = np.mgrid[:24, :30, :30].astype(float)
    ramp = k + 2 * j - i
    mask = hole(ramp.shape, np.s_[3:21, 4:26, 5:25])
    assert mask.sum() > 6000
    np.testing.assert_allclose(inpaint_biharmonic(ramp, mask)[mask], ramp[mask], atol=0.3)


def test_what_makes_no_sense_is_refused():
    array = np.zeros((1, 5, 5))
    for mask, match in (
        (np.zeros((1, 5, 5), bool), "voxels to fill"),
        (np.ones((1, 5, 5), bool), "voxels to fill"),
        (np.ones((1, 4, 5), bool), "mask"),
    ):
        with pytest.raises(InputError, match=match):
            inpaint_biharmonic(array, mask)
    mask = hole(array.shape, np.s_[0, 2, 2])
    with pytest.raises(InputError, match="outside the mask"):
        inpaint_tv(np.where(mask, 0, np.nan), mask)
    with pytest.raises(InputError, match="spacing"):
        inpaint_biharmonic(array, mask, spacing_mm=(1, 0, 1))
