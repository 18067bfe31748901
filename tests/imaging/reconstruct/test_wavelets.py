import numpy as np
import pytest

from isocenter.imaging.reconstruct.wavelets import n_levels, wavelet_forward, wavelet_inverse


@pytest.mark.parametrize("shape", [(64, 48), (61, 90), (8, 9)])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_the_inverse_undoes_the_transform(shape, dtype):
    image = np.random.default_rng(0).standard_normal(shape).astype(dtype) * (1 + 2j if dtype is np.complex128 else 1)
    coarse, details = wavelet_forward(image, n_levels(shape))
    np.testing.assert_allclose(wavelet_inverse(coarse, details, shape), image, atol=1e-9)


def test_energy_is_kept():
    image = np.random.default_rng(1).standard_normal((32, 64))
    coarse, details = wavelet_forward(image, 2)
    assert (coarse**2).sum() + sum((d**2).sum() for d in details) == pytest.approx((image**2).sum())


def test_a_cubic_has_no_details_away_from_the_seam():
    line = (np.arange(64) / 64.0) ** 3
    _, details = wavelet_forward(np.tile(line, (64, 1)), 1)
    assert np.abs(details[0][:, :, :28]).max() < 1e-9
