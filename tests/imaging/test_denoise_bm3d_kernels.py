"""The loops of BM3D against a search by hand."""

import numpy as np

from isocenter.imaging.denoise_bm3d_kernels import _cut_small, _find_alike, _gather, _scatter, _shrink_by_pilot


def test_the_nearest_patches_are_those_that_a_plain_search_finds():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(6, 12, 12)).astype(np.float32)
    patch, search, at = (2, 3, 3), (2, 4, 4), (2, 5, 5)
    distances, places = np.empty(8, np.float32), np.empty((8, 3), np.int64)
    assert _find_alike(image, at, patch, search, places, distances) == 8

    def cut(place):
        return image[tuple(slice(p, p + n) for p, n in zip(place, patch, strict=True))]

    every = [(k, j, i) for k in range(0, 5) for j in range(1, 10) for i in range(1, 10)]
    every.sort(key=lambda place: float(np.square(cut(place) - cut(at)).sum()))
    assert tuple(places[0]) == at
    assert [tuple(place) for place in places] == every[:8]


def test_gathering_and_scattering_are_adjoint():
    rng = np.random.default_rng(1)
    image, patch = rng.normal(size=(4, 6, 6)).astype(np.float32), (2, 2, 3)
    places = np.array([[0, 0, 0], [1, 2, 3], [2, 4, 3]])
    group, other = np.empty((3, 12), np.float32), rng.normal(size=(3, 12)).astype(np.float32)
    _gather(image, places, patch, group)
    total, weight = np.zeros_like(image), np.zeros_like(image)
    _scatter(other, places, patch, np.ones(12, np.float32), total, weight)
    assert abs(float((group * other).sum()) - float((image * total).sum())) < 1e-4
    assert weight.sum() == 36


def test_shrinking_keeps_what_stands_out():
    group = np.array([[5.0, 1.0], [-3.0, 2.0]], np.float32)
    one = np.eye(2, dtype=np.float32)
    assert _cut_small(group, one, one, np.float32(2.5)) == 2
    assert group.tolist() == [[5, 0], [-3, 0]]


def test_the_second_pass_is_the_wiener_filter_of_the_pilots_covariance():
    rng = np.random.default_rng(2)
    pilot, values = rng.normal(3, 2, (20, 6)), rng.normal(3, 2, (20, 6))
    cosines = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    covariance = np.cov(pilot.T, bias=True)
    wiener = covariance @ np.linalg.inv(covariance + np.eye(6))
    factors = 20 * np.square(cosines @ pilot.mean(axis=0))
    factors = factors / (factors + 1)
    mean = cosines.T @ (factors * (cosines @ values.mean(axis=0)))
    expected = mean + (values - values.mean(axis=0)) @ wiener
    found = values.astype(np.float32)
    power = _shrink_by_pilot(found, pilot.astype(np.float32), cosines.astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(power, np.square(wiener).sum() + np.square(factors).sum(), rtol=1e-4)
