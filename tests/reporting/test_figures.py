import io

import numpy as np
import pytest
from PIL import Image

from isocenter.core.errors import InputError
from isocenter.core.reading import Figure
from isocenter.reporting.figures import MAX_SIDE, encode_png


def _pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
def test_a_figure_comes_back_pixel_for_pixel(shape):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    png = encode_png(Figure("a", image, "input"))
    assert np.array_equal(_pixels(png), image)
    assert png == encode_png(Figure("a", image, "input"))


def test_a_large_figure_keeps_its_shape_and_mean_but_not_its_size():
    image = np.zeros((500, 4 * MAX_SIDE), np.uint8)
    image[:, ::2] = 200
    small = _pixels(encode_png(Figure("a", image, "input")))
    assert small.shape == (125, MAX_SIDE)
    assert abs(float(small.mean()) - 100) < 1


def test_what_is_no_picture_is_refused():
    with pytest.raises(InputError, match="float64"):
        encode_png(Figure("a", np.zeros((4, 4)), "input"))
    with pytest.raises(InputError, match="uint8"):
        encode_png(Figure("a", np.zeros((4, 4, 4), np.uint8), "input"))
