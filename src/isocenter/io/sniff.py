"""What a file is, told by its first bytes; the suffix is never believed."""

import struct
import zlib
from pathlib import Path
from typing import Final, Literal

Kind = Literal["dicom", "nifti", "nrrd", "raster", "video", "npy"]
Content = Kind | Literal["zip", "dicomdir", "empty", "text", "foreign"]

KINDS: Final[dict[str, Kind]] = {
    "dicom": "dicom", "nifti": "nifti", "nrrd": "nrrd", "raster": "raster", "video": "video", "npy": "npy",
}  # fmt: skip
_HEAD: Final = 4096
_DICOMDIR_UID: Final = b"1.2.840.10008.1.3.10"

_MAGIC: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"\x89PNG\r\n\x1a\n", "raster"),
    (b"\xff\xd8\xff", "raster"),
    (b"II*\x00", "raster"),
    (b"MM\x00*", "raster"),
    (b"II+\x00", "raster"),
    (b"MM\x00+", "raster"),
    (b"GIF87a", "raster"),
    (b"GIF89a", "raster"),
    (b"NRRD000", "nrrd"),
    (b"\x93NUMPY", "npy"),
)  # fmt: skip
# Containers that we know and do not read; the name goes into the message.
_FOREIGN: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF", "a PDF document"),
    (b"\x89HDF", "an HDF5 file (MINC, MATLAB 7.3)"),
    (b"MATLAB", "a MATLAB file"),
    (b"\x00\x00\x00\x0cjP  ", "a bare JPEG 2000 file"),
    (b"\xff\x4f\xff\x51", "a bare JPEG 2000 stream"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x1f\x8b", "a gzip archive that holds no NIfTI"),
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
)  # fmt: skip
_EXPLICIT_VR: Final = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
)


def sniff_content(path: Path) -> tuple[Content, str]:
    """What the file holds by its first bytes, and a name for it where it is nothing that we read.

    Raises OSError where the file cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        return "empty", "an empty file (0 bytes)"
    if head.startswith(b"\x1f\x8b"):
        head = _inflate_head(head) or head
        if head.startswith(b"\x1f\x8b") or not _is_nifti(head):
            return "foreign", "a gzip archive that holds no NIfTI"
        return "nifti", ""
    return _content_of(head)


def _content_of(head: bytes) -> tuple[Content, str]:
    """The same for bytes that are not gzipped."""
    if _is_dicom(head):
        return ("dicomdir", "a DICOMDIR") if _DICOMDIR_UID in head[:512] else ("dicom", "")
    if _is_nifti(head):
        return "nifti", ""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind, ""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return "zip", ""
    if _is_bitmap(head) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "raster", ""
    if _is_film(head):
        return "video", ""
    if _is_metaimage(head):
        return "nrrd", ""
    for magic, name in _FOREIGN:
        if head.startswith(magic):
            return "foreign", name
    if _is_text(head):
        return "text", "a text file"
    if not any(head):
        return "foreign", "a file that begins with zeros"
    return "foreign", "bytes of no image format that we know"


def _inflate_head(head: bytes) -> bytes:
    """The first bytes that a gzip stream holds; b"" where it is damaged."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _HEAD)
    except zlib.error:
        return b""


def _is_dicom(head: bytes) -> bool:
    """Part 10 with its preamble, without it, or a bare data set (PS3.10 7.1, PS3.5 7.1)."""
    if head[128:132] == b"DICM" or head.startswith(b"DICM"):
        return True
    if len(head) < 8:
        return False
    for endian in "<>":
        group, element = struct.unpack(f"{endian}HH", head[:4])
        if (group == 2 and element <= 0x103) or (group == 8 and element <= 0x70):
            if head[4:6] in _EXPLICIT_VR:
                return True
            (length,) = struct.unpack(f"{endian}I", head[4:8])
            # Implicit: the first elements of group 8 are short (a character set, an image type, a UID).
            if length <= 128 and length % 2 == 0:
                return True
    return False


def _is_nifti(head: bytes) -> bool:
    """NIfTI-1 (348 bytes, magic at 344) or NIfTI-2 (540 bytes, magic at 4), either byte order."""
    if head[:4] in (struct.pack("<i", 348), struct.pack(">i", 348)):
        return head[344:348] in (b"n+1\x00", b"ni1\x00")
    return head[:4] in (struct.pack("<i", 540), struct.pack(">i", 540)) and head[4:8] in (b"n+2\x00", b"ni2\x00")


def _is_bitmap(head: bytes) -> bool:
    """BMP: "BM" and a header whose size is one of the published ones."""
    return (
        head[:2] == b"BM" and len(head) >= 18 and struct.unpack("<I", head[14:18])[0] in (12, 40, 52, 56, 64, 108, 124)
    )


def _is_film(head: bytes) -> bool:
    """AVI, MP4, QuickTime, Matroska or MPEG."""
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return True
    if head[4:8] == b"ftyp":
        return head[8:12] not in (b"heic", b"heix", b"mif1", b"avif", b"hevc", b"msf1")
    return head[4:8] == b"moov" or head.startswith((b"\x1aE\xdf\xa3", b"\x00\x00\x01\xba"))


def _is_metaimage(head: bytes) -> bool:
    """MetaImage: a text header of "Key = value" lines that names the type of its elements."""
    text = head[:_HEAD]
    first = text.split(b"=", 1)[0].strip()
    return first in (b"ObjectType", b"NDims", b"Comment") and b"DimSize" in text


def _is_text(head: bytes) -> bool:
    """Whether the bytes read as text: no control characters, proper UTF-8 but for a character cut at the end."""
    if any(byte < 9 or 13 < byte < 32 for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3
    return True
