"""The pixels behind a text header: in the same file or in one beside it, plain or compressed."""

from collections.abc import Sequence
from io import BytesIO
from math import prod
from pathlib import Path, PurePosixPath

import numpy as np

from isocenter.core.errors import FormatError
from isocenter.io.archives import temporary_name
from isocenter.io.boundary import read_whole
from isocenter.io.limits import check_enough_bytes, check_shape, inflate_stream


def read_beside(header: Path, name: str) -> tuple[bytes, str]:
    """The bytes and the digest of the file that a detached header names.

    Raises FormatError unless it is a bare name of a file that lies beside the header.
    """
    if not name or name != PurePosixPath(name.replace("\\", "/")).name or name in (".", "..") or "\x00" in name:
        raise FormatError(
            "expected a file beside its header, the header names another folder; put both into one folder"
        )
    for candidate in (header.parent / name, header.parent / temporary_name(name)):
        if candidate.is_file():
            return read_whole(candidate)
    raise FormatError("expected the pixels beside their header, the file that it names is missing; put it there")


def decode_payload(data: bytes | memoryview, dtype: np.dtype, sizes: Sequence[int], *, compressed: bool) -> np.ndarray:
    """The numbers, shape `sizes` reversed (the file's fastest axis last), checked before anything is allocated."""
    needed = check_shape(sizes, dtype.itemsize)
    held: bytes | bytearray | memoryview = data
    if compressed:
        held = inflate_stream(BytesIO(data), expected_bytes=needed)
    check_enough_bytes(needed, len(held))
    flat = np.frombuffer(held, dtype, count=prod(int(n) for n in sizes))
    return native(flat.reshape(tuple(reversed(sizes))))


def native(array: np.ndarray) -> np.ndarray:
    """The array in the machine's byte order, writable; integers of 64 bits or unsigned 32 become int32 if they fit."""
    if array.dtype.kind in "iu" and (array.dtype.itemsize == 8 or array.dtype.str[1:] == "u4"):
        if int(array.min()) < -(2**31) or int(array.max()) >= 2**31:
            raise FormatError("expected whole numbers of 32 bits, got larger ones; save the image as float")
        return array.astype(np.int32)
    return np.array(array, dtype=array.dtype.newbyteorder("="))
