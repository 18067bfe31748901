"""MetaImage files (.mha, .mhd with its .raw or .zraw): ITK's own format, in LPS."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Source, Volume
from isocenter.io.atomic import atomic_write
from isocenter.io.lattice import Frames, Lattice, build_image, numbers, sizes_of
from isocenter.io.limits import check_shape
from isocenter.io.payload import decode_payload, read_beside

_HEADER_BYTES: Final = 64 * 1024
_DTYPES: Final = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip


def parse_metaimage(data: bytes, digest: str, path: Path) -> Volume | Cine:
    """The image that a MetaImage file's bytes describe; the fourth axis becomes a Cine's time.

    Source: MetaIO documentation, https://itk.org/Wiki/ITK/MetaIO/Documentation; each group of NDims numbers of
    TransformMatrix is the direction of one axis, as ITK reads it.
    """
    keys, offset = _keys_of(data)
    dimension = sizes_of(_need(keys, "NDims"), 1)[0]
    if dimension not in (2, 3, 4):
        raise FormatError(f"expected a MetaImage of 2, 3 or 4 axes, got {dimension}; export one image")
    sizes = sizes_of(_need(keys, "DimSize"), dimension)
    channels = sizes_of(keys.get("ElementNumberOfChannels", "1"), 1)[0]
    dtype = _dtype_of(keys, channels)
    stored_sizes = sizes if channels == 1 else (channels, *sizes)
    check_shape(stored_sizes, dtype.itemsize)
    payload = memoryview(data)[offset:]
    digests: tuple[str, ...] = (digest,)
    place = _need(keys, "ElementDataFile")
    if place.upper() != "LOCAL":
        beside, second = read_beside(path, place)
        payload, digests = memoryview(beside), (digest, second)
    compressed = _is_true(keys, "CompressedData")
    payload = _behind_header(payload, keys, check_shape(stored_sizes, dtype.itemsize), compressed=compressed)
    array = decode_payload(payload, dtype, stored_sizes, compressed=compressed)
    if channels > 1:
        array = np.ascontiguousarray(array[..., :3])
    lattice = _lattice(keys, sizes, min(dimension, 3))
    source = Source(kind="nrrd", digests=digests, paths=(path,))
    frames = _frames(keys, sizes) if dimension == 4 and sizes[3] > 1 else None
    return build_image(array if frames or dimension < 4 else array[0], lattice, source=source, frames=frames)


def _keys_of(data: bytes) -> tuple[dict[str, str], int]:
    """The header's "Key = value" lines and where the pixels begin; ElementDataFile is always the last."""
    keys: dict[str, str] = {}
    place = 0
    while "ElementDataFile" not in keys:
        stop = data.find(b"\n", place, _HEADER_BYTES)
        if stop < 0 and len(data) > _HEADER_BYTES:
            raise FormatError("expected a MetaImage header of at most 64 KiB, got a longer one; export the image again")
        line = data[place : stop if stop >= 0 else None]
        key, sign, value = line.decode("latin-1").partition("=")
        if line.strip() and not sign:
            raise FormatError("expected 'Key = value' lines in the MetaImage header, got others; export it again")
        if sign:
            keys[key.strip()] = value.strip()
        if stop < 0:
            break
        place = stop + 1
    return keys, place


def _need(keys: Mapping[str, str], key: str) -> str:
    if not keys.get(key):
        raise FormatError(f"expected the MetaImage key {key}, the header has none; export the image again")
    return keys[key]


def _is_true(keys: Mapping[str, str], key: str) -> bool:
    return keys.get(key, "False").lower() in ("true", "1")


def _dtype_of(keys: Mapping[str, str], channels: int) -> np.dtype:
    """The type of the stored numbers, in the byte order of the file."""
    name = _need(keys, "ElementType").upper().removesuffix("_ARRAY")
    if name not in _DTYPES:
        raise FormatError(f"expected a MetaImage type of real numbers, got {name[:20]!r}; export the image again")
    if not _is_true(keys, "BinaryData") and "BinaryData" in keys:
        raise FormatError("expected binary pixels, got text; save the image with BinaryData = True")
    if channels != 1 and (channels not in (3, 4) or name != "MET_UCHAR"):
        raise FormatError(f"expected gray or colours of 3 bytes, got {channels} x {name}; export a scalar image")
    is_big = _is_true(keys, "BinaryDataByteOrderMSB") or _is_true(keys, "ElementByteOrderMSB")
    return np.dtype((">" if is_big else "<") + _DTYPES[name])


def _behind_header(payload: memoryview, keys: Mapping[str, str], needed: int, *, compressed: bool) -> memoryview:
    """The pixels behind a foreign file's own header: HeaderSize bytes, -1 for pixels that stand at the end."""
    skip = int(numbers(keys.get("HeaderSize", "0"), 1)[0])
    if skip == -1 and not compressed:
        return payload[-needed:]
    return payload[max(skip, 0) :]


def _lattice(keys: Mapping[str, str], sizes: tuple[int, ...], n_space: int) -> Lattice:
    """Where the spatial axes lie; without ElementSpacing (or ElementSize) nobody stated the pixel size."""
    dimension = len(sizes)
    spacing_text = keys.get("ElementSpacing") or keys.get("ElementSize")
    matrix_text = next((keys[k] for k in ("TransformMatrix", "Rotation", "Orientation") if k in keys), "")
    origin_text = next((keys[k] for k in ("Offset", "Origin", "Position") if k in keys), "")
    matrix = np.eye(dimension)
    if matrix_text:
        matrix = np.array(numbers(matrix_text, dimension**2)).reshape(dimension, dimension)
    directions = np.zeros((n_space, 3))
    directions[:, :n_space] = matrix[:n_space, :n_space]
    origin = np.zeros(3)
    if origin_text:
        origin[:n_space] = numbers(origin_text, dimension)[:n_space]
    axes = None
    if spacing_text:
        axes = directions * np.array(numbers(spacing_text, dimension)[:n_space])[:, None]
    return Lattice(sizes[:n_space], axes, origin, bool(matrix_text and n_space == 3))


def _frames(keys: Mapping[str, str], sizes: tuple[int, ...]) -> Frames:
    """The fourth axis: seconds where its spacing is given, else frames."""
    text = keys.get("ElementSpacing", "")
    step = numbers(text, len(sizes))[3] if text else 1.0
    return Frames("time" if text else "frame", np.arange(sizes[3]) * step)


def write_metaimage(volume: Volume, path: Path) -> None:
    """Write a volume (.mha, compressed): whole or not there, the same bytes every time.

    An image without pixel size has no ElementSpacing; one without a place no direction.
    Raises InputError for voxels that MetaImage cannot hold.
    """
    code = volume.array.dtype.str[1:]
    name = next((name for name, held in _DTYPES.items() if held == code and "LONG" not in name), None)
    if name is None:
        raise InputError(f"MetaImage: expected whole or floating numbers, got {volume.array.dtype}; convert the array")
    slices, rows, columns = volume.grid.shape
    packed = zlib.compress(np.ascontiguousarray(volume.array, volume.array.dtype.newbyteorder("<")).tobytes(), level=1)
    lines = ["ObjectType = Image", "NDims = 3", "BinaryData = True", "BinaryDataByteOrderMSB = False"]
    lines += ["CompressedData = True", f"CompressedDataSize = {len(packed)}", *_place_lines(volume.grid)]
    lines += [f"DimSize = {columns} {rows} {slices}", "ElementNumberOfChannels = 3" if volume.is_colour else ""]
    lines += [f"ElementType = {name}", "ElementDataFile = LOCAL"]
    atomic_write(path, "\n".join(filter(None, lines)).encode("ascii") + b"\n" + packed)


def _place_lines(grid: Grid) -> list[str]:
    """Spacing, direction and origin in LPS, as far as they are known."""
    if not grid.spacing_known:
        return []
    spacing = grid.spacing_mm
    lines = [f"ElementSpacing = {' '.join(repr(float(step)) for step in spacing[::-1])}"]
    if grid.position_known:
        directions = (grid.affine[:3, :3] / spacing)[:, ::-1].T
        lines.append(f"TransformMatrix = {' '.join(repr(float(x)) for x in directions.ravel())}")
        lines.append(f"Offset = {' '.join(repr(float(x)) for x in grid.affine[:3, 3])}")
    return lines
