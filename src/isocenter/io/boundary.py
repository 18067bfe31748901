"""The door for untrusted bytes: how they come in, and how a library's exceptions leave as ours."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.core.errors import FormatError, IsocenterError, LimitError
from isocenter.io.limits import check_file_size

# No scanner measures more; float32 still holds the squares of such values, and sums of them.
_LARGEST: Final = 1e15


@contextmanager
def untrusted(expected: str) -> Iterator[None]:
    """Turn whatever a library raises on a hostile file into one typed line.

    expected   what the bytes should have been: "a PNG image", "a DICOM file"

    Raises FormatError for any library exception (its text may hold tag contents, so only its type is told),
    LimitError where memory ran out. Our own errors, the file system's and missing libraries pass unchanged.

    Source: of 4000 mutated DICOM files nine kinds of exception escaped pydicom 3.0.2 (own measurement).
    """
    try:
        yield
    except (IsocenterError, OSError, ImportError) as error:
        if isinstance(error, OSError) and error.errno is None:
            raise FormatError(_line(expected, error)) from error
        raise
    except MemoryError as error:
        raise LimitError(f"expected {expected} that fits into memory, it does not; make it smaller") from error
    except Exception as error:
        raise FormatError(_line(expected, error)) from error


def _line(expected: str, error: Exception) -> str:
    return f"expected {expected}, the file is damaged or cut short ({type(error).__name__}); copy or export it again"


def read_whole(path: Path) -> tuple[bytes, str]:
    """The bytes of a file inside the size limit, and their digest ("sha256:…")."""
    check_file_size(path.stat().st_size)
    data = path.read_bytes()
    return data, f"sha256:{hashlib.sha256(data).hexdigest()}"


def require_finite(array: np.ndarray) -> None:
    """Raise FormatError where a voxel is NaN, infinite or absurd: what was not measured must not pass as measured.

    array   looked at slice by slice along the first axis
    """
    if array.dtype.kind not in "fc":
        return
    bad = sum(part.size - int(np.count_nonzero(np.isfinite(part))) for part in array)
    if bad:
        raise FormatError(
            f"expected a number in every voxel, {bad} of {array.size} are NaN or infinite; "
            "replace them with a value that you vouch for"
        )
    largest = max((float(np.abs(part).max(initial=0)) for part in array), default=0.0)
    if largest > _LARGEST:
        raise FormatError(f"expected values up to {_LARGEST:g}, got {largest:g}; export the image in its own unit")


def require_image(shape: Sequence[int]) -> None:
    """Raise FormatError unless at least two axes have two or more pixels: a dot or a line is no image.

    shape   spatial axes only, without colour and time
    """
    if sum(n >= 2 for n in shape) < 2:
        sides = " x ".join(str(n) for n in shape)
        raise FormatError(f"expected an image of at least 2 x 2 pixels, got {sides}; leave it out")


def line_of(error: Exception) -> str:
    """An error as one line for a person."""
    if isinstance(error, OSError):
        reason = (error.strerror or type(error).__name__).lower()
        return f"expected a readable file or folder, the system says: {reason}; check the path and its permissions"
    return " ".join(str(error).split())
