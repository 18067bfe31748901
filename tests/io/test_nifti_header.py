"""NIfTI headers: what is packed comes back, what is damaged is refused."""

import itertools
import struct

import numpy as np
import pytest

from isocenter.core.errors import FormatError
from isocenter.core.grid import Grid
from isocenter.io.nifti_header import pack_nifti, parse_nifti, to_nifti


def signed_permutations():
    """All 48 matrices that flip and permute three axes."""
    for order in itertools.permutations(range(3)):
        for signs in itertools.product((1, -1), repeat=3):
            yield np.eye(3)[list(order)] * np.array(signs)[:, None]


def test_to_nifti_is_its_own_inverse():
    affine = np.random.default_rng(0).normal(size=(4, 4))
    assert np.allclose(to_nifti(to_nifti(affine)), affine)


@pytest.mark.parametrize("turn", list(signed_permutations()))
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_every_flip_and_permutation_survives_in_both_forms(turn, form):
    affine = np.eye(4)
    affine[:3, :3] = turn * (2.5, 0.7, 0.8)
    affine[:3, 3] = (-120.5, 33.25, 900.125)
    header = bytearray(pack_nifti((4, 3, 2), 4, Grid((2, 3, 4), affine)))
    if form == "qform":
        struct.pack_into("<h", header, 254, 0)
    found = parse_nifti(header)
    assert found.placed and np.abs(found.affine - affine).max() < 1e-3
    assert found.sizes == (4, 3, 2, 1)


def test_an_oblique_rotation_survives_as_quaternion():
    angle = np.radians(33)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn * (3, 1, 1)
    header = bytearray(pack_nifti((4, 3, 2), 4, Grid((2, 3, 4), affine)))
    struct.pack_into("<h", header, 254, 0)
    assert np.abs(parse_nifti(header).affine - affine).max() < 1e-5


def test_a_sheared_grid_has_an_sform_only():
    affine = Grid.of_spacing((2, 3, 4), (4.8, 1, 1)).affine.copy()
    affine[1, 0] = -1.2
    header = pack_nifti((4, 3, 2), 4, Grid((2, 3, 4), affine))
    assert struct.unpack_from("<2h", header, 252) == (0, 1)
    assert np.abs(parse_nifti(header).affine - affine).max() < 1e-5


def test_a_grid_without_place_or_size_says_so():
    found = parse_nifti(pack_nifti((4, 3, 1), 2, Grid.of_pixels((1, 3, 4))))
    assert not found.placed and not found.sized
    assert np.array_equal(found.affine, Grid.of_pixels((1, 3, 4)).affine)


def test_the_other_byte_order_is_read():
    header = bytearray(pack_nifti((4, 3, 2), 4, Grid.of_spacing((2, 3, 4), (2, 1, 1))))
    for start, count, size in ((0, 1, 4), (40, 8, 2), (70, 2, 2), (76, 8, 4), (108, 3, 4), (252, 2, 2), (256, 18, 4)):
        for index in range(count):
            at = start + index * size
            header[at : at + size] = header[at : at + size][::-1]
    found = parse_nifti(header)
    assert found.order == ">" and found.sizes == (4, 3, 2, 1)
    assert np.allclose(found.affine, Grid.of_spacing((2, 3, 4), (2, 1, 1)).affine)


@pytest.mark.parametrize(("at", "form", "value"), [(40, "<h", 0), (40, "<h", 9), (42, "<h", -5), (70, "<h", 32)])
def test_damaged_fields_are_refused(at, form, value):
    header = bytearray(pack_nifti((4, 3, 2), 4, Grid.of_spacing((2, 3, 4), (1, 1, 1))))
    struct.pack_into(form, header, at, value)
    with pytest.raises(FormatError):
        parse_nifti(header)


def test_a_singular_affine_is_refused_unless_the_other_form_helps():
    header = bytearray(pack_nifti((4, 3, 2), 4, Grid.of_spacing((2, 3, 4), (3, 2, 1))))
    struct.pack_into("<12f", header, 280, *(1, 1, 1, 0) * 3)
    assert np.allclose(np.linalg.norm(parse_nifti(header).affine[:3, :3], axis=0), (3, 2, 1))
    struct.pack_into("<h", header, 252, 0)
    with pytest.raises(FormatError, match="singular"):
        parse_nifti(header)
    struct.pack_into("<h", header, 254, 0)
    assert parse_nifti(header).sized and not parse_nifti(header).placed


@pytest.mark.parametrize("form", [0, 1])
def test_no_millimetre_is_made_up_for_a_pixel_of_size_zero(form):
    header = bytearray(pack_nifti((4, 3, 2), 4, Grid.of_spacing((2, 3, 4), (3, 2, 1))))
    struct.pack_into("<2h", header, 252, form, 0)
    struct.pack_into("<3f", header, 80, 0, 0, 0)
    assert not parse_nifti(header).sized
