"""Pictures keep their values and their depth, whatever the file makes of them."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from isocenter.core.errors import FormatError, InputError, IsocenterError, LimitError
from isocenter.io.raster import collapse_equal_channels, read_raster, write_png

GRAY = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
BYTES = (GRAY % 251).astype(np.uint8)
COLOUR = np.stack((BYTES, BYTES[::-1], BYTES[:, ::-1]), axis=-1)
DEEP = np.stack((GRAY * 60, GRAY[::-1] * 60, GRAY[:, ::-1] * 60), axis=-1)


def read(tmp_path, data: bytes | Image.Image, form: str = "PNG", **options):
    path = tmp_path / "picture.bin"
    if isinstance(data, Image.Image):
        data.save(path, form, **options)
    else:
        path.write_bytes(data)
    return read_raster(path)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_header(columns: int, rows: int, *, bits: int = 8, colour: int = 0) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, bits, colour, 0, 0, 0))


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF", "WEBP"])
def test_lossless_gray_keeps_every_value(tmp_path, form):
    volume = read(tmp_path, Image.fromarray(BYTES), form, **({"lossless": True} if form == "WEBP" else {}))
    assert np.array_equal(volume.array, BYTES[np.newaxis]) and volume.array.dtype == np.uint8
    assert (volume.unit, volume.modality, volume.source.kind) == ("a.u.", "", "raster")
    assert volume.grid.spacing_source == "unknown" and not volume.grid.position_known


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_colour_keeps_every_value(tmp_path, form):
    volume = read(tmp_path, Image.fromarray(COLOUR), form, **({"lossless": True} if form == "WEBP" else {}))
    assert np.array_equal(volume.array, COLOUR[np.newaxis]) and volume.unit == "sRGB"


def test_sixteen_bits_stay_sixteen(tmp_path):
    for form in ("PNG", "TIFF"):
        volume = read(tmp_path, Image.fromarray(GRAY * 100), form)
        assert volume.array.dtype == np.uint16 and np.array_equal(volume.array[0], GRAY * 100)
    for suffix in (".png", ".tiff"):
        encoded = cv2.imencode(suffix, DEEP[..., ::-1])[1].tobytes()
        volume = read(tmp_path, encoded)
        assert volume.array.dtype == np.uint16 and np.array_equal(volume.array[0], DEEP)


def test_floating_and_signed_tiff_keep_their_values(tmp_path):
    floats = (BYTES - 100.5).astype(np.float32)
    assert np.array_equal(read(tmp_path, Image.fromarray(floats), "TIFF").array[0], floats)
    signed = BYTES.astype(np.int32) - 1000
    assert np.array_equal(read(tmp_path, Image.fromarray(signed), "TIFF").array[0], signed)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("white_is_zero", [True, False])
def test_a_tiff_whose_white_is_zero_is_turned(tmp_path, bits, white_is_zero):
    stored = np.array([[0, 1], [2, 2**bits - 1]], f"<u{bits // 8}")
    # TIFF 6.0: tag, type, value of the fields that a gray picture must have (section 4)
    fields = {
        256: 2,
        257: 2,
        258: bits,
        259: 1,
        262: int(not white_is_zero),
        273: 8,
        277: 1,
        278: 2,
        279: stored.nbytes,
    }
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in fields.items())
    data = (
        b"II*\0"
        + struct.pack("<I", 16)
        + stored.tobytes().ljust(8)
        + struct.pack("<H", len(fields))
        + entries
        + bytes(4)
    )
    expected = 2**bits - 1 - stored if white_is_zero else stored
    assert np.array_equal(read(tmp_path, data).array[0], expected)


def test_pages_of_one_size_are_slices(tmp_path):
    pages = [Image.fromarray(BYTES + n) for n in range(4)]
    volume = read(tmp_path, pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert volume.array.shape == (4, 20, 30) and np.array_equal(volume.array[3], BYTES + 3)
    with pytest.raises(FormatError, match="one size"):
        read(tmp_path, pages[0], "TIFF", save_all=True, append_images=[pages[1].resize((9, 9))])
    with pytest.raises(FormatError, match="one kind"):
        read(tmp_path, pages[0], "TIFF", save_all=True, append_images=[Image.fromarray(COLOUR)])


def test_gray_stored_as_colour_is_gray(tmp_path):
    same = np.repeat(BYTES[..., None], 3, axis=-1)
    assert read(tmp_path, Image.fromarray(same)).array.shape == (1, 20, 30)
    assert read(tmp_path, Image.fromarray(same), "JPEG").array.shape == (1, 20, 30)
    almost = same.copy()
    almost[3, 4, 1] += 1
    assert read(tmp_path, Image.fromarray(almost)).is_colour
    assert collapse_equal_channels(same[np.newaxis]).shape == (1, 20, 30)
    assert collapse_equal_channels(same).shape == (20, 30, 3)  # 20 gray slices of 3 columns
    assert read(tmp_path, Image.fromarray(BYTES[:, :3])).array.shape == (1, 20, 3)


def test_palette_bits_and_opacity_become_plain_values(tmp_path):
    assert np.array_equal(read(tmp_path, Image.fromarray(BYTES).convert("P")).array[0], BYTES)
    bilevel = read(tmp_path, Image.fromarray(((BYTES > 99) * 255).astype(np.uint8)).convert("1"))
    assert set(np.unique(bilevel.array)) == {0, 255}
    opaque = np.dstack((COLOUR, np.full((20, 30), 255, np.uint8)))
    volume = read(tmp_path, Image.fromarray(opaque))
    assert np.array_equal(volume.array[0], COLOUR) and volume.facts.notes == ()
    opaque[5, 6, 3] = 0
    volume = read(tmp_path, Image.fromarray(opaque))
    assert volume.array[0, 5, 6].tolist() == [0, 0, 0] and volume.facts.notes == ("transparency-laid-over-black",)
    gray = Image.merge("LA", (Image.fromarray(BYTES), Image.fromarray(np.full((20, 30), 255, np.uint8))))
    assert np.array_equal(read(tmp_path, gray).array[0], BYTES)


def test_a_cmyk_jpeg_becomes_rgb(tmp_path):
    flat = Image.new("RGB", (32, 16), (200, 40, 90))
    volume = read(tmp_path, flat.convert("CMYK"), "JPEG", quality=95)
    assert np.abs(volume.array[0].astype(int) - (200, 40, 90)).max() <= 3
    assert volume.facts.notes == ("converted-to-rgb: CMYK",)


@pytest.mark.parametrize("form", ["JPEG", "TIFF", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_stored_orientation_is_applied_once(tmp_path, orientation, form):
    upright = np.kron(np.array([[250, 10, 10], [120, 10, 60]], np.uint8), np.ones((16, 16), np.uint8))
    # EXIF 2.3, tag 0x0112: how the stored picture came out of the upright one
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1], 5: upright.T,
        6: np.rot90(upright), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    volume = read(tmp_path, Image.fromarray(np.ascontiguousarray(stored)), form, exif=exif, quality=100)
    assert volume.array.shape == (1, 32, 48)
    assert np.abs(volume.array[0].astype(int) - upright).max() < 8
    assert (volume.facts.notes == ()) == (orientation == 1)


def test_print_resolution_is_no_pixel_spacing(tmp_path):
    for form in ("PNG", "JPEG", "TIFF"):
        assert not read(tmp_path, Image.fromarray(BYTES), form, dpi=(300, 300)).grid.spacing_known


def test_every_flipped_bit_of_a_png_is_found(tmp_path):
    stream = io.BytesIO()
    Image.fromarray(BYTES).save(stream, "PNG")
    sound = stream.getvalue()
    rng = np.random.default_rng(0)
    for place in rng.choice(np.arange(8, len(sound)), 60, replace=False):
        broken = bytearray(sound)
        broken[place] ^= 1 << rng.integers(8)
        with pytest.raises(IsocenterError):
            read(tmp_path, bytes(broken))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_every_cut_is_found(tmp_path, form):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)).save(stream, form)
    sound = stream.getvalue()
    for part in (0.02, 0.3, 0.6, 0.9):
        with pytest.raises(IsocenterError) as caught:
            read(tmp_path, sound[: int(len(sound) * part)])
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("columns", "rows"), [(20_000, 20_000), (65_535, 65_535), (10_001, 10_000), (9_800, 20_000)])
def test_a_bomb_is_refused_by_its_header(tmp_path, columns, rows):
    data = png_header(columns, rows) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(LimitError, match="megapixels"):
        read(tmp_path, data)


def test_a_big_header_with_little_data_is_refused(tmp_path):
    data = png_header(9_000, 9_000) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(FormatError):
        read(tmp_path, data)


def test_moving_pictures_and_foreign_forms_are_refused(tmp_path):
    frames = [Image.fromarray(BYTES), Image.fromarray(BYTES[::-1].copy())]
    for form in ("GIF", "WEBP", "PNG"):
        with pytest.raises(FormatError, match="moving"):
            read(tmp_path, frames[0], form, save_all=True, append_images=frames[1:])
    with pytest.raises(FormatError, match="damaged"):
        read(tmp_path, Image.fromarray(BYTES), "PPM")
    with pytest.raises(FormatError, match="colour space"):
        read(tmp_path, Image.new("LAB", (9, 9)), "TIFF")
    with pytest.raises(FormatError, match="NaN"):
        read(tmp_path, Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF")


@pytest.mark.parametrize("image", [BYTES, GRAY, COLOUR])
def test_what_we_write_we_read(tmp_path, image):
    write_png(image, tmp_path / "a.png")
    assert np.array_equal(read_raster(tmp_path / "a.png").array[0], image)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_only_pictures_are_written(tmp_path):
    for wrong in (BYTES.astype(np.float32), COLOUR.astype(np.uint16), COLOUR[np.newaxis]):
        with pytest.raises(InputError):
            write_png(wrong, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
