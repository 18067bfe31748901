"""Whatever a library raises leaves as one typed line that tells nothing of the content."""

import errno

import numpy as np
import pytest

from isocenter.core.errors import FormatError, InputError, LimitError
from isocenter.io.boundary import line_of, read_whole, require_finite, require_image, untrusted


@pytest.mark.parametrize("error", [ValueError, KeyError, RecursionError, NotImplementedError, AttributeError, OSError])
def test_every_exception_becomes_a_format_error_without_its_text(error):
    with pytest.raises(FormatError) as caught, untrusted("a picture"):
        raise error("Doe^John")
    assert str(caught.value).startswith("expected a picture, ")
    assert "Doe" not in str(caught.value) and caught.value.__cause__ is not None


def test_memory_file_system_and_our_own_errors_keep_their_meaning():
    with pytest.raises(LimitError), untrusted("a picture"):
        raise MemoryError
    with pytest.raises(PermissionError), untrusted("a picture"):
        raise PermissionError(errno.EACCES, "Permission denied")
    with pytest.raises(InputError, match="mine"), untrusted("a picture"):
        raise InputError("mine")
    with pytest.raises(ImportError), untrusted("a picture"):
        raise ImportError("a missing library is no damaged file")
    with pytest.raises(KeyboardInterrupt), untrusted("a picture"):
        raise KeyboardInterrupt


def test_a_file_comes_with_its_digest(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    data, digest = read_whole(tmp_path / "a")
    # FIPS 180-2, appendix B.1
    assert (data, digest) == (b"abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")


def test_nan_and_infinity_are_counted():
    array = np.zeros((2, 3, 4), np.float32)
    require_finite(array)
    require_finite(array.astype(np.int16))
    array[0, 0, 0], array[1, 2, 3] = np.nan, -np.inf
    with pytest.raises(FormatError, match="2 of 24"):
        require_finite(array)


def test_a_dot_and_a_line_are_no_image():
    for shape in ((1, 2, 2), (2, 1, 2), (5, 4, 4)):
        require_image(shape)
    for shape in ((1, 1, 1), (1, 1, 9), (9, 1, 1)):
        with pytest.raises(FormatError, match="2 x 2"):
            require_image(shape)


def test_an_error_is_one_line():
    assert "permission denied" in line_of(PermissionError(errno.EACCES, "Permission denied", "/home/doe"))
    assert "doe" not in line_of(PermissionError(errno.EACCES, "Permission denied", "/home/doe"))
    assert line_of(FormatError("a\nb")) == "a b"


def test_values_whose_squares_overflow_are_refused():
    array = np.full((2, 3, 4), -1e14, np.float32)
    require_finite(array)
    array[1, 2, 3] = 1e30
    with pytest.raises(FormatError, match="1e\\+30"):
        require_finite(array)
