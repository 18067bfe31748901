"""MetaImage: what ITK writes lies where ITK says; the round trip with it is in test_nrrd.py."""

import zlib

import numpy as np
import pytest

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, InputError, LimitError
from isocenter.io.nrrd import read_nrrd


def mha(payload: bytes = bytes(range(24)), **changed: str) -> bytes:
    keys = {"ObjectType": "Image", "NDims": "3", "BinaryData": "True", "DimSize": "4 3 2", "ElementType": "MET_UCHAR"}
    keys |= {key: value for key, value in changed.items() if key != "ElementDataFile"}
    lines = [f"{key} = {value}" for key, value in keys.items() if value]
    return (
        "\n".join([*lines, f"ElementDataFile = {changed.get('ElementDataFile', 'LOCAL')}"]).encode() + b"\n" + payload
    )


def read(tmp_path, data: bytes):
    (tmp_path / "a.mha").write_bytes(data)
    return read_nrrd(tmp_path / "a.mha")


def test_what_is_not_stated_is_unknown(tmp_path):
    volume = read(tmp_path, mha())
    assert volume.array.ravel().tolist() == list(range(24))
    assert not volume.grid.spacing_known and not volume.grid.position_known
    volume = read(tmp_path, mha(ElementSpacing="0.5 2 3"))
    assert volume.grid.spacing_mm.tolist() == [3, 2, 0.5] and not volume.grid.position_known
    volume = read(tmp_path, mha(ElementSpacing="0.5 2 3", TransformMatrix="0 1 0 0 0 1 1 0 0", Offset="1 2 3"))
    assert volume.grid.position_known
    np.testing.assert_allclose(volume.grid.affine, [[3, 0, 0, 1], [0, 0, 0.5, 2], [0, 2, 0, 3], [0, 0, 0, 1]])


def test_a_fourth_axis_is_time(tmp_path):
    cine = read(tmp_path, mha(NDims="4", DimSize="3 2 2 2", ElementSpacing="1 1 1 0.5"))
    assert isinstance(cine, Cine) and cine.array.shape == (2, 2, 2, 3) and cine.times_s.tolist() == [0, 0.5]


def test_simpleitk_agrees_on_colour_and_time(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 255, (2, 3, 4, 3), dtype=np.uint8)
    for name in ("a.mha", "a.nrrd"):
        sitk.WriteImage(sitk.GetImageFromArray(colour, isVector=True), str(tmp_path / name), True)
        assert np.array_equal(read_nrrd(tmp_path / name).array, colour)
    moving = rng.integers(-9, 9, (5, 2, 3, 4)).astype(np.int16)
    for name in ("a.mha", "a.nrrd"):
        sitk.WriteImage(sitk.GetImageFromArray(moving, isVector=False), str(tmp_path / name), True)
        assert np.array_equal(read_nrrd(tmp_path / name).array, moving), name


def test_a_field_of_vectors_is_no_image(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    field = sitk.GetImageFromArray(np.zeros((2, 3, 4, 3), np.float32), isVector=True)
    for name in ("a.mha", "a.nrrd"):
        sitk.WriteImage(field, str(tmp_path / name))
        with pytest.raises(FormatError, match="scalar"):
            read_nrrd(tmp_path / name)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (mha(bytes(23)), "cut short"),
        (mha(zlib.compress(bytes(23)), CompressedData="True"), "cut short"),
        (mha(b"garbage", CompressedData="True"), "damaged"),
        (mha(NDims="5", DimSize="1 1 1 1 1"), "axes"),
        (mha(NDims=""), "NDims"),
        (mha(DimSize="4 3"), "numbers"),
        (mha(DimSize="4 3 x"), "numbers"),
        (mha(DimSize="4 3 nan"), "numbers"),
        (mha(ElementType="MET_STRING"), "type"),
        (mha(BinaryData="False"), "binary"),
        (mha(ElementDataFile="../secret.raw"), "beside"),
        (mha(ElementDataFile="LIST"), "missing"),
        (mha(ElementSpacing="0 0 0"), "degenerate"),
        (mha(ElementNumberOfChannels="2"), "colours"),
        (b"NDims = 3\nDimSize = 1 2 3\nwithout sense\n", "Key = value"),
        (b"NDims = 3\nDimSize = 1 2 3\n", "ElementType"),
        (b"NDims = 3\nDimSize = 1 2 3\n" + b"A = b\n" * 20_000, "64 KiB"),
    ],
)
def test_what_is_no_image_is_refused_with_one_line(tmp_path, data, says):
    with pytest.raises(InputError, match=says):
        read(tmp_path, data)


def test_a_header_that_promises_too_much_allocates_nothing(tmp_path):
    with pytest.raises(LimitError, match="30000"):
        read(tmp_path, mha(DimSize="30000 30000 100", CompressedData="True", ElementType="MET_DOUBLE"))


def test_pixels_behind_a_foreign_header_are_found(tmp_path):
    (tmp_path / "a.raw").write_bytes(b"x" * 7 + bytes(range(24)))
    for size in ("7", "-1"):
        volume = read(tmp_path, mha(b"", HeaderSize=size, ElementDataFile="a.raw"))
        assert volume.array.ravel().tolist() == list(range(24)) and len(volume.source.digests) == 2
