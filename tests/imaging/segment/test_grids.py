import numpy as np

from isocenter.imaging.segment.grids import CoarseMap, pool_mean, smooth_volume


def test_pooling_keeps_the_mean():
    values = np.random.default_rng(0).normal(0, 1, (6, 20, 24)).astype(np.float32)
    coarse = CoarseMap.for_grid(values.shape, (1.0, 1.0, 1.0), 2.0)
    assert coarse.shape == (3, 10, 12)
    assert abs(pool_mean(values, coarse).mean() - values.mean()) < 1e-6


def test_places_go_to_the_coarse_grid_and_back():
    coarse = CoarseMap.for_grid((90, 301, 257), (0.7, 0.6, 0.6), 2.0)
    index = np.array([10.0, 33.0, 200.0])
    assert np.allclose(coarse.to_fine(coarse.to_coarse(index)), index)


def test_lifting_a_block_gives_the_block_of_fine_voxels():
    coarse = CoarseMap.for_grid((8, 8, 8), (1.0, 1.0, 1.0), 2.0)
    mask = np.zeros(coarse.shape, bool)
    mask[1:3, 1:3, 1:3] = True
    lifted = coarse.lift(mask, (slice(0, 8), slice(0, 8), slice(0, 8)))
    assert lifted[3:5, 3:5, 3:5].all()
    assert not lifted[0].any()


def test_coarser_directions_are_left_alone():
    assert CoarseMap.for_grid((10, 100, 100), (5.0, 0.5, 0.5), 2.0).shape == (10, 25, 25)


def test_smoothing_spreads_a_point_as_a_gaussian():
    values = np.zeros((15, 15, 15), np.float32)
    values[7, 7, 7] = 1.0
    smooth = smooth_volume(values, (1.5, 1.5, 1.5))
    assert abs(smooth.sum() - 1) < 1e-4
    assert abs(smooth[7, 7, 9] / smooth[7, 7, 7] - np.exp(-0.5 * (2 / 1.5) ** 2)) < 1e-3
