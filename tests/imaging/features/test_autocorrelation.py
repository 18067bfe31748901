import numpy as np
import pytest

from isocenter.imaging.features.autocorrelation import spatial_autocorrelation


def over_all_pairs(image, mask, spacing) -> tuple[float, float]:
    places = np.argwhere(mask) * np.array(spacing)
    x = image[mask]
    distance = np.linalg.norm(places[:, None] - places, axis=2)
    weight = np.where(distance > 0, 1 / np.where(distance > 0, distance, 1), 0)
    apart = x - x.mean()
    moran = len(x) / weight.sum() * (weight * np.outer(apart, apart)).sum() / (apart**2).sum()
    unlike = (weight * (x[:, None] - x) ** 2).sum()
    return moran, (len(x) - 1) / (2 * weight.sum()) * unlike / (apart**2).sum()


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (5.0, 0.7, 0.9), (20.0, 1.0, 1.0)])
def test_sums_over_all_pairs_are_exact(spacing):
    rng = np.random.default_rng(0)
    image = np.cumsum(rng.normal(-400, 60, (6, 9, 11)), axis=2)
    mask = rng.random(image.shape) > 0.5
    assert np.allclose(
        spatial_autocorrelation(image, mask, spacing_mm=spacing), over_all_pairs(image, mask, spacing), rtol=1e-9
    )


def test_a_smooth_field_is_alike_and_noise_is_not():
    mask = np.ones((12, 12, 12), bool)
    noise = np.random.default_rng(1).normal(size=mask.shape)
    ramp = np.indices(mask.shape)[0].astype(float)
    step = (1.0, 1.0, 1.0)
    assert spatial_autocorrelation(ramp, mask, spacing_mm=step)[0] > 0.2
    moran, geary = spatial_autocorrelation(noise, mask, spacing_mm=step)
    assert abs(moran) < 0.01
    assert abs(geary - 1) < 0.01


def test_constants_and_single_voxels_have_neither():
    one = np.zeros((3, 3, 3), bool)
    one[1, 1, 1] = True
    for image, mask in ((np.full((3, 3, 3), 5.0), ~one), (np.arange(27.0).reshape(3, 3, 3), one)):
        assert np.isnan(spatial_autocorrelation(image, mask, spacing_mm=(1.0, 1.0, 1.0))).all()
