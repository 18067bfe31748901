"""Several named NumPy arrays in one file (.npz): numbers only, never objects."""

import zipfile
from collections.abc import Collection, Mapping
from io import BytesIO
from pathlib import Path

import numpy as np

from isocenter.core.errors import FormatError
from isocenter.io.boundary import read_whole, untrusted
from isocenter.io.limits import LIMITS, check_enough_bytes, check_shape

_MAX_ARRAYS = 64


def read_npz(path: Path, names: Collection[str]) -> Mapping[str, np.ndarray]:
    """Those of the named arrays that the file holds; others are not looked at.

    Real and complex numbers; nothing is ever unpickled, and a header is checked before anything is allocated.
    Raises FormatError for another kind of file or objects, LimitError for what is too large.
    """
    data, _ = read_whole(path)
    if not data.startswith(b"PK"):
        raise FormatError(
            f"{path.name}: expected an .npz of arrays, got another kind of file; save it with numpy.savez"
        )
    with untrusted("an .npz of arrays"), zipfile.ZipFile(BytesIO(data)) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        if len(members) > _MAX_ARRAYS:
            raise FormatError(f"{path.name}: expected at most {_MAX_ARRAYS} arrays, got {len(members)}; save one scan")
        found = {}
        for name in names:
            if name in members:
                with archive.open(members[name]) as stream:
                    found[name] = _array_of(stream.read(LIMITS.inflate_bytes + 1), name)
        return found


def _array_of(data: bytes, name: str) -> np.ndarray:
    """The array, its header checked first."""
    stream = BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise FormatError(f"{name}: expected NPY version 1.0 or 2.0, got {version[0]}.{version[1]}; save it again")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if dtype.hasobject or dtype.kind not in "biufc":
        raise FormatError(f"{name}: expected numbers, got {dtype.kind!r}; save the numbers alone")
    needed = check_shape(shape, dtype.itemsize) if shape else dtype.itemsize
    check_enough_bytes(needed, len(data) - stream.tell())
    flat = np.frombuffer(data, dtype, count=needed // dtype.itemsize, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran else "C").astype(dtype.newbyteorder("="))
