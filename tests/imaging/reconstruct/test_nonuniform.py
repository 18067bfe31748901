import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.reconstruct.nonuniform import NonCartesianFourier


@pytest.mark.parametrize("size", [(16, 20), (15, 21)])
def test_samples_are_the_sums_of_the_definition(size):
    rng = np.random.default_rng(0)
    frequencies, image = rng.uniform(-0.5, 0.5, (40, 2)), rng.standard_normal(size) + 0j
    row, column = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in size), indexing="ij")
    exact = [(image * np.exp(-2j * np.pi * (f * row + g * column))).sum() for f, g in frequencies]
    samples = NonCartesianFourier(frequencies, size).forward(image)
    assert np.abs(samples - exact).max() < 1e-4 * np.abs(exact).max()


def test_frequencies_beyond_half_a_cycle_are_refused():
    with pytest.raises(InputError, match="half a cycle"):
        NonCartesianFourier(np.array([[0.6, 0.0]]), (8, 8))
