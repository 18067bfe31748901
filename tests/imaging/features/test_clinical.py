import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.imaging.features.clinical import (
    cardiothoracic_ratio,
    cobb_angle_deg,
    evans_index,
    halved_product,
    midline_shift_mm,
)


def film(array: np.ndarray, pixel_mm: float = 0.5) -> Mask:
    return Mask(array[None], Grid.of_spacing((1, *array.shape), (1.0, pixel_mm, pixel_mm)))


def empty_like(mask: Mask) -> Mask:
    return Mask(np.zeros_like(mask.array), mask.grid)


def test_the_published_widths_give_the_published_cardiothoracic_ratio():
    heart, lungs = np.zeros((2, 300, 320), bool)
    heart[100:200, 110:200] = True
    heart[180:220, 150:250] = True  # borders at different heights: 110 … 249
    lungs[50:250, 20:100] = True
    lungs[50:240, 220:300] = True
    found = cardiothoracic_ratio(film(heart), film(lungs))
    assert found.widths == (140, 280)
    assert found.ratio == 0.5
    assert 0 < found.uncertainty < 0.006


def test_the_published_widths_give_the_published_evans_index():
    horns, skull = np.zeros((2, 3, 200, 160), bool)
    horns[1, 60:80, 50:65] = horns[1, 60:80, 79:94] = True
    horns[2, 60:80, 60:90] = True
    skull[0, 10:190, 2:158] = skull[1, 10:190, 16:144] = skull[2, 10:190, 30:130] = True
    grid = Grid.of_spacing(horns.shape, (5.0, 0.5, 0.5))
    found = evans_index(Mask(horns, grid), Mask(skull, grid))
    assert (found.slice_index, found.widths) == (1, (44, 128))
    assert found.ratio == pytest.approx(0.344, abs=5e-4)
    skull[1] = False
    with pytest.raises(InputError, match="found none"):
        evans_index(Mask(horns, grid), Mask(skull, grid))


@pytest.mark.parametrize("turn_deg", [0, 17])
def test_a_septum_seven_millimetres_aside_is_shifted_by_seven(turn_deg):
    turn = np.radians(turn_deg)
    rows, columns = np.indices((240, 240)) * 0.9 - 107.0
    along = rows * np.cos(turn) + columns * np.sin(turn)
    across = columns * np.cos(turn) - rows * np.sin(turn)
    skull = (along / 90) ** 2 + (across / 70) ** 2 <= 1
    septum = (np.abs(along + 10) < 15) & (np.abs(across - 7) < 1.5)
    grid = Grid.of_spacing((1, 240, 240), (5.0, 0.9, 0.9))
    shift_mm, index, spread_mm = midline_shift_mm(Mask(septum[None], grid), Mask(skull[None], grid))
    assert index == 0
    assert shift_mm == pytest.approx(7, abs=0.3)
    assert 0.3 < spread_mm < 1.0


def test_the_published_slices_give_the_published_halved_product():
    array = np.zeros((8, 140, 120), bool)
    rows, columns = np.indices((140, 120)) * 0.5
    whole = ((rows - 35) / 25) ** 2 + ((columns - 30) / 20) ** 2 <= 1
    near = ((rows - 35) / 22.5) ** 2 + ((columns - 30) / 18) ** 2 <= 1  # 81 % of the area
    half = ((rows - 35) / 17.5) ** 2 + ((columns - 30) / 14) ** 2 <= 1
    tiny = ((rows - 35) / 10) ** 2 + ((columns - 30) / 8) ** 2 <= 1
    for k, picture in enumerate((half, near, whole, whole, half, tiny), 1):
        array[k] = picture
    found = halved_product(Mask(array, Grid.of_spacing(array.shape, (5.0, 0.5, 0.5))))
    assert (found.a_mm, found.b_mm, found.c_mm) == (pytest.approx(50, abs=0.6), pytest.approx(40, abs=0.6), 20)
    assert found.volume_ml == pytest.approx(20.0, abs=0.5)
    assert found.uncertainty_ml > 1


def vertebra(centre: tuple[float, float], tilt_deg: float, shape: tuple[int, int] = (400, 300)) -> np.ndarray:
    turn = np.radians(tilt_deg)
    rows, columns = np.indices(shape)
    y, x = rows - centre[0], columns - centre[1]
    across = x * np.cos(turn) + y * np.sin(turn)
    down = y * np.cos(turn) - x * np.sin(turn)
    return (np.abs(across) < 40) & (np.abs(down) < 25)


@pytest.mark.parametrize(("upper_deg", "lower_deg"), [(0, 0), (12, -15), (-20, 25), (5, 17), (30, -12)])
def test_the_cobb_angle_is_that_between_the_drawn_endplates(upper_deg, lower_deg):
    upper = film(vertebra((90.3, 150.7), upper_deg))
    lower = film(vertebra((300.1, 160.2), lower_deg))
    angle, spread = cobb_angle_deg(upper, lower)
    assert angle == pytest.approx(abs(upper_deg - lower_deg), abs=min(spread, 0.6))
    assert 0.5 < spread < 3


def test_empty_masks_are_refused():
    mask = film(np.ones((30, 30), bool))
    for function in (cardiothoracic_ratio, evans_index, midline_shift_mm, cobb_angle_deg):
        with pytest.raises(InputError, match="empty"):
            function(mask, empty_like(mask))
    with pytest.raises(InputError, match="empty"):
        halved_product(empty_like(mask))
    speck = np.zeros((30, 30), bool)
    speck[4, 4] = True
    with pytest.raises(InputError, match="too narrow"):
        cobb_angle_deg(film(speck), mask)
