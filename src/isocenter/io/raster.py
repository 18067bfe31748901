"""Plain pictures: PNG, JPEG, TIFF, BMP, WEBP, still GIF; pixels without a place in the patient."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageOps

from isocenter.core.errors import FormatError, InputError, LimitError
from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Source, Volume
from isocenter.io.atomic import atomic_write
from isocenter.io.boundary import read_whole, require_finite, untrusted
from isocenter.io.limits import LIMITS, check_frame, check_shape

# The decoders that a picture may ask for; Pillow knows some fifty more, among them ones that start other programs.
_FORMATS: Final = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")
Image.MAX_IMAGE_PIXELS = LIMITS.frame_pixels
_ORIENTATION_TAG: Final = 0x0112
_SUBFILE_TAG: Final = 0x00FE
_BITS_TAG: Final = 0x0102
_PHOTOMETRIC_TAG: Final = 0x0106


def read_raster(path: Path) -> Volume:
    """The picture as one slice (a TIFF's pages of one size as slices), gray where all colours are equal.

    Integer pictures keep their depth (uint8, uint16, int32), floating ones are float32. Resolution tags are print
    sizes, not millimetres in a patient: the spacing stays unknown. A stored orientation (EXIF) is applied,
    transparency is laid over black, CMYK becomes RGB.

    Raises FormatError for what is damaged or not a picture that we read, LimitError for what is too large.
    """
    data, digest = read_whole(path)
    with untrusted("a PNG, JPEG, TIFF, BMP or WEBP picture"), _opened(data) as image:
        _check_still(image)
        if image.format == "PNG":
            _check_png(data)
        pages, notes = _decode(image, data)
    stack = np.stack(pages) if len(pages) > 1 else pages[0][np.newaxis]
    require_finite(stack)
    stack = collapse_equal_channels(stack)
    unit = "sRGB" if stack.ndim == 4 else "a.u."
    source = Source(kind="raster", digests=(digest,), paths=(path,))
    shape = (stack.shape[0], stack.shape[1], stack.shape[2])
    return Volume(stack, Grid.of_pixels(shape), unit, "", Facts(notes=tuple(notes)), source)


def write_png(image: np.ndarray, path: Path) -> None:
    """Write a picture so that it is whole or not there.

    image   (rows, columns) uint8 or uint16, or (rows, columns, 3) uint8
    """
    gray = image.ndim == 2 and image.dtype in (np.uint8, np.uint16)
    colour = image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8
    if not (gray or colour):
        raise InputError(
            "PNG: expected uint8 or uint16 (rows, columns) or uint8 (rows, columns, 3), "
            f"got {image.dtype} {image.shape}; convert it"
        )
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if colour else np.ascontiguousarray(image)
    done, encoded = cv2.imencode(".png", pixels)
    if not done:
        raise InputError(f"PNG: expected a picture that can be encoded, got {image.shape}")
    atomic_write(path, encoded.tobytes())


def collapse_equal_channels(array: np.ndarray) -> np.ndarray:
    """The first channel where all three are equal, else the array as it is.

    array   (slices, rows, columns, 3), or with frames before them; three dimensions are a gray stack
    """
    if array.ndim < 4 or array.shape[-1] != 3 or array.dtype.kind != "u":
        return array
    for part in array:  # slice by slice: most colour pictures differ in the first
        if not (np.array_equal(part[..., 0], part[..., 1]) and np.array_equal(part[..., 0], part[..., 2])):
            return array
    return np.ascontiguousarray(array[..., 0])


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The picture's header, its size checked before a pixel is decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # damaged EXIF and the like; what matters raises
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                yield image
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise LimitError(
                f"expected at most {LIMITS.frame_pixels // 10**6} megapixels, the header says more; "
                "make the image smaller"
            ) from error


def _check_still(image: Image.Image) -> None:
    """Refuse too many pixels, and moving pictures other than films."""
    check_frame(image.height, image.width, 4)
    if image.format in ("GIF", "WEBP", "PNG") and getattr(image, "n_frames", 1) > 1:
        raise FormatError(f"expected one picture, got a moving {image.format}; store it as AVI, MP4 or a TIFF stack")


def _check_png(data: bytes) -> None:
    """Every chunk's checksum and the end mark: the decoder would let a flipped bit pass (PNG specification 5.3)."""
    place = 8
    while place + 12 <= len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        stop = place + 12 + length
        if stop > len(data):
            break
        (stated,) = struct.unpack(">I", data[stop - 4 : stop])
        if zlib.crc32(memoryview(data)[place + 4 : stop - 4]) != stated:
            raise FormatError("expected a sound PNG, a checksum does not fit: the file is damaged; copy it again")
        if data[place + 4 : place + 8] == b"IEND":
            return
        place = stop
    raise FormatError("expected a whole PNG, its end is missing: the file is cut short; copy it again")


def _decode(image: Image.Image, data: bytes) -> tuple[list[np.ndarray], list[str]]:
    """The pages as arrays of one shape and type, and notes on what was done to them."""
    if _is_deep_colour(image, data):
        return [_decode_deep_colour(data)], []
    notes: list[str] = []
    pages: list[np.ndarray] = []
    size: tuple[int, int] | None = None
    for number in range(getattr(image, "n_frames", 1) if image.format == "TIFF" else 1):
        image.seek(number)
        if image.format == "TIFF" and number and int(_tag(image, _SUBFILE_TAG)) & 1:
            continue  # a reduced copy of another page
        check_frame(image.height, image.width, 4)
        size = size or image.size
        if image.size != size:
            raise FormatError(
                f"expected pages of one size, got {size[1]} x {size[0]} and {image.height} x {image.width}; "
                "split the file"
            )
        page = _decode_page(image, notes)
        check_shape((len(pages) + 1, *page.shape), page.itemsize)
        pages.append(page)
    if len({(page.shape, page.dtype.str) for page in pages}) > 1:
        raise FormatError("expected pages of one kind, got gray and colour or several depths; split the file")
    return pages, notes


def _decode_page(image: Image.Image, notes: list[str]) -> np.ndarray:
    """One page: (rows, columns), or (rows, columns, 3) uint8."""
    upright = image
    if image.getexif().get(_ORIENTATION_TAG, 1) != 1:
        upright = ImageOps.exif_transpose(image)
        _note(notes, "exif-orientation-applied")
    mode = upright.mode
    if mode in ("P", "PA"):
        upright = upright.convert("RGBA" if mode == "PA" or "transparency" in upright.info else "RGB")
    elif mode in ("CMYK", "YCbCr", "RGBX"):
        upright = upright.convert("RGB")
        _note(notes, f"converted-to-rgb: {mode}")
    elif mode == "1":
        upright = upright.convert("L")
    if upright.mode in ("LA", "RGBA", "La", "RGBa"):
        return _over_black(upright, notes)
    pixels = np.asarray(upright)
    if upright.mode not in ("L", "RGB", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"):
        raise FormatError(f"expected gray or RGB, got the colour space {mode}; save it as PNG")
    if upright.mode.startswith("I;16"):
        pixels = pixels.astype(np.uint16)
        if (
            image.format == "TIFF" and int(_tag(image, _PHOTOMETRIC_TAG, 1)) == 0
        ):  # white is zero; Pillow minds 8 bits only
            pixels = 65535 - pixels
    return np.array(pixels)


def _over_black(image: Image.Image, notes: list[str]) -> np.ndarray:
    """The colours weighed by their opacity; an opaque picture is unchanged."""
    pixels = np.asarray(image)
    colours, alpha = pixels[..., :-1], pixels[..., -1:]
    if alpha.min() < 255:
        _note(notes, "transparency-laid-over-black")
        if not image.mode.endswith("a"):
            colours = ((colours.astype(np.uint16) * alpha + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(colours[..., 0] if colours.shape[-1] == 1 else colours)


def _is_deep_colour(image: Image.Image, data: bytes) -> bool:
    """A PNG or TIFF with 16 bits in more than one channel, which Pillow would cut to 8."""
    if image.format == "PNG":
        return data[24] == 16 and data[25] != 0
    bits = _tag_values(image, _BITS_TAG) if image.format == "TIFF" else ()
    return len(bits) > 1 and max(bits) > 8


def _decode_deep_colour(data: bytes) -> np.ndarray:
    """A 16-bit picture of several channels: (rows, columns, 3) uint16."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.ndim != 3 or pixels.shape[2] not in (3, 4) or pixels.dtype != np.uint16:
        raise FormatError("expected a 16-bit RGB picture, it is damaged or has other channels; export it again")
    colours = pixels[..., 2::-1]
    if pixels.shape[2] == 4 and pixels[..., 3].min() < 65535:
        colours = ((colours.astype(np.uint64) * pixels[..., 3:] + 32767) // 65535).astype(np.uint16)
    return np.ascontiguousarray(colours)


def _tag_values(image: Image.Image, tag: int) -> tuple[int, ...]:
    """A TIFF tag's numbers; () where it has none."""
    value = getattr(image, "tag_v2", {}).get(tag, ())
    return tuple(value) if isinstance(value, tuple) else (int(value),)


def _tag(image: Image.Image, tag: int, default: int = 0) -> int:
    """A TIFF tag's first number."""
    return next(iter(_tag_values(image, tag)), default)


def _note(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)
