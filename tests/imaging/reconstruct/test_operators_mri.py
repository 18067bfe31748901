import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.operators_mri import MultiCoilFourier, to_image, to_kspace


def test_the_transform_is_that_of_the_contract_and_keeps_energy():
    image = np.random.default_rng(0).standard_normal((2, 9, 12)) + 0j
    kspace = to_kspace(image)
    by_hand = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image[1]), norm="ortho"))
    np.testing.assert_allclose(kspace[1], by_hand, atol=1e-12)
    assert np.linalg.norm(kspace) == pytest.approx(np.linalg.norm(image))
    np.testing.assert_allclose(to_image(kspace), image, atol=1e-12)


def test_a_point_in_the_centre_has_a_flat_spectrum():
    image = np.zeros((8, 10))
    image[4, 5] = 1
    np.testing.assert_allclose(to_kspace(image), 1 / np.sqrt(80), atol=1e-12)


def test_nothing_is_measured_outside_the_mask():
    mask = np.eye(8) > 0
    seen = MultiCoilFourier(mask, np.ones((2, 8, 8), complex)).forward(np.random.default_rng(1).random((8, 8)))
    assert not seen[:, ~mask].any() and seen[:, mask].all()


def test_sensitivities_of_another_size_are_refused():
    with pytest.raises(InputError, match="expected sensitivities"):
        MultiCoilFourier(np.ones((8, 8)), np.ones((2, 8, 9)))
