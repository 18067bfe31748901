"""The header of a NIfTI file: 348 bytes (version 1) or 540 (version 2), both byte orders."""

import math
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from isocenter.core.errors import FormatError
from isocenter.core.grid import Grid

# RAS of NIfTI <-> LPS of ours, and (i, j, k) <-> (k, j, i).
_FLIP: Final = np.diag([-1.0, -1.0, 1.0, 1.0])
_REVERSE: Final = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=float)

# nifti1.h: datatype code -> numpy type; 128 is RGB24, 2304 RGBA32.
DTYPES: Final = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 128: "u1", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
    2304: "u1",
}  # fmt: skip
CODES: Final = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768}
CHANNELS: Final = {128: 3, 2304: 4}
_MM_PER_UNIT: Final = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_S_PER_UNIT: Final = {0: 1.0, 8: 1.0, 16: 1e-3, 24: 1e-6}
_DIM1, _DIM2 = "8h", "8q"


@dataclass(frozen=True, slots=True, eq=False)
class NiftiHeader:
    """What a NIfTI header states.

    sizes      (columns, rows, slices, times)
    affine     index (k, j, i, 1) to LPS mm
    placed     whether an sform or qform places it
    sized      whether a voxel size is stated
    step_s     between volumes, 0 if not stated
    """

    sizes: tuple[int, int, int, int]
    code: int
    order: str
    offset: int
    slope: float
    intercept: float
    affine: np.ndarray
    placed: bool
    sized: bool
    step_s: float

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the stored values."""
        return np.dtype(self.order + DTYPES[self.code])

    @property
    def channels(self) -> int:
        """1, or 3 and 4 for colour."""
        return CHANNELS.get(self.code, 1)


def to_nifti(affine: np.ndarray) -> np.ndarray:
    """Index (i, j, k, 1) to RAS of index (k, j, i, 1) to LPS; its own inverse."""
    return np.asarray(_FLIP @ affine @ _REVERSE)


def parse_nifti(data: bytes | bytearray) -> NiftiHeader:
    """What a NIfTI header states.

    Raises FormatError where it is none, or of a form that we do not read.
    Source: nifti1.h and nifti2.h of the NIfTI-1 and NIfTI-2 standards (nifti.nimh.nih.gov).
    """
    for order in "<>":
        for size, version in ((348, 1), (540, 2)):
            if len(data) >= size and struct.unpack_from(f"{order}i", data)[0] == size:
                return _parse_fields(data, order, version)
    raise FormatError("expected a NIfTI header of 348 or 540 bytes, got another; convert the image again")


def _parse_fields(data: bytes | bytearray, order: str, version: int) -> NiftiHeader:
    first = version == 1
    dim = struct.unpack_from(order + (_DIM1 if first else _DIM2), data, 40 if first else 16)
    (code,) = struct.unpack_from(f"{order}h", data, 70 if first else 12)
    real = "f" if first else "d"
    pixdim = struct.unpack_from(f"{order}8{real}", data, 76 if first else 104)
    (offset,) = struct.unpack_from(f"{order}{'f' if first else 'q'}", data, 108 if first else 168)
    slope, intercept = struct.unpack_from(f"{order}2{real}", data, 112 if first else 176)
    (units,) = struct.unpack_from("B", data, 123) if first else struct.unpack_from(f"{order}i", data, 500)
    codes = struct.unpack_from(f"{order}2{'h' if first else 'i'}", data, 252 if first else 344)
    quaternion = struct.unpack_from(f"{order}6{real}", data, 256 if first else 352)
    sform = struct.unpack_from(f"{order}12{real}", data, 280 if first else 400)
    sizes = _sizes(dim)
    if code not in DTYPES:
        raise FormatError(f"expected whole, real or colour voxels, the header says datatype {code}; convert the image")
    unit_mm = _MM_PER_UNIT.get(units & 7, 1.0)
    matrix, placed = _choose_affine(codes, quaternion, sform, pixdim)
    matrix = matrix * np.array([[unit_mm]] * 3 + [[1.0]])
    stated = _has_size(pixdim) and (units & 7 != 0 or any(size not in (0.0, 1.0) for size in pixdim[1:4]))
    scaled = math.isfinite(slope) and math.isfinite(intercept) and slope != 0
    step = abs(pixdim[4]) * _S_PER_UNIT.get(units & 56, 1.0) if math.isfinite(pixdim[4]) else 0.0
    return NiftiHeader(
        sizes, code, order, max(int(offset), 0), slope if scaled else 1.0, intercept if scaled else 0.0,
        to_nifti(matrix), placed, placed or stated, step,
    )  # fmt: skip


def _sizes(dim: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Columns, rows, slices, times; further axes may only have length 1."""
    rank = dim[0]
    if not 1 <= rank <= 7:
        raise FormatError(f"expected 1 to 7 dimensions, the header says {rank}; convert the image again")
    sizes = [int(size) for size in dim[1 : rank + 1]] + [1] * (7 - rank)
    if min(sizes) < 1 or max(sizes[4:]) > 1:
        raise FormatError(f"expected an image, or images over time, the header says {tuple(sizes)}; split it")
    return sizes[0], sizes[1], sizes[2], sizes[3]


def _choose_affine(
    codes: tuple[int, ...], quaternion: tuple[float, ...], sform: tuple[float, ...], pixdim: tuple[float, ...]
) -> tuple[np.ndarray, bool]:
    """Method 3 (sform), 2 (qform) or 1 (voxel sizes only) of nifti1.h, the first that gives a volume.

    Raises FormatError where the only form that is there is singular: nobody can say where such voxels lie.
    """
    steps = [abs(size) if math.isfinite(size) and size else 1.0 for size in pixdim[1:4]]
    if codes[1] > 0:
        matrix = np.vstack([np.reshape(sform, (3, 4)), (0, 0, 0, 1)]).astype(float)
        if np.isfinite(matrix).all() and abs(np.linalg.det(matrix[:3, :3])) > 1e-12:
            return matrix, True
    if codes[0] > 0 and np.isfinite(quaternion).all() and _has_size(pixdim):
        matrix = np.eye(4)
        handed = -1.0 if pixdim[0] < 0 else 1.0
        matrix[:3, :3] = _rotation(quaternion[:3]) * (steps[0], steps[1], steps[2] * handed)
        matrix[:3, 3] = quaternion[3:]
        return matrix, True
    if codes[1] > 0:
        raise FormatError("expected an affine with an inverse, the sform is singular and no qform helps; correct it")
    # Nobody places it: the axes of `Grid.of_pixels` at the stated size.
    return np.diag([-steps[0], -steps[1], steps[2], 1.0]), False


def _has_size(pixdim: tuple[float, ...]) -> bool:
    """Whether a pixel has a width and a height; a single slice may have no thickness."""
    return all(math.isfinite(size) and size != 0 for size in pixdim[1:3])


def _rotation(bcd: tuple[float, ...]) -> np.ndarray:
    b, c, d = bcd
    a = math.sqrt(max(0.0, 1.0 - (b * b + c * c + d * d)))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def pack_nifti(
    sizes: tuple[int, ...], code: int, grid: Grid, *, scaling: tuple[float, float] = (1.0, 0.0), step_s: float = 0.0
) -> bytes:
    """A NIfTI-1 header (352 bytes with its empty extension).

    sizes    (columns, rows, slices[, times])
    scaling  (slope, intercept) that a reader applies

    What the grid does not know stays unwritten: no sform without a place, no unit without a size.
    """
    placed, sized = grid.position_known, grid.spacing_known
    matrix = to_nifti(grid.affine)
    steps = np.linalg.norm(matrix[:3, :3], axis=0)
    axes = matrix[:3, :3] / steps
    orthogonal = bool(np.abs(axes.T @ axes - np.eye(3)).max() < 1e-4)
    handed = -1.0 if np.linalg.det(axes) < 0 else 1.0
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, len(sizes), *sizes, *([1] * (7 - len(sizes))))
    bits = 24 if code == 128 else 8 * np.dtype(DTYPES[code]).itemsize
    struct.pack_into("<2h", header, 70, code, bits)
    struct.pack_into("<8f", header, 76, handed, *(steps if sized else (1, 1, 1)), step_s, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352, *scaling)
    struct.pack_into("B", header, 123, (2 if sized else 0) | (8 if len(sizes) > 3 else 0))
    struct.pack_into("<9s", header, 148, b"isocenter")
    struct.pack_into("<2h", header, 252, int(placed and orthogonal), int(placed))
    if placed:
        if orthogonal:
            struct.pack_into("<6f", header, 256, *_quaternion(axes * (1, 1, handed)), *matrix[:3, 3])
        struct.pack_into("<12f", header, 280, *matrix[:3].ravel())
    struct.pack_into("<4s", header, 344, b"n+1\0")
    return bytes(header)


def _quaternion(rotation: np.ndarray) -> tuple[float, float, float]:
    """b, c, d of a proper rotation, a made positive (Shepperd's choice of the greatest component)."""
    trace = np.array([rotation.trace(), *rotation.diagonal()])
    largest = int(np.argmax(trace))
    r = rotation
    if largest == 0:
        q = np.array([1 + trace[0], r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    elif largest == 1:
        q = np.array([r[2, 1] - r[1, 2], 1 + r[0, 0] - r[1, 1] - r[2, 2], r[0, 1] + r[1, 0], r[0, 2] + r[2, 0]])
    elif largest == 2:
        q = np.array([r[0, 2] - r[2, 0], r[0, 1] + r[1, 0], 1 + r[1, 1] - r[0, 0] - r[2, 2], r[1, 2] + r[2, 1]])
    else:
        q = np.array([r[1, 0] - r[0, 1], r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], 1 + r[2, 2] - r[0, 0] - r[1, 1]])
    q = q / np.linalg.norm(q)
    b, c, d = (q[1:] * (-1.0 if q[0] < 0 else 1.0)).tolist()
    return b, c, d
