import cv2
import numpy as np

from isocenter.imaging.segment.plaque_fit import Scene, fit_plaque, grow_in_plane
from isocenter.imaging.segment.reconstruction_blur import ReconstructionBlur

BLUR = ReconstructionBlur(1.3, 0.4)
SPACING = (2.0, 0.8, 0.8)
SHAPE = (7, 17, 17)


def _counted(semi_mm, centre_mm):
    """Covered shares by counting fine points."""
    n = 8
    axes = [(np.arange(m * n) + 0.5) / n * s - s / 2 for m, s in zip(SHAPE, SPACING, strict=True)]
    parts = [((a - c) / r) ** 2 for a, c, r in zip(axes, centre_mm, semi_mm, strict=True)]
    inside = parts[0][:, None, None] + parts[1][:, None] + parts[2] <= 1
    return inside.reshape(SHAPE[0], n, SHAPE[1], n, SHAPE[2], n).mean(axis=(1, 3, 5))


def _scene(ideal, noise_hu=8.0, seed=0):
    seen = np.stack([cv2.filter2D(p, -1, BLUR.taps(), borderType=cv2.BORDER_REPLICATE) for p in ideal])
    seen += np.random.default_rng(seed).normal(0, noise_hu, SHAPE)
    own = seen > 160
    return Scene(seen, own, np.zeros(SHAPE, bool), SPACING, SPACING[0], noise_hu, BLUR)


def test_a_blurred_noisy_plaque_becomes_what_it_was():
    share = _counted((2.4, 2.1, 2.9), (6.3, 6.5, 6.2))
    ideal = 42 + 480 * share
    fitted = fit_plaque(_scene(ideal), n_draws=0, rng=np.random.default_rng(0))
    blurred_area, true_area = (_scene(ideal).values >= 130).sum(), (ideal >= 130).sum()
    assert blurred_area > 1.08 * true_area
    assert abs((fitted.values[0] >= 130).sum() - true_area) <= 0.04 * true_area
    assert abs(fitted.values[0].max() - ideal.max()) < 25
    assert fitted.explained > 0.98


def test_draws_scatter_more_where_there_is_more_noise():
    ideal = 42 + 480 * _counted((2.4, 2.1, 2.9), (6.3, 6.5, 6.2))
    spread = []
    for noise_hu in (4.0, 20.0):
        fitted = fit_plaque(_scene(ideal, noise_hu), n_draws=12, rng=np.random.default_rng(0))
        assert fitted.values.shape == (13, *SHAPE)
        spread.append(fitted.values.std(axis=0).max())
    assert 2 * spread[0] < spread[1]


def test_a_plaque_beside_lung_does_not_grow_into_it():
    share = _counted((2.4, 2.4, 2.4), (6.0, 6.5, 6.5))
    ideal = 42 + 480 * share
    ideal[:, :, 12:] = -850
    fitted = fit_plaque(_scene(ideal), n_draws=0, rng=np.random.default_rng(0))
    true_area = (ideal >= 130).sum()
    assert abs((fitted.values[0] >= 130).sum() - true_area) <= 0.1 * true_area


def test_what_is_no_plaque_is_not_fitted():
    ideal = np.full(SHAPE, 42.0)
    ideal[:, ::4, :] = 400
    ideal[2:5, 8, 8] = 500
    scene = _scene(ideal)
    own = np.zeros(SHAPE, bool)
    own[2:5, 6:11, 6:11] = True
    striped = Scene(scene.values, own, scene.other, SPACING, SPACING[0], 8.0, BLUR)
    assert fit_plaque(striped, n_draws=0, rng=np.random.default_rng(0)) is None
    flat = Scene(np.full(SHAPE, 40.0), own, scene.other, SPACING, SPACING[0], 8.0, BLUR)
    assert fit_plaque(flat, n_draws=0, rng=np.random.default_rng(0)) is None


def test_growing_stays_in_the_slice():
    mask = np.zeros((3, 7, 7), bool)
    mask[1, 3, 3] = True
    grown = grow_in_plane(mask, 2)
    assert grown[1].sum() == 25
    assert not grown[[0, 2]].any()
