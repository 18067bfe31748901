import numpy as np
import pytest

from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.hounsfield import looks_like_hounsfield


def body(air: float, tissue: float) -> Volume:
    array = np.full((16, 32, 32), air, np.float32)
    array[:, 8:24, 8:24] = tissue
    return Volume(array, Grid.of_spacing((16, 32, 32), (2, 1, 1)))


def test_air_and_tissue_peaks_are_a_ct():
    assert looks_like_hounsfield(body(-1000, 40))


@pytest.mark.parametrize(
    ("air", "tissue"), [(0, 900), (24, 1064), (0, 255), (-1, 1)], ids=["mr", "stored", "8-bit", "z"]
)
def test_other_scales_are_not(air, tissue):
    assert not looks_like_hounsfield(body(air, tissue))


def test_one_picture_is_never_called_a_ct():
    assert not looks_like_hounsfield(Volume(body(-1000, 40).array[:1], Grid.of_pixels((1, 32, 32))))
