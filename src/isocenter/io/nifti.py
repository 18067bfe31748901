"""NIfTI files to and from volumes: RAS is turned to LPS at this door, the voxels stay as they lie."""

import hashlib
import json
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.errors import FormatError, InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Source, Volume
from isocenter.io.atomic import atomic_write
from isocenter.io.boundary import untrusted
from isocenter.io.gradients import from_fsl, read_fsl
from isocenter.io.limits import check_enough_bytes, check_file_size, check_shape, inflate_file
from isocenter.io.nifti_header import CODES, NiftiHeader, pack_nifti, parse_nifti

_SIDECAR_BYTES: Final = 1_000_000


def read_nifti(path: Path) -> Volume | Cine:
    """The image of a NIfTI-1 or -2 file (.nii, .nii.gz, .hdr with .img).

    Four dimensions make a cine; with a `.bval` and `.bvec` beside it, one of diffusion. Modality and unit come from the
    BIDS-style sidecar, where there is one.

    Raises FormatError where it is damaged or of a form that we do not read, LimitError where it is too large.
    """
    path = Path(path)
    with untrusted("a NIfTI file"):
        header, payload, digests = _read_bytes(path)
        array = _voxels(header, payload)
    grid = Grid(array.shape[1:4], header.affine, "patient" if header.sized else "unknown", header.placed)
    source = Source("nifti", digests=digests, paths=(path,))
    unit, modality = _read_sidecar(path)
    unit = "sRGB" if array.ndim == 5 else unit
    if header.sizes[3] == 1:
        return Volume(array[0], grid, unit, modality, source=source)
    n_times = header.sizes[3]
    pair = read_fsl(stem_of(path), n_times)
    if pair is not None:
        times_s = np.arange(n_times, dtype=float)
        bvecs = from_fsl(pair[1], grid.affine)
        return Cine(array, times_s, grid, unit, modality, "diffusion", pair[0], bvecs, source=source)
    times_s = np.arange(n_times) * (header.step_s or 1.0)
    axis = "time" if header.step_s else "frame"
    return Cine(array, times_s, grid, unit, modality, axis, source=source)


def _read_bytes(path: Path) -> tuple[NiftiHeader, memoryview, tuple[str, ...]]:
    """Header, voxel bytes, digests; never more than the header promises and the limits allow."""
    check_file_size(path.stat().st_size)
    with path.open("rb") as stream:
        digest = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        stream.seek(0)
        zipped = stream.read(2) == b"\x1f\x8b"
    head = bytes(inflate_file(path, expected_bytes=544)) if zipped else _first_bytes(path, 544)
    header = parse_nifti(head)
    n_bytes = check_shape(header.sizes, header.dtype.itemsize * header.channels)
    magic = head[344:348] if head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c") else head[4:8]
    if magic.startswith((b"ni1", b"ni2", b"\0\0\0\0")):
        return _read_pair(path, header, n_bytes, digest)
    end = header.offset + n_bytes
    data = inflate_file(path, expected_bytes=end) if zipped else _first_bytes(path, end)
    check_enough_bytes(n_bytes, len(data) - header.offset)
    return header, memoryview(data)[header.offset : end], (digest,)


def _first_bytes(path: Path, count: int) -> bytearray:
    """At most so many bytes, writable, so that the voxels need no copy."""
    data = bytearray(min(count, path.stat().st_size))
    with path.open("rb") as stream:
        n_bytes = stream.readinto(data)
    return data if n_bytes == len(data) else data[:n_bytes]


def _read_pair(
    path: Path, header: NiftiHeader, n_bytes: int, digest: str
) -> tuple[NiftiHeader, memoryview, tuple[str, ...]]:
    """The voxels of an .hdr lie in the .img beside it."""
    image = next((path.with_suffix(suffix) for suffix in (".img", ".IMG") if path.with_suffix(suffix).exists()), None)
    if image is None or image.is_symlink() or image == path:
        raise FormatError("expected the .img beside the .hdr, it is not there; put both into one folder")
    data = _first_bytes(image, header.offset + n_bytes)
    check_enough_bytes(n_bytes, len(data) - header.offset)
    digests = (digest, f"sha256:{hashlib.sha256(data).hexdigest()}")
    return header, memoryview(data)[header.offset :], digests


def _voxels(header: NiftiHeader, payload: memoryview) -> np.ndarray:
    """(times, slices, rows, columns[, 3]) in native order, scaled; integers stay integers where nothing scales them."""
    columns, rows, slices, times = header.sizes
    shape = (times, slices, rows, columns, *((header.channels,) if header.channels > 1 else ()))
    array = np.frombuffer(payload, header.dtype, int(np.prod(shape))).reshape(shape)
    array = array.astype(header.dtype.newbyteorder("="), copy=False)
    if header.channels > 1:
        return np.ascontiguousarray(array[..., :3])
    if array.dtype in (np.int64, np.uint64):
        array = _narrow(array)
    if (header.slope, header.intercept) == (1.0, 0.0):
        return array
    if array.dtype.kind in "iu" and float(header.slope).is_integer() and float(header.intercept).is_integer():
        return _narrow(array.astype(np.int64) * int(header.slope) + int(header.intercept))
    scaled = array.astype(np.float32)
    scaled *= np.float32(header.slope)
    scaled += np.float32(header.intercept)
    return scaled


def _narrow(array: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest of int16, int32 that holds them, else float64."""
    low, high = int(array.min()), int(array.max())
    for dtype in (np.int16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return array.astype(dtype)
    return array.astype(np.float64)


def stem_of(path: Path) -> Path:
    """The path without .nii, .nii.gz or any other last suffix."""
    name = path.name
    for suffix in (".nii.gz", ".nii"):
        if name.lower().endswith(suffix):
            return path.with_name(name[: -len(suffix)])
    return path.with_suffix("")


def _read_sidecar(path: Path) -> tuple[str, str]:
    """Unit and modality of the sidecar; "a.u." and "" without one that can be read."""
    sidecar = path.with_name(stem_of(path).name + ".json")
    try:
        if not sidecar.is_file() or sidecar.stat().st_size > _SIDECAR_BYTES:
            return "a.u.", ""
        facts = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return "a.u.", ""
    if not isinstance(facts, dict):
        return "a.u.", ""
    unit, modality = facts.get("Units"), facts.get("Modality")
    return (
        unit if isinstance(unit, str) and 0 < len(unit) <= 16 else "a.u.",
        modality if isinstance(modality, str) and len(modality) <= 16 else "",
    )


def write_nifti(image: Volume | Cine, path: Path, *, scaling: tuple[float, float] | None = None) -> None:
    """Write the image as NIfTI-1, gzipped where the name ends in .gz: whole or not there, the same bytes every time.

    scaling   (slope, intercept) that a reader applies to the array; None: the array holds the values themselves

    What is unknown stays unwritten: an image without a place has no sform, one without pixel size no unit.
    Raises InputError for voxels or sizes that NIfTI-1 cannot hold.
    """
    array = image.array.astype(np.uint8) if image.array.dtype == np.bool_ else image.array
    is_colour = array.ndim == (5 if isinstance(image, Cine) else 4)
    code = 128 if is_colour and array.dtype == np.uint8 else CODES.get(array.dtype.str[1:])
    if code is None or (is_colour and code != 128):
        raise InputError(
            f"NIfTI: expected whole or real numbers, or 8-bit colour, got {array.dtype}; convert the array"
        )
    slices, rows, columns = image.grid.shape
    sizes = (columns, rows, slices) + ((array.shape[0],) if isinstance(image, Cine) else ())
    if max(sizes) > 32767:
        raise InputError(f"NIfTI: expected at most 32767 voxels along an axis, got {max(sizes)}; write NRRD")
    header = pack_nifti(sizes, code, image.grid, scaling=scaling or (1.0, 0.0), step_s=_step_s(image))
    parts = (np.ascontiguousarray(part, part.dtype.newbyteorder("<")).data.cast("B") for part in array)
    if path.name.lower().endswith(".gz"):
        packer = zlib.compressobj(level=1, wbits=31)
        encoded = bytearray(packer.compress(header))
        for part in parts:
            encoded += packer.compress(part)
        atomic_write(path, encoded + packer.flush())
    else:
        atomic_write(path, b"".join([header, *parts]))


def _step_s(image: Any) -> float:
    """Seconds between volumes: the middle of the steps; the repetition time for diffusion, where it is known."""
    if not isinstance(image, Cine) or len(image.times_s) < 2:
        return 0.0
    if image.axis == "time":
        return float(np.median(np.diff(image.times_s)))
    repetition_ms = dict(image.facts.parameters).get("repetition_time_ms", 0.0)
    return float(repetition_ms) / 1000 if image.axis == "diffusion" else 0.0
