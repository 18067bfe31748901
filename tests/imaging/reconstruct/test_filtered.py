import numpy as np
import pytest

from isocenter.core.errors import LimitError
from isocenter.imaging.phantoms_projection import Ellipse, draw_ellipses, project_ellipses
from isocenter.imaging.reconstruct.filtered import angular_weights, filter_views, filtered_back_projection
from isocenter.imaging.reconstruct.geometry import ScanGeometry

BODY = (Ellipse(0.02, (4.0, -7.0), (20.0, 13.0), 30.0),)
CORE = (Ellipse(1.0, (4.0, -7.0), (17.0, 10.0), 30.0),)
SIZE = (64, 61)


def errors(geometry: ScanGeometry, **options) -> tuple[float, float]:
    """Relative error of the mean inside, and the largest inside."""
    image = filtered_back_projection(project_ellipses(BODY, geometry), geometry, **options)
    inside = image[draw_ellipses(CORE, SIZE, pixel_mm=1.0) == 1] / 0.02
    return abs(float(inside.mean()) - 1), float(np.abs(inside - 1).max())


TURNS = {
    "half a turn from 13 degrees": np.linspace(13, 193, 240, endpoint=False),
    "a full turn": np.linspace(0, 360, 241, endpoint=False),
    "shuffled": np.random.default_rng(0).permutation(np.linspace(0, 180, 240, endpoint=False)),
    "uneven": np.concatenate([np.linspace(0, 60, 160, endpoint=False), np.linspace(60, 180, 120, endpoint=False)]),
    "one too many": np.linspace(0, 180, 241),
}


@pytest.mark.parametrize("name", TURNS)
@pytest.mark.parametrize(("n_bins", "bin_mm"), [(91, 1.0), (130, 0.7)])
def test_an_ellipse_has_its_attenuation(name, n_bins, bin_mm):
    mean, worst = errors(ScanGeometry(TURNS[name], n_bins, bin_mm, SIZE, 1.0))
    assert mean < 0.002 and worst < 0.03


@pytest.mark.parametrize("span", [360.0, 230.0])
def test_a_fan_and_its_short_scan_give_the_same_attenuation(span):
    angles = np.arange(40, 40 + span, 1.0)
    mean, worst = errors(ScanGeometry(angles, 111, 1.4, SIZE, 1.0, (130.0, 200.0)))
    assert mean < 0.004 and worst < 0.04


@pytest.mark.parametrize("window", ["shepp-logan", "cosine", "hamming", "hann"])
def test_every_window_keeps_the_mean(window):
    mean, _ = errors(ScanGeometry(TURNS["a full turn"], 91, 1.0, SIZE, 1.0), window=window)
    assert mean < 0.003


@pytest.mark.parametrize("fan", [None, (130.0, 200.0)])
def test_a_small_disc_comes_out_where_it_stands(fan):
    geometry = ScanGeometry(np.arange(0, 360, 2.0), 111, 1.0, SIZE, 1.0, fan)
    disc = (Ellipse(1.0, (11.3, 5.6), (4.0, 4.0)),)
    image = filtered_back_projection(project_ellipses(disc, geometry), geometry)
    image[image < 0.3] = 0
    row, column = (np.average(axis, weights=image) for axis in np.mgrid[: SIZE[0], : SIZE[1]])
    assert column - 30 == pytest.approx(11.3, abs=0.05)
    assert 31.5 - row == pytest.approx(5.6, abs=0.05)


def test_the_same_as_scikit_image():
    from skimage.transform import iradon

    angles = np.linspace(0, 180, 90, endpoint=False)
    geometry = ScanGeometry(angles, 65, 1.0, (65, 65), 1.0)
    sinogram = project_ellipses(BODY, geometry)
    theirs = iradon(sinogram.T, angles, filter_name="ramp", circle=True)
    ours = filtered_back_projection(sinogram, geometry)
    inside = np.hypot(*np.mgrid[-32:33, -32:33]) < 31
    assert np.abs(ours - theirs)[inside].max() < 0.03 * theirs.max()


def test_weights_are_arcs_that_sum_to_half_a_turn():
    assert angular_weights(np.array([0.0, 10.0, 30.0, 90.0]), 180.0).sum() == pytest.approx(np.pi)
    assert angular_weights(np.arange(0, 360, 3.0), 180.0).sum() == pytest.approx(np.pi)
    twice = angular_weights(np.array([0.0, 60.0, 120.0, 180.0]), 180.0)
    assert twice == pytest.approx(np.deg2rad([30, 60, 60, 30]))


def test_an_arc_that_nobody_measured_is_given_to_no_view():
    limited = angular_weights(np.arange(0.0, 120.0, 2.0), 180.0)
    assert limited.max() == pytest.approx(np.deg2rad(2))


def test_the_ramp_takes_the_mean_away_and_keeps_the_unit():
    flat = filter_views(np.ones((1, 400), np.float32), 0.5, "ramlak", 1.0)
    assert abs(flat[0, 200]) < 0.01
    peak = np.zeros((1, 33), np.float32)
    peak[0, 16] = 1
    assert filter_views(peak, 0.5, "ramlak", 1.0)[0, 16] == pytest.approx(0.25 / 0.5, rel=1e-3)


def test_bins_far_finer_than_pixels_are_refused():
    with pytest.raises(LimitError, match="merge bins"):
        filtered_back_projection(np.ones((2, 8)), ScanGeometry(np.array([0.0, 90.0]), 8, 1e-4, (64, 64), 1.0))
