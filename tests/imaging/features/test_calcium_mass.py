import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.imaging.features.calcium_mass import calcium_mass_mg


def test_a_calibration_insert_has_the_mass_that_its_maker_states():
    hu = np.zeros((2, 10, 10))
    hu[:, 2:7, 2:7] = 267.0  # 200 mg/ml that measure 267 HU give the factor
    mask = Mask(hu > 130, Grid.of_spacing(hu.shape, (3.0, 1.0, 1.0)))
    assert calcium_mass_mg(hu, mask, factor_mg_ml_hu=200 / 267) == pytest.approx(200 * 2 * 25 * 3 / 1000)


def test_no_voxels_weigh_nothing_and_the_factor_must_be_positive():
    mask = Mask(np.zeros((1, 2, 2), bool), Grid.of_spacing((1, 2, 2), (1.0, 1.0, 1.0)))
    assert calcium_mass_mg(np.ones((1, 2, 2)), mask, factor_mg_ml_hu=0.8) == 0
    with pytest.raises(InputError, match="positive"):
        calcium_mass_mg(np.ones((1, 2, 2)), mask, factor_mg_ml_hu=0)
