"""What file names claim: which suffixes promise an image, which belong to ordinary companions of images."""

from pathlib import PurePath
from typing import Final

_IMAGES = (
    ".dcm .dic .ima .nii .nii.gz .hdr .img .nrrd .nhdr .mha .mhd .png .jpg .jpeg .tif .tiff .bmp .webp .gif .npy .avi "
    ".mp4 .mov .mkv .mpg .zip"
)
_COMPANIONS = (
    ".csv .tsv .txt .json .md .rst .xml .html .htm .css .js .pdf .log .ini .toml .yaml .yml .inf .bval .bvec .tfm .npz "
    ".mat .py .m .r .sh .bat .exe .dll .so .jar .class .ico .svg .db .sqlite .doc .docx .xls .xlsx .ppt .pptx .odt "
    ".isocenter .pt .onnx .h5 .md5 .sha256 .lnk .url .chm .ttf .wav .part .tmp"
)

IMAGE_SUFFIXES: Final = frozenset(_IMAGES.split())
COMPANION_SUFFIXES: Final = frozenset(_COMPANIONS.split())
COMPANION_NAMES: Final = frozenset({"thumbs.db", "desktop.ini", "license", "readme", "notice", "lockfile", "version"})
# Pixels that lie beside their header, and the headers.
DETACHED_SUFFIXES: Final = frozenset({".img", ".raw", ".zraw", ".gz"})
HEADER_SUFFIXES: Final = (".hdr", ".mhd", ".nhdr")


def suffix_of(path: PurePath) -> str:
    """The suffix in lower case; ".nii.gz" counts as one."""
    lower = path.name.lower()
    return ".nii.gz" if lower.endswith(".nii.gz") else PurePath(lower).suffix


def is_hidden(name: str) -> bool:
    """Whether a name of a folder's entry is none of the user's business: dot files, what macOS adds to archives."""
    return name.startswith(".") or name == "__MACOSX"


def is_companion(path: PurePath) -> bool:
    """Whether the name is an ordinary companion of images: a table, a text, a program on a patient's disc."""
    return path.name.lower() in COMPANION_NAMES or suffix_of(path) in COMPANION_SUFFIXES
