"""Axes of a header become a grid whose voxels lie where the header says."""

import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, GeometryError
from isocenter.core.volume import Source
from isocenter.io.lattice import Frames, Lattice, build_image, numbers, sizes_of

AXES = np.array([[0, 2.0, 0], [0, 0, 3.0], [1.0, 0, 0]])


def test_the_fastest_axis_is_the_column_index():
    grid = Lattice((4, 3, 2), AXES, np.array([1.0, 2, 3]), True).grid()
    assert grid.shape == (2, 3, 4)
    for i, j, k in ((0, 0, 0), (3, 2, 1)):
        np.testing.assert_allclose(grid.affine[:3] @ (k, j, i, 1), np.array([1, 2, 3]) + (i, j, k) @ AXES)


def test_a_picture_is_one_slice_along_its_normal():
    grid = Lattice((4, 3), AXES[:2], np.zeros(3), False).grid()
    assert grid.shape == (1, 3, 4)
    np.testing.assert_allclose(grid.affine[:3, 0], [1, 0, 0])
    assert not Lattice((4, 3), None, np.zeros(3), False).grid().spacing_known


def test_parallel_axes_are_refused():
    with pytest.raises(GeometryError):
        Lattice((4, 3, 2), np.ones((3, 3)), np.zeros(3), True).grid()


def test_colours_and_frames_are_told_by_their_axes():
    lattice = Lattice((4, 3, 2), AXES, np.zeros(3), True)
    frames = Frames("time", np.arange(5.0))
    rng = np.random.default_rng(0)
    gray, colour = np.zeros((2, 3, 4), np.uint8), rng.integers(0, 9, (2, 3, 4, 3), dtype=np.uint8)
    assert build_image(gray, lattice, source=Source()).unit == "a.u."
    assert build_image(colour, lattice, source=Source()).unit == "sRGB"
    assert build_image(np.stack([gray] * 3, -1), lattice, source=Source()).array.shape == (2, 3, 4)
    narrow = Lattice((3, 4, 2), AXES, np.zeros(3), True)
    assert build_image(np.zeros((2, 4, 3), np.uint8), narrow, source=Source()).array.shape == (2, 4, 3)
    moving = build_image(np.zeros((5, 2, 4, 3), np.uint8), narrow, source=Source(), frames=frames)
    assert moving.array.shape == (5, 2, 4, 3) and moving.unit == "a.u."
    cine = build_image(np.stack([colour] * 5), lattice, source=Source(), frames=frames)
    assert isinstance(cine, Cine) and cine.array.shape == (5, 2, 3, 4, 3)


def test_header_numbers_are_finite_and_as_many_as_asked():
    assert numbers("1 2.5", 2) == (1, 2.5) and sizes_of("3 4", 2) == (3, 4)
    for text in ("1", "1 2 3", "1 nan", "1 inf", "1 x"):
        with pytest.raises(FormatError):
            numbers(text, 2)
    for text in ("1 0", "1 2.5", "1 -2"):
        with pytest.raises(FormatError):
            sizes_of(text, 2)
