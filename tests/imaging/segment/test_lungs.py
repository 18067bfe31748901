import numpy as np

from isocenter.imaging.segment.lungs import LEFT, RIGHT, find_lungs


def _chest(crude_chest, **options):
    return crude_chest(3, spacing_mm=(3.0, 1.5, 1.5), diameters=(), noise_hu=20.0, **options)


def test_two_lungs_of_an_ellipsoids_volume_are_found(crude_chest):
    chest = _chest(crude_chest)
    lungs = find_lungs(chest.hu, chest.spacing_mm)
    whole_ml = 4 / 3 * np.pi * 0.45 * 190 * 0.66 * 115 * 0.36 * 150 / 1000
    assert abs(lungs.volume_ml(RIGHT) / whole_ml - 1) < 0.08
    assert lungs.volume_ml(LEFT) < lungs.volume_ml(RIGHT)


def test_right_lies_at_low_columns(crude_chest):
    lungs = find_lungs(*_args(_chest(crude_chest)))
    assert np.nonzero(lungs.hull == RIGHT)[2].mean() < np.nonzero(lungs.hull == LEFT)[2].mean()


def test_the_windpipe_is_airway_and_no_lung(crude_chest):
    lungs = find_lungs(*_args(_chest(crude_chest)))
    volume_ml = np.count_nonzero(lungs.airway) * lungs.coarse.voxel_ml
    assert 5 < volume_ml < 30
    assert not (lungs.airway & (lungs.hull > 0)).any()


def test_a_chest_that_fills_the_view_is_read_too(crude_chest):
    assert find_lungs(*_args(_chest(crude_chest, fills_view=True))) is not None


def test_a_solid_block_has_no_lungs():
    hu = np.full((20, 80, 80), -1000.0, np.float32)
    hu[:, 10:70, 10:70] = 40.0
    assert find_lungs(hu, (3.0, 3.0, 3.0)) is None


def test_pure_gas_is_no_lung():
    hu = np.full((30, 80, 80), 40.0, np.float32)
    hu[5:25, 20:60, 20:60] = -1000.0
    assert find_lungs(hu, (3.0, 3.0, 3.0)) is None


def _args(chest):
    return chest.hu, chest.spacing_mm
