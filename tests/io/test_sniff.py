"""The first bytes tell what a file is, whatever its name says."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from isocenter.io.sniff import sniff_content


def picture(form: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(stream, form)
    return stream.getvalue()


def archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("a", "b")
    return stream.getvalue()


def npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros((3, 3)))
    return stream.getvalue()


def nifti(endian: str = "<", version: int = 1) -> bytes:
    if version == 2:
        return (struct.pack(endian + "i", 540) + b"n+2\0").ljust(540, b"\0")
    return struct.pack(endian + "i", 348).ljust(344, b"\0") + b"n+1\0"


EXPLICIT = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"
IMPLICIT = b"\x08\x00\x16\x00\x1a\x00\x00\x001.2.840.10008.5.1.4.1.1.2\x00"
META = b"\x02\x00\x10\x00UI\x14\x001.2.840.10008.1.2.1\x00"
DIRECTORY = b"\x02\x00\x02\x00UI\x16\x001.2.840.10008.1.3.10\x00"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (bytes(128) + b"DICM" + META, "dicom"),
        (b"MZ".ljust(128, b"\0") + b"DICM" + META, "dicom"),
        (b"DICM" + META, "dicom"),
        (META, "dicom"),
        (EXPLICIT, "dicom"),
        (IMPLICIT, "dicom"),
        (b"\x00\x08\x00\x05CS\x00\x0aISO_IR 100", "dicom"),
        (bytes(128) + b"DICM" + DIRECTORY, "dicomdir"),
        (nifti("<"), "nifti"),
        (nifti(">"), "nifti"),
        (nifti("<", 2), "nifti"),
        (nifti().replace(b"n+1", b"ni1"), "nifti"),
        (gzip.compress(nifti(), mtime=0), "nifti"),
        (b"NRRD0004\ntype: float\n", "nrrd"),
        (b"ObjectType = Image\nNDims = 3\nDimSize = 1 2 3\n", "nrrd"),
        (b"NDims = 3\nDimSize = 1 2 3\n", "nrrd"),
        (picture("PNG"), "raster"),
        (picture("JPEG"), "raster"),
        (picture("TIFF"), "raster"),
        (picture("BMP"), "raster"),
        (picture("GIF"), "raster"),
        (picture("WEBP"), "raster"),
        (npy(), "npy"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"\0\0\0\x20ftypisom", "video"),
        (archive(), "zip"),
        (b"", "empty"),
        (b"a,b,c\n1,2,3\n", "text"),
        ("一二三".encode() * 2000, "text"),
        (gzip.compress(b"some text", mtime=0), "foreign"),
        (gzip.compress(nifti(), mtime=0)[:4] + b"\xff" * 40, "foreign"),
        (b"%PDF-1.7", "foreign"),
        (b"\0\0\0\x20ftypheic", "foreign"),
        (bytes(500), "foreign"),
        (struct.pack("<i", 348).ljust(400, b"\0"), "foreign"),
        (bytes(range(256)) * 4, "foreign"),
    ],
)
def test_the_kind_follows_from_the_first_bytes(tmp_path, data, kind):
    path = tmp_path / "wrong.png"
    path.write_bytes(data)
    content, name = sniff_content(path)
    assert content == kind
    assert bool(name) == (kind in ("empty", "text", "foreign", "dicomdir"))
