import numpy as np
from scipy.special import eval_legendre

from isocenter.imaging.features.morphological import _ellipsoid, morphological_features
from isocenter.imaging.features.roi import Roi


def roi_of(mask: np.ndarray, spacing_mm=(1.0, 1.0, 1.0), image: np.ndarray | None = None) -> Roi:
    values = np.arange(mask.size, dtype=float).reshape(mask.shape) if image is None else image
    return Roi(values, mask, mask, spacing_mm, "HU")


def ball(radius: float, spacing_mm) -> np.ndarray:
    size = [int(radius / step) * 2 + 3 for step in spacing_mm]
    places = [(np.arange(n) - n // 2) * step for n, step in zip(size, spacing_mm, strict=True)]
    k, j, i = np.meshgrid(*places, indexing="ij")
    return k**2 + j**2 + i**2 <= radius**2


def test_a_ball_is_round():
    found = morphological_features(roi_of(ball(12, (1.0, 1.0, 1.0))))
    assert np.isclose(found["volume"], 4 / 3 * np.pi * 12**3, rtol=0.02)
    assert 0.91 < found["sphericity"] < 1
    assert np.isclose(found["asphericity"], 1 / found["sphericity"] - 1)
    assert np.isclose(found["sph_dispr"] * found["sphericity"], 1)
    assert np.isclose(found["comp_2"], found["sphericity"] ** 3)
    assert np.isclose(found["pca_elongation"], 1)
    assert np.isclose(found["pca_maj_axis"], 4 * 12 / 5**0.5, rtol=0.02)
    assert np.isclose(found["vol_dens_conv_hull"], 1, atol=0.06)


def test_a_box_has_the_lengths_of_uniform_sides():
    found = morphological_features(roi_of(np.ones((4, 8, 16), bool), (3.0, 2.0, 1.0)))
    sides = np.array([16.0, 16.0, 12.0])
    n = 4 * 8 * 16
    spread = sides**2 / 12 * (1 - 1 / np.array([8, 16, 4]) ** 2) * n / (n - 1)
    assert np.allclose(
        [found["pca_maj_axis"], found["pca_min_axis"], found["pca_least_axis"]], np.sort(4 * np.sqrt(spread))[::-1]
    )
    assert found["vol_approx"] == n * 6
    assert np.isclose(found["vol_dens_aabb"], found["volume"] / (12 * 16 * 16))


def test_the_area_of_the_ellipsoid_is_the_series_of_the_manual():
    a, b, c = 5.0, 3.0, 2.0
    alpha, beta = np.sqrt(1 - b**2 / a**2), np.sqrt(1 - c**2 / a**2)
    order = np.arange(21)
    terms = (alpha * beta) ** order / (1 - 4 * order**2)
    series = (terms * eval_legendre(order, (alpha**2 + beta**2) / (2 * alpha * beta))).sum()
    assert np.isclose(_ellipsoid(np.array((a, b, c))).area_mm2, 4 * np.pi * a * b * series)
    assert np.isclose(_ellipsoid(np.array((2.0, 2.0, 2.0))).area_mm2, 16 * np.pi)


def test_centre_shift_points_at_the_weight():
    mask = np.ones((1, 1, 3), bool)
    image = np.array([[[1.0, 1.0, 2.0]]])
    found = morphological_features(roi_of(mask, (1.0, 1.0, 4.0), image))
    assert np.isclose(found["com"], 4 * ((0 + 1 + 4) / 4 - 1))
    assert np.isclose(found["integ_int"], found["volume"] * 4 / 3)


def test_what_does_not_exist_is_not_a_number():
    one = morphological_features(roi_of(np.ones((1, 1, 1), bool)))
    assert np.isclose(one["volume"], 1 / 6)
    assert np.isnan(one["pca_elongation"])
    assert np.isnan(one["moran_i"])
    flat = morphological_features(roi_of(np.ones((1, 5, 7), bool)))
    assert flat["pca_least_axis"] == 0
    assert np.isnan(flat["vol_dens_aee"])
    unknown = morphological_features(roi_of(np.ones((2, 2, 2), bool), None))
    assert np.isnan(list(unknown.values())).all()


def test_what_is_left_out_is_not_computed():
    found = morphological_features(roi_of(np.ones((3, 4, 5), bool)), leave_out=["moran_i", "geary_c", "vol_dens_mvee"])
    assert np.isnan([found["moran_i"], found["geary_c"], found["vol_dens_mvee"]]).all()
