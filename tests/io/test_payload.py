"""Pixels beside or behind a header: nothing outside the folder, nothing beyond what is there."""

import os

import numpy as np
import pytest

from isocenter.core.errors import FormatError
from isocenter.io.archives import temporary_name
from isocenter.io.payload import decode_payload, native, read_beside


def test_only_a_bare_name_in_the_same_folder_is_followed(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    (folder / "a.raw").write_bytes(b"in")
    (tmp_path / "a.raw").write_bytes(b"out")
    assert read_beside(folder / "a.mhd", "a.raw")[0] == b"in"
    for name in ("../a.raw", "/etc/hostname", "inner/a.raw", "..", ".", "", "..\\a.raw", "a.raw\0"):
        with pytest.raises(FormatError, match="beside"):
            read_beside(folder / "a.mhd", name)
    with pytest.raises(FormatError, match="missing"):
        read_beside(folder / "a.mhd", "b.raw")


def test_a_pipe_beside_a_header_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.raw")
    with pytest.raises(FormatError, match="missing"):
        read_beside(tmp_path / "a.mhd", "a.raw")


def test_pixels_are_found_under_the_name_that_an_archive_gives_them(tmp_path):
    (tmp_path / temporary_name("a.raw")).write_bytes(b"x")
    assert read_beside(tmp_path / "b.mhd", "a.raw")[0] == b"x"


def test_numbers_come_in_native_order_and_writable():
    array = decode_payload(np.arange(6, dtype=">i2").tobytes(), np.dtype(">i2"), (3, 2), compressed=False)
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]] and array.dtype == np.dtype("=i2")
    array[0, 0] = 1
    assert native(np.arange(3, dtype=np.uint64)).dtype == np.int32
    with pytest.raises(FormatError, match="32 bits"):
        native(np.array([2**32]))
