import numpy as np
import pytest

from isocenter.imaging.reconstruct.methods import FROM_KSPACE, FROM_PROJECTIONS, fbp


def test_every_name_of_the_contract_is_there():
    projections = ["fbp", "gridding", "sirt", "sart", "cgls", "mlem", "osem", "tv", "wavelet"]
    assert list(FROM_PROJECTIONS) == projections
    assert list(FROM_KSPACE) == ["zero-filled", "cg-sense", "grappa", "cs"]


@pytest.mark.parametrize("name", FROM_PROJECTIONS)
def test_every_method_turns_a_scan_into_an_image(name, ct_scan, score):
    made = ct_scan(30)
    image = FROM_PROJECTIONS[name](made.scan)
    assert image.dtype == np.float32 and image.shape == made.truth.shape
    assert score(image, made.truth) > 16


def test_a_window_lowers_the_noise(ct_scan):
    made = ct_scan(60, noise=0.03)
    assert fbp(made.scan, window="hann").std() < fbp(made.scan).std()
