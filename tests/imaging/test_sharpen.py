"""Sharpening against scikit-image, OpenCV, scipy and SimpleITK to 1e-6."""

import cv2
import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage
from skimage.filters import unsharp_mask

from isocenter.core.errors import InputError
from isocenter.imaging.sharpen import sharpen_laplacian, sharpen_unsharp

ONE = (1.0, 1.0, 1.0)


def noise(shape=(7, 24, 30)) -> np.ndarray:
    return np.random.default_rng(0).uniform(size=shape)


@pytest.mark.parametrize("shape", [(1, 24, 30), (7, 24, 30)])
def test_the_unsharp_mask_is_scikit_images(shape):
    array = noise(shape)
    ours = sharpen_unsharp(array, amount=1.5, sigma_mm=2.0, spacing_mm=ONE)
    expected = unsharp_mask(np.squeeze(array), radius=2.0, amount=1.5, preserve_range=True)
    np.testing.assert_allclose(np.squeeze(ours), expected, atol=1e-6)


def test_the_unsharp_mask_is_simpleitks_away_from_the_border():
    array = noise((24, 24, 24))
    ours = sharpen_unsharp(array, amount=0.7, sigma_mm=1.0, spacing_mm=ONE)
    image = sitk.GetImageFromArray(array)
    blurred = sitk.GetArrayFromImage(sitk.DiscreteGaussian(image, 1.0, 32, 1e-6, False))
    expected = array + 0.7 * (array - blurred)
    # The discrete Gaussian of ITK is Bessel's, ours is sampled: alike, not equal.
    np.testing.assert_allclose(ours[8:-8, 8:-8, 8:-8], expected[8:-8, 8:-8, 8:-8], atol=0.03)


def test_the_laplacian_is_opencvs_and_scipys():
    flat, solid = noise((1, 24, 30)), noise()
    by_opencv = flat[0] - cv2.Laplacian(flat[0], cv2.CV_64F, ksize=1, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(sharpen_laplacian(flat, spacing_mm=ONE)[0], by_opencv, atol=1e-6)
    by_scipy = solid - 0.5 * ndimage.laplace(solid, mode="nearest")
    np.testing.assert_allclose(sharpen_laplacian(solid, amount=0.5, spacing_mm=ONE), by_scipy, atol=1e-6)


def test_the_laplacian_of_a_ramp_is_zero_and_of_a_bowl_the_same_everywhere_in_millimetres():
    k, j, i = np.mgrid[:9, :12, :15] * np.array((2.0, 0.5, 1.0)).reshape(3, 1, 1, 1)
    inner = (slice(1, -1),) * 3
    ramp = 3 * k - 2 * j + i
    np.testing.assert_allclose(sharpen_laplacian(ramp, spacing_mm=(2, 0.5, 1))[inner], ramp[inner], atol=1e-9)
    bowl = k**2 + j**2 + i**2
    # Six per square millimetre, in steps of half a millimetre squared.
    np.testing.assert_allclose((bowl - sharpen_laplacian(bowl, spacing_mm=(2, 0.5, 1)))[inner], 6 * 0.25, atol=1e-9)


def test_nothing_is_added_to_a_constant_or_with_no_amount():
    flat = np.full((3, 8, 8), 5.0)
    np.testing.assert_allclose(sharpen_unsharp(flat, sigma_mm=1, spacing_mm=ONE), flat)
    array = noise()
    assert np.array_equal(sharpen_laplacian(array, amount=0, spacing_mm=ONE), array)
    assert np.array_equal(sharpen_laplacian(array[:1, :1, :1], spacing_mm=ONE), array[:1, :1, :1])


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="sigma"):
        sharpen_unsharp(noise(), sigma_mm=0, spacing_mm=ONE)
    with pytest.raises(InputError, match="amount"):
        sharpen_laplacian(noise(), amount=-1, spacing_mm=ONE)
    with pytest.raises(InputError, match="slices"):
        sharpen_laplacian(noise()[0], spacing_mm=ONE)
    with pytest.raises(InputError, match="spacing"):
        sharpen_laplacian(noise(), spacing_mm=(0, 1, 1))
