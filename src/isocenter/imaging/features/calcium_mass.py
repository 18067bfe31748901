"""The mass of calcium in what a calcium score counted."""

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.mask import Mask


def calcium_mass_mg(hu: np.ndarray, counted: Mask, *, factor_mg_ml_hu: float) -> float:
    """Mass of calcium hydroxyapatite in milligrams: calibration factor times mean HU times volume; 0 for no voxels.

    counted           the voxels that the score counts
    factor_mg_ml_hu   mg per ml and HU, from a scan of the scanner's calibration insert (density over mean HU)

    >>> from isocenter.core.grid import Grid
    >>> mask = Mask(np.ones((1, 10, 10), bool), Grid.of_spacing((1, 10, 10), (3.0, 1.0, 1.0)))
    >>> round(calcium_mass_mg(np.full((1, 10, 10), 250.0), mask, factor_mg_ml_hu=0.8), 6)
    60.0

    Raises InputError for a factor that is not positive.
    Source: Hong C et al. Radiology 2002;223:474-480.
    """
    if not factor_mg_ml_hu > 0:
        raise InputError(f"calcium mass: expected a positive calibration factor, got {factor_mg_ml_hu}")
    return factor_mg_ml_hu * float(hu[counted.array].astype(np.float64).sum()) * counted.grid.voxel_volume_ml
