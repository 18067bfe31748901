import numpy as np
import pytest

from isocenter.imaging.reconstruct.haar import haar_adjoint, haar_forward


@pytest.mark.parametrize("shape", [(32, 24), (17, 30)])
def test_the_adjoint_is_the_transpose(shape):
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(s) + 1j * rng.standard_normal(s) for s in (shape, (3, 3, *shape)))
    assert np.vdot(y, haar_forward(x, 3)) == pytest.approx(np.vdot(haar_adjoint(y), x), rel=1e-12)


def test_details_of_one_level_and_the_means_of_four_pixels_hold_the_image():
    image = np.random.default_rng(1).standard_normal((12, 10))
    mean = (image + np.roll(image, -1, 0)) / 2
    mean = (mean + np.roll(mean, -1, 1)) / 2
    assert (haar_forward(image, 1) ** 2).sum() + (mean**2).sum() == pytest.approx((image**2).sum())


def test_a_step_shows_in_the_differences_across_it_alone():
    image = np.zeros((16, 16))
    image[:, 8:] = 2.0
    across, down, both = haar_forward(image, 1)[0]
    assert np.flatnonzero(across[0]).tolist() == [7, 15] and across[0, 7] == -1.0
    assert not down.any() and not both.any()


def test_white_noise_falls_by_two_with_each_level():
    noise = np.random.default_rng(2).standard_normal((128, 128))
    deviations = haar_forward(noise, 3).std(axis=(1, 2, 3))
    np.testing.assert_allclose(deviations, [0.5, 0.25, 0.125], rtol=0.05)
