"""A known field is divided out: the variation inside each tissue goes, whatever the unit."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.bias import correct_bias


def head(size: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Tissue labels 1 and 2 in a ball, and a field that falls from 1.6 to 0.6 across it."""
    k, j, i = (axis / size - 0.5 for axis in np.mgrid[:size, :size, :size])
    radius = np.sqrt(k**2 + j**2 + i**2)
    labels = np.where(radius < 0.3, 2, np.where(radius < 0.42, 1, 0))
    return labels, 1.1 + 0.9 * j - 0.5 * i + 0.6 * k * j


def volume_of(array: np.ndarray) -> Volume:
    return Volume(array, Grid.of_spacing(array.shape, (1.5, 1.5, 1.5)), "a.u.", "MR")


def variation(values: np.ndarray) -> float:
    return float(values.std() / values.mean())


@pytest.mark.slow
def test_the_variation_inside_each_tissue_falls_to_a_third():
    labels, field = head()
    noise = np.random.default_rng(0).normal(0, 5, labels.shape)
    seen = np.choose(labels, (0, 300, 500)) * field + noise
    corrected, found = correct_bias(volume_of(seen))
    for tissue in (1, 2):
        assert variation(corrected.array[labels == tissue]) < variation(seen[labels == tissue]) / 3
    inside = labels > 0
    assert np.corrcoef(found[inside], field[inside])[0, 1] > 0.97
    assert corrected.array[inside].mean() == pytest.approx(seen[inside].mean(), rel=0.1)


def test_a_picture_is_corrected_too_and_small_numbers_as_well():
    labels, field = head(64)
    seen = (np.choose(labels, (0, 300, 500)) * field)[32:33] * 1e-3
    corrected, _ = correct_bias(volume_of(seen))
    tissue = labels[32:33] == 2
    assert variation(corrected.array[tissue]) < variation(seen[tissue]) / 2


def test_what_cannot_be_corrected_is_refused():
    flat = volume_of(np.full((8, 8, 8), 3.0))
    with pytest.raises(InputError, match="contrast"):
        correct_bias(flat)
    noise = volume_of(np.random.default_rng(1).uniform(size=(8, 8, 8)))
    with pytest.raises(InputError, match="mask"):
        correct_bias(noise, mask=np.zeros((8, 8, 8), bool))
    with pytest.raises(InputError, match="control points"):
        correct_bias(noise, control_points=2)
    with pytest.raises(InputError, match="4 voxels"):
        correct_bias(volume_of(np.random.default_rng(1).uniform(size=(1, 2, 9))))
    with pytest.raises(InputError, match="colour"):
        correct_bias(Volume(np.ones((1, 8, 8, 3)), Grid.of_pixels((1, 8, 8))))
