"""Slices that were damaged on purpose are found and named; a healthy series stays as it is."""

import numpy as np
import pytest
from scipy import ndimage

from isocenter.core.errors import InputError
from isocenter.imaging.damage import find_damaged_slices, interpolate_slices
from isocenter.imaging.phantoms import chest_phantom


def body(n_slices: int = 24, size: int = 64) -> np.ndarray:
    """An ellipsoid with a vessel that wanders, in HU with noise, (slices, rows, columns)."""
    k, j, i = np.mgrid[:n_slices, :size, :size].astype(float)
    k, j, i = k / n_slices - 0.5, j / size - 0.5, i / size - 0.5
    inside = (k / 0.7) ** 2 + (j / 0.4) ** 2 + (i / 0.45) ** 2 < 1
    vessel = np.hypot(j - 0.3 * k, i + 0.15 * np.sin(4 * k)) < 0.06
    clean = np.where(vessel & inside, 200, np.where(inside, 40, -1000)).astype(np.float32)
    return clean + np.random.default_rng(0).normal(0, 15, clean.shape).astype(np.float32)


def damage(kind: str, array: np.ndarray, k: int) -> None:
    rng = np.random.default_rng(1)
    if kind == "blank":
        array[k] = 0
    elif kind == "duplicate":
        array[k] = array[k - 1]
    elif kind == "noisy":
        array[k] += rng.normal(0, 120, array[k].shape)
    elif kind == "striped":
        array[k, ::3] += 150
    elif kind == "shifted brightness":
        array[k] += 120
    else:
        array[k] = np.roll(array[k], 15, axis=1)


KINDS = ["blank", "duplicate", "noisy", "striped", "shifted brightness", "unlike its neighbours"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("k", [4, 11, 19])
def test_each_kind_of_damage_is_found_and_named(kind: str, k: int):
    array = body()
    damage(kind, array, k)
    assert [(each.index, each.kind) for each in find_damaged_slices(array)] == [(k, kind)]


def test_several_damaged_slices_are_all_found():
    array = body(30)
    for k, kind in ((5, "noisy"), (6, "blank"), (14, "striped"), (22, "shifted brightness")):
        damage(kind, array, k)
    assert [each.index for each in find_damaged_slices(array)] == [5, 6, 14, 22]


@pytest.mark.parametrize("seed", range(2))
def test_a_healthy_series_is_left_alone(seed: int):
    assert find_damaged_slices(body()) == ()
    chest = chest_phantom(np.random.default_rng(seed), shape=(30, 72, 72), spacing_mm=(8.0, 4.5, 4.5))
    assert find_damaged_slices(chest.volume.array) == ()


def test_empty_slices_at_the_ends_and_short_stacks_are_no_damage():
    array = body()
    array[:3], array[-2:] = -1000, -1000
    assert find_damaged_slices(array) == ()
    assert find_damaged_slices(body()[:4]) == ()
    assert find_damaged_slices(np.zeros((9, 8, 8))) == ()


def test_a_drawing_that_goes_on_from_slice_to_slice_is_not_doubled():
    rod = np.zeros((9, 32, 32))
    rod[:, 8:20, 10:25] = 100.0
    assert find_damaged_slices(rod) == ()
    noisy = rod + np.random.default_rng(0).normal(0, 5, rod.shape)
    noisy[5] = noisy[4]
    assert [(each.index, each.kind) for each in find_damaged_slices(noisy)] == [(5, "duplicate")]


def thick_head(n_slices: int = 20, size: int = 72) -> np.ndarray:
    """A head in slices so thick that its parts jump from one to the next, in air that is exactly 0."""
    rng = np.random.default_rng(2)
    j, i = np.mgrid[:size, :size] / size - 0.5
    array = np.zeros((n_slices, size, size), dtype=np.float32)
    for k in range(n_slices):
        wide = 0.25 + 0.17 * np.sin(np.pi * (k + 1) / (n_slices + 1))
        inside = np.hypot(j, 1.1 * i) < wide
        spots = ndimage.gaussian_filter(rng.normal(0, 1, (size, size)), 3)
        array[k] = inside * (400 + 60 * spots / spots.std()) + inside * rng.normal(0, 8, (size, size))
    return np.maximum(array, 0)


@pytest.mark.parametrize("gain", [0.7, 1.35])
def test_another_brightness_is_found_where_slices_are_thick_and_air_is_nought(gain: float):
    array = thick_head()
    assert find_damaged_slices(array) == ()
    array[9] *= gain
    assert [(each.index, each.kind) for each in find_damaged_slices(array)] == [(9, "shifted brightness")]


def test_a_slice_beside_its_place_is_found_where_most_pixels_are_air():
    array = thick_head()
    array[9] = np.roll(array[9], 6, axis=1)
    assert [each.index for each in find_damaged_slices(array)] == [9]


def test_the_last_pixels_of_the_body_are_no_noise():
    array = thick_head()
    array[17:] = 0
    array[17, 36:38, 36] = 90, 700
    assert find_damaged_slices(array) == ()


def test_masks_and_labels_are_not_judged():
    rng = np.random.default_rng(0)
    labels = (rng.random((12, 40, 40)) > 0.9) * rng.integers(1, 20, (12, 1, 1))
    labels[5] = labels[7] = 0
    assert find_damaged_slices(labels) == ()


def test_looking_changes_nothing():
    array = body().astype(np.float32)
    before = array.copy()
    find_damaged_slices(array)
    assert np.array_equal(array, before)


def test_a_missing_slice_comes_back():
    clean = ndimage.gaussian_filter(body(), (0, 1, 1))
    spoiled = clean.copy()
    spoiled[[7, 15, 16]] = 0
    repaired = interpolate_slices(spoiled, [7, 15, 16])
    inside = clean[7] > -500
    assert np.abs(repaired[7] - clean[7])[inside].mean() < 25
    assert np.array_equal(np.delete(repaired, [7, 15, 16], 0), np.delete(spoiled, [7, 15, 16], 0))


def test_what_moves_from_slice_to_slice_is_put_half_way():
    j, i = np.mgrid[:96, :96]

    def disc(x: float) -> np.ndarray:
        return ndimage.gaussian_filter(np.where(np.hypot(j - 48, i - x) < 16, 500.0, 0.0), 2)

    stack = np.stack([disc(38), disc(44), disc(50)])
    straight = (stack[0] + stack[2]) / 2
    found = interpolate_slices(stack, [1])[1]
    assert np.square(found - stack[1]).mean() < 0.3 * np.square(straight - stack[1]).mean()


def test_the_ends_repeat_what_is_next():
    array = body(8)
    repaired = interpolate_slices(array, [0, 7])
    assert np.array_equal(repaired[0], array[1])
    assert np.array_equal(repaired[7], array[6])


def test_what_makes_no_sense_is_refused():
    with pytest.raises(InputError, match="0 to 7"):
        interpolate_slices(body(8), [8])
    with pytest.raises(InputError, match="at least one sound"):
        interpolate_slices(body(8), range(8))
    with pytest.raises(InputError, match="slices"):
        find_damaged_slices(np.zeros((5, 5)))
