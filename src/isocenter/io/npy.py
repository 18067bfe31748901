"""NumPy arrays on disk (.npy): numbers only, never objects."""

from io import BytesIO
from pathlib import Path

import numpy as np

from isocenter.core.errors import FormatError
from isocenter.core.grid import Grid
from isocenter.core.volume import Source, Volume
from isocenter.io.boundary import read_whole, require_finite, untrusted
from isocenter.io.limits import check_enough_bytes, check_shape
from isocenter.io.payload import native
from isocenter.io.raster import collapse_equal_channels


def read_npy(path: Path) -> Volume:
    """The array as an image of unknown pixel size.

    (rows, columns), (slices, rows, columns), (slices, rows, columns, 3); uint8 of (rows, columns, 3) is a picture.
    float16 becomes float32, bool uint8, integers of 64 bits int32.

    Raises FormatError for objects, complex numbers, other shapes, NaN; LimitError for what is too large.
    """
    data, digest = read_whole(path)
    with untrusted("a NumPy array"):
        array = _array_of(data)
    require_finite(np.atleast_1d(array))
    array = collapse_equal_channels(_as_stack(array))
    unit = "sRGB" if array.ndim == 4 else "a.u."
    shape = (array.shape[0], array.shape[1], array.shape[2])
    return Volume(array, Grid.of_pixels(shape), unit, source=Source(kind="array", digests=(digest,), paths=(path,)))


def _array_of(data: bytes) -> np.ndarray:
    """The array, its header checked before anything is allocated; objects are refused, so nothing is ever unpickled."""
    stream = BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise FormatError(f"expected NPY version 1.0 or 2.0, got {version[0]}.{version[1]}; save the array again")
    if dtype.hasobject or dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise FormatError(f"expected an array of real numbers, got {dtype.kind!r}; save the numbers alone")
    needed = check_shape(shape, dtype.itemsize)
    check_enough_bytes(needed, len(data) - stream.tell())
    flat = np.frombuffer(data, dtype, count=needed // dtype.itemsize, offset=stream.tell())
    return _narrowed(flat.reshape(shape, order="F" if fortran else "C"))


def _narrowed(array: np.ndarray) -> np.ndarray:
    """A copy in a type that the house computes with, in the machine's byte order."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.itemsize == 2 and array.dtype.kind == "f":
        return array.astype(np.float32)
    return native(array)


def _as_stack(array: np.ndarray) -> np.ndarray:
    """(slices, rows, columns) or (slices, rows, columns, 3)."""
    if array.ndim == 2:
        return array[np.newaxis]
    if array.ndim == 3:
        is_picture = array.dtype == np.uint8 and array.shape[2] == 3
        return array[np.newaxis] if is_picture else array
    if array.ndim == 4 and array.shape[3] == 3:
        return array
    raise FormatError(
        f"expected (rows, columns) or (slices, rows, columns), got the shape {array.shape}; save one image"
    )


def pack_npy(array: np.ndarray) -> bytes:
    """The bytes of an .npy file of numbers, little-endian."""
    stream = BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array, array.dtype.newbyteorder("<")), allow_pickle=False)
    return stream.getvalue()
