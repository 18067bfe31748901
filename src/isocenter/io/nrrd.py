"""NRRD files (nearly raw raster data), read and written; MetaImage files are told apart and read by their neighbour."""

import zlib
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Source, Volume
from isocenter.io.atomic import atomic_write
from isocenter.io.boundary import read_whole, untrusted
from isocenter.io.lattice import build_image
from isocenter.io.limits import check_shape
from isocenter.io.metaimage import parse_metaimage
from isocenter.io.nrrd_header import Axes, Fields, axes_of, dtype_of, frames_of
from isocenter.io.payload import decode_payload, read_beside

_NAMES: Final = {
    "b1": "uint8", "i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32",
    "i8": "int64", "u8": "uint64", "f4": "float", "f8": "double",
}  # fmt: skip


def read_nrrd(path: Path) -> Volume | Cine:
    """The image of a NRRD or MetaImage file: a Volume, or a Cine where an axis is not space.

    Raw and gzip encodings; a detached header may only name a file that lies beside it. The spaces left-posterior-
    superior, right-anterior-superior and left-anterior-superior become LPS; without one the place is unknown, without
    spacings the pixel size too. Diffusion files (`DWMRI_b-value`) keep b-values and directions.

    Raises FormatError for what is damaged, foreign or holds NaN, LimitError for what is too large.

    Source: the NRRD format definition, https://teem.sourceforge.net/nrrd/format.html
    """
    data, digest = read_whole(path)
    with untrusted("a NRRD or MetaImage file"):
        return _parse_nrrd(data, digest, path) if data.startswith(b"NRRD") else parse_metaimage(data, digest, path)


def _parse_nrrd(data: bytes, digest: str, path: Path) -> Volume | Cine:
    """The image that a NRRD file's bytes describe."""
    fields = Fields(data)
    axes = axes_of(fields)
    dtype = dtype_of(fields)
    check_shape(axes.sizes, dtype.itemsize)
    payload = memoryview(data)[fields.offset :]
    digests: tuple[str, ...] = (digest,)
    detached = fields.get("data file", "datafile")
    if detached:
        beside, second = read_beside(path, detached)
        payload, digests = memoryview(beside), (digest, second)
    stored = decode_payload(
        _skip(payload, fields, axes, dtype), dtype, axes.sizes, compressed=_is_compressed(fields.need("encoding"))
    )
    source = Source(kind="nrrd", digests=digests, paths=(path,))
    array = _ordered(stored, axes)
    frames = None
    if axes.frame is not None and axes.sizes[axes.frame] > 1:
        frames = frames_of(fields, axes.sizes[axes.frame])
    elif axes.frame is not None:
        array = array[0]
    image = build_image(array, axes.lattice, source=source, frames=frames, unit=fields.get("sample units").strip('"'))
    return _with_notes_of_ours(image, fields)


def _is_compressed(encoding: str) -> bool:
    """Whether the pixels are gzipped. Raises FormatError for an encoding that is neither raw nor gzip."""
    if encoding.lower() not in ("raw", "gzip", "gz"):
        raise FormatError(f"expected NRRD encoding raw or gzip, got {encoding[:20]!r}; save it as one of these")
    return encoding.lower() != "raw"


def _skip(payload: memoryview, fields: Fields, axes: Axes, dtype: np.dtype) -> memoryview:
    """The payload behind what the header says to leave out; a byte skip of -1: the pixels stand at the end."""
    lines, n_bytes = (int(fields.get(f"{what} skip", f"{what}skip") or 0) for what in ("line", "byte"))
    if lines < 0:
        raise FormatError("expected a line skip of 0 or more, got a negative one; export the image again")
    if lines:
        rows = bytes(payload[: 1024 * 1024]).split(b"\n", lines)
        payload = payload[sum(len(row) + 1 for row in rows[:lines]) :]
    if n_bytes == 0:
        return payload
    if _is_compressed(fields.need("encoding")) or n_bytes < -1:
        raise FormatError("expected a byte skip of -1 or more and of raw pixels only, got another; save it as raw")
    return payload[-check_shape(axes.sizes, dtype.itemsize) :] if n_bytes == -1 else payload[n_bytes:]


def _ordered(stored: np.ndarray, axes: Axes) -> np.ndarray:
    """([frames,] [slices,] rows, columns[, 3]) from the file's axes, slowest first."""
    last = stored.ndim - 1
    if axes.frame is not None:
        stored = np.moveaxis(stored, last - axes.frame, 0)
    if axes.channel is not None:
        count = axes.sizes[axes.channel]
        place = last - axes.channel + (1 if axes.frame is not None and axes.frame < axes.channel else 0)
        stored = np.moveaxis(stored, place, -1)
        if count not in (3, 4) or stored.dtype != np.uint8:
            raise FormatError(
                f"expected colours of 3 or 4 bytes, got {count} x {stored.dtype}; export the image as RGB"
            )
        stored = stored[..., :3]
    return np.ascontiguousarray(stored)


def _with_notes_of_ours(image: Volume | Cine, fields: Fields) -> Volume | Cine:
    """What `write_nrrd` noted beside the format: the modality and who stated the spacing."""
    modality = fields.pairs.get("isocenter_modality", "")
    stated = fields.pairs.get("isocenter_spacing_source", "")
    grid = image.grid
    if stated in ("detector", "context") and grid.spacing_known:
        grid = Grid(grid.shape, grid.affine, "detector" if stated == "detector" else "context", grid.position_known)
    return replace(image, modality=modality[:16], grid=grid)


def write_nrrd(image: Volume | Cine, path: Path) -> None:
    """Write the image as one gzip-compressed NRRD in LPS: whole or not there, the same bytes every time.

    What is unknown stays unwritten: an image without a place has spacings only, one without pixel size not even these.
    """
    array = image.array
    name = _NAMES.get(array.dtype.str[1:])
    if name is None:
        raise InputError(f"NRRD: expected whole or floating numbers, got {array.dtype}; convert the array")
    encoded = bytearray("\n".join(_header_lines(image, name)).encode("utf-8") + b"\n\n")
    packer = zlib.compressobj(level=1, wbits=31)
    for part in array:
        encoded += packer.compress(np.ascontiguousarray(part, dtype=part.dtype.newbyteorder("<")).data.cast("B"))
    atomic_write(path, encoded + packer.flush())


def _header_lines(image: Volume | Cine, type_name: str) -> list[str]:
    """The lines of the header."""
    is_cine = isinstance(image, Cine)
    is_colour = image.array.ndim == (5 if is_cine else 4)
    slices, rows, columns = image.grid.shape
    before = ["none"] if is_colour else []
    after = ["none"] if is_cine else []
    sizes = [*([3] if is_colour else []), columns, rows, slices, *([image.array.shape[0]] if is_cine else [])]
    kinds = [*(["RGB-color"] if is_colour else []), "domain", "domain", "domain", *(["list"] if is_cine else [])]
    lines = ["NRRD0005", f"type: {type_name}", f"dimension: {len(sizes)}"]
    place: list[str] = []
    affine = image.grid.affine
    if image.grid.spacing_known and image.grid.position_known:
        lines.append("space: left-posterior-superior")
        steps = [_bracket(affine[:3, axis]) for axis in (2, 1, 0)]
        place = [f"space directions: {' '.join([*before, *steps, *after])}", f"space origin: {_bracket(affine[:3, 3])}"]
    elif image.grid.spacing_known:
        steps = [repr(float(step)) for step in image.grid.spacing_mm[::-1]]
        unknown = ["nan"]
        place = [f"spacings: {' '.join([*unknown * len(before), *steps, *unknown * len(after)])}"]
    lines += [f"sizes: {' '.join(str(size) for size in sizes)}", *place, f"kinds: {' '.join(kinds)}"]
    lines += ["endian: little", "encoding: gzip", f'sample units: "{image.unit}"']
    if place and "directions" in place[0] and isinstance(image, Cine) and image.bvals is not None:
        lines.append("measurement frame: (1,0,0) (0,1,0) (0,0,1)")
    return lines + _pair_lines(image)


def _pair_lines(image: Volume | Cine) -> list[str]:
    """Key/value pairs: ours, and those of the diffusion convention."""
    pairs = {"isocenter_modality": image.modality, "isocenter_spacing_source": image.grid.spacing_source}
    if isinstance(image, Cine):
        pairs |= {"axis": image.axis, "times_s": " ".join(repr(float(time)) for time in image.times_s)}
        if image.bvals is not None and image.bvecs is not None:
            largest = float(max(image.bvals.max(), 1e-12))
            pairs |= {"modality": "DWMRI", "DWMRI_b-value": repr(largest)}
            scaled = image.bvecs * np.sqrt(np.maximum(image.bvals, 0) / largest)[:, None]
            pairs |= {f"DWMRI_gradient_{n:04d}": " ".join(repr(float(x)) for x in g) for n, g in enumerate(scaled)}
    return [f"{key}:={value}" for key, value in pairs.items() if value]


def _bracket(values: np.ndarray) -> str:
    return f"({','.join(repr(float(value)) for value in values)})"
