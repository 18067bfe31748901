import numpy as np
import pytest
from skimage import metrics

from isocenter.core.errors import InputError
from isocenter.evaluation.image_quality import cnr, mse, psnr, snr, ssim, ssim_map


def images(shape: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first = rng.random(shape) * 900 - 200
    return first, first + rng.normal(0, 80, shape)


@pytest.mark.parametrize("shape", [(64, 50), (20, 31, 24)])
def test_mse_and_psnr_equal_scikit_image(shape):
    a, b = images(shape)
    assert mse(a, b) == pytest.approx(metrics.mean_squared_error(a, b), rel=1e-12)
    assert psnr(a, b, data_range=900) == pytest.approx(metrics.peak_signal_noise_ratio(a, b, data_range=900), abs=1e-10)


@pytest.mark.parametrize("shape", [(64, 50), (20, 31, 24)])
@pytest.mark.parametrize("sample", [False, True])
def test_ssim_equals_scikit_image_with_the_papers_window_and_with_its_own(shape, sample):
    a, b = images(shape)
    theirs = metrics.structural_similarity(
        a, b, data_range=900, gaussian_weights=True, sigma=1.5, use_sample_covariance=sample
    )
    assert ssim(a, b, data_range=900, sample_covariance=sample) == pytest.approx(theirs, abs=1e-7)
    plain, full = metrics.structural_similarity(a, b, data_range=900, use_sample_covariance=sample, full=True)
    assert ssim(a, b, data_range=900, window="uniform", sample_covariance=sample) == pytest.approx(plain, abs=1e-7)
    np.testing.assert_allclose(
        ssim_map(a, b, data_range=900, window="uniform", sample_covariance=sample), full, atol=1e-7
    )


def test_ssim_of_integers_is_that_of_the_same_numbers_as_floats():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 256, (2, 40, 40), dtype=np.uint8)
    assert ssim(a, b, data_range=255) == ssim(a.astype(float), b.astype(float), data_range=255)
    assert mse(a, b) == mse(a.astype(float), b.astype(float))


def test_a_one_slice_volume_is_compared_as_the_picture_it_is():
    a, b = images((1, 40, 40))
    assert ssim(a, b) == ssim(a[0], b[0])
    assert ssim_map(a, b).shape == (1, 40, 40)


def test_equal_images_have_ssim_one_and_infinite_psnr():
    a, _ = images((32, 32))
    assert ssim(a, a) == pytest.approx(1.0, abs=1e-12)
    assert psnr(a, a) == float("inf")


def test_the_range_is_the_references_own_unless_given():
    a, b = images((32, 32))
    assert psnr(a, b) == pytest.approx(psnr(a, b, data_range=float(np.ptp(a))))


def test_what_cannot_be_compared_is_refused_in_one_line():
    a, b = images((32, 32))
    bad = a.copy()
    bad[3, 3] = np.nan
    with pytest.raises(InputError, match="one shape"):
        psnr(a, b[:30])
    with pytest.raises(InputError, match="NaN"):
        mse(a, bad)
    with pytest.raises(InputError, match="positive"):
        psnr(np.ones((8, 8)), np.zeros((8, 8)))
    with pytest.raises(InputError, match="channels one by one"):
        ssim(np.dstack([a] * 3), np.dstack([b] * 3))


def test_snr_and_cnr_are_those_of_a_phantom_with_known_noise():
    rng = np.random.default_rng(3)
    image = np.full((200, 200), 40.0)
    disc = np.zeros(image.shape, bool)
    disc[50:150, 50:150] = True
    image[disc] = 100
    image += rng.normal(0, 5, image.shape)
    assert snr(image, disc) == pytest.approx(20, rel=0.03)
    assert cnr(image, disc, ~disc) == pytest.approx(12, rel=0.03)


def test_regions_without_noise_or_voxels_are_refused():
    image = np.zeros((4, 4))
    region = np.ones((4, 4), bool)
    with pytest.raises(InputError, match="noise"):
        snr(image, region)
    with pytest.raises(InputError, match="noise"):
        cnr(image, region, region)
    with pytest.raises(InputError, match="two voxels"):
        snr(image, ~region)
    with pytest.raises(InputError, match="background"):
        cnr(image, region, ~region)
