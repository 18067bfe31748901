"""Arrays come in with their numbers; objects never do."""

import io
import pickle

import numpy as np
import pytest

from isocenter.core.errors import FormatError, LimitError
from isocenter.io.npy import read_npy


def read(tmp_path, array: np.ndarray | bytes, **options):
    path = tmp_path / "a.npy"
    if isinstance(array, bytes):
        path.write_bytes(array)
    else:
        np.save(path, array, **options)
    return read_npy(path)


@pytest.mark.parametrize("dtype", ["u1", "i1", "<i2", ">i2", "<u2", "<i4", "<f4", ">f4", "<f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_are_kept(tmp_path, dtype, order):
    array = np.asarray(np.arange(24).reshape(2, 3, 4), dtype=dtype, order=order)
    volume = read(tmp_path, array)
    assert np.array_equal(volume.array, array) and volume.array.dtype == array.dtype.newbyteorder("=")
    assert volume.source.kind == "array" and not volume.grid.spacing_known
    volume.array[0, 0, 0] = 1  # the array is ours


@pytest.mark.parametrize(("before", "after"), [("?", "u1"), ("<f2", "f4"), ("<i8", "i4"), ("<u8", "i4"), ("<u4", "i4")])
def test_other_numbers_are_narrowed_where_they_fit(tmp_path, before, after):
    volume = read(tmp_path, np.array([[0, 1], [1, 1]], before))
    assert volume.array.dtype == after and volume.array.tolist() == [[[0, 1], [1, 1]]]


def test_shapes_are_images_and_stacks(tmp_path):
    assert read(tmp_path, np.zeros((5, 6))).array.shape == (1, 5, 6)
    assert read(tmp_path, np.zeros((2, 5, 6))).array.shape == (2, 5, 6)
    picture = np.random.default_rng(0).integers(0, 255, (5, 6, 3), dtype=np.uint8)
    assert read(tmp_path, picture).array.shape == (1, 5, 6, 3)
    assert read(tmp_path, picture.astype(np.float32)).array.shape == (5, 6, 3)
    assert read(tmp_path, np.zeros((2, 5, 6, 3), np.uint8)).array.shape == (2, 5, 6)


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("an object was made",))


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.array([[1j, 2], [3, 4]]), "real numbers"),
        (np.array([["a", "b"]]), "real numbers"),
        (np.array([[2**40, 1], [1, 1]]), "32 bits"),
        (np.zeros(5), "rows"),
        (np.zeros((2, 2, 2, 2)), "rows"),
        (np.zeros((2, 2, 2, 4, 4)), "rows"),
        (np.zeros((0, 5)), "positive"),
        (np.array([[np.nan, 1], [1, np.inf]]), "2 of 4"),
    ],
)
def test_other_arrays_are_refused(tmp_path, array, says):
    with pytest.raises(FormatError, match=says):
        read(tmp_path, array)


def test_objects_are_never_unpickled(tmp_path):
    array = np.empty((2, 2), object)
    array[:] = Evil()
    with pytest.raises(FormatError, match="real numbers"):
        read(tmp_path, array, allow_pickle=True)
    with pytest.raises(FormatError):
        read(tmp_path, b"\x93NUMPY\x01\x00" + pickle.dumps(Evil()))


def test_headers_that_lie_are_refused(tmp_path):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        stream, {"descr": "<f8", "fortran_order": False, "shape": (30_000, 30_000, 100)}
    )
    with pytest.raises(LimitError, match="30000"):
        read(tmp_path, stream.getvalue())
    stream = io.BytesIO()
    np.save(stream, np.zeros((9, 9)))
    with pytest.raises(FormatError, match="cut short"):
        read(tmp_path, stream.getvalue()[:-1])
    with pytest.raises(FormatError, match="version"):
        read(tmp_path, b"\x93NUMPY\x09\x00" + bytes(99))
