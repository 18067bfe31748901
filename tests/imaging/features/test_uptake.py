import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.imaging.features.uptake import (
    ball_weights,
    find_peak,
    metabolic_mask,
    metabolic_volume_ml,
    total_glycolysis_g,
)

RADIUS_MM = (750 / np.pi) ** (1 / 3)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.27, 4.6875, 4.6875), (5.0, 2.0, 2.0), (20.0, 1.0, 1.0)])
def test_the_ball_holds_one_millilitre_on_any_grid(spacing):
    weights = ball_weights(spacing, RADIUS_MM)
    assert all(size % 2 for size in weights.shape)
    assert weights.sum() * np.prod(spacing) == pytest.approx(1000, rel=0.01)


def test_the_peak_of_a_linear_field_is_its_value_at_the_last_centre_whose_ball_fits():
    k, j, i = np.indices((20, 20, 40))
    mask = Mask((i > 10) & (i < 25) & (k == 10) & (j == 10), Grid.of_spacing(k.shape, (2.0, 2.0, 2.0)))
    assert find_peak(i.astype(np.float32), mask).value == pytest.approx(24, abs=1e-6)


def test_the_peak_of_a_small_hot_ball_is_its_share_of_the_millilitre():
    axis = (np.arange(61) - 30) * 0.5
    radius_sq = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    hot = radius_sq <= 4.0**2
    peak = find_peak(hot * 10.0, Mask(hot, Grid.of_spacing(hot.shape, (0.5, 0.5, 0.5))))
    assert np.abs(np.subtract(peak.place, 30)).max() <= 4
    assert peak.value == pytest.approx(10 * hot.sum() / 8 / 1000, rel=0.002)


def test_the_spread_covers_what_centres_a_voxel_apart_miss():
    rng = np.random.default_rng(6)
    grid = Grid.of_spacing((15, 17, 17), (3.3, 4.0, 4.0))
    fine = (np.indices((61, 61, 61)) - 30) * 0.4
    ball = (fine**2).sum(axis=0) <= RADIUS_MM**2
    # The mean of a Gaussian spot of 7 mm over a ball around its middle.
    truth = np.exp(-(fine[:, ball] ** 2).sum(axis=0) / (2 * 7**2)).mean()
    hits = []
    for _ in range(40):
        centre = (np.array(grid.shape) - 1) / 2 + rng.uniform(-0.5, 0.5, 3)
        places = (np.indices(grid.shape) - centre[:, None, None, None]) * np.reshape(grid.spacing_mm, (3, 1, 1, 1))
        spot = np.exp(-(places**2).sum(axis=0) / (2 * 7**2))
        peak = find_peak(spot, Mask(spot > 0.4, grid))
        hits.append(abs(peak.value - truth) <= peak.spread)
    assert np.mean(hits) >= 0.95


def test_beyond_the_image_nothing_counts():
    array = np.full((3, 3, 3), 7.0)
    corner = np.zeros(array.shape, bool)
    corner[0, 0, 0] = True
    assert find_peak(array, Mask(corner, Grid.of_spacing(array.shape, (4.0, 4.0, 4.0)))).value == pytest.approx(7.0)


def test_metabolic_volume_and_glycolysis_follow_from_the_voxels():
    array = np.zeros((4, 5, 5))
    array[1, 1:4, 1:4] = 4.0
    array[1, 2, 2] = 10.0
    array[2, 2, 2] = 5.0
    mask = Mask(array > 0, Grid.of_spacing(array.shape, (10.0, 10.0, 10.0)))
    assert metabolic_volume_ml(array, mask) == pytest.approx(2.0)
    assert metabolic_volume_ml(array, mask, share_of_max=0.4) == pytest.approx(10.0)
    assert total_glycolysis_g(array, mask) == pytest.approx(4.0 * 8 + 10 + 5)
    assert metabolic_mask(array, mask).n_voxels == 2


def test_empty_masks_and_shares_beyond_one_are_refused():
    mask = Mask(np.zeros((2, 2, 2), bool), Grid.of_spacing((2, 2, 2), (1.0, 1.0, 1.0)))
    for function in (find_peak, metabolic_mask):
        with pytest.raises(InputError, match="empty"):
            function(np.ones((2, 2, 2)), mask)
    full = Mask(np.ones((2, 2, 2), bool), mask.grid)
    with pytest.raises(InputError, match="share"):
        metabolic_volume_ml(np.ones((2, 2, 2)), full, share_of_max=41)
    assert total_glycolysis_g(np.ones((2, 2, 2)), mask) == 0
