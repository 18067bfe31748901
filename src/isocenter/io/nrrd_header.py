"""The header of a NRRD file: its fields, and what they say about the axes."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import numpy as np

from isocenter.core.errors import FormatError
from isocenter.io.lattice import Frames, Lattice, numbers, sizes_of

_HEADER_BYTES: Final = 256 * 1024
_TYPES: Final = {
    "i1": "signed char,int8,int8_t",
    "u1": "uchar,unsigned char,uint8,uint8_t",
    "i2": "short,short int,signed short,signed short int,int16,int16_t",
    "u2": "ushort,unsigned short,unsigned short int,uint16,uint16_t",
    "i4": "int,signed int,int32,int32_t",
    "u4": "uint,unsigned int,uint32,uint32_t",
    "i8": "longlong,long long,long long int,signed long long,signed long long int,int64,int64_t",
    "u8": "ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t",
    "f4": "float",
    "f8": "double",
}
_DTYPES: Final = {name: np.dtype(code) for code, names in _TYPES.items() for name in names.split(",")}
# Signs that turn a space's axes into LPS.
_SPACES: Final[Mapping[str, tuple[int, int, int]]] = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
_UNITS_MM: Final = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "µm": 1e-3, "": 1.0}
_SPATIAL_KINDS: Final = frozenset({"domain", "space", "???", ""})
_CHANNEL_KINDS: Final = frozenset({"rgb-color", "3-color", "rgba-color", "4-color"})


class Fields:
    """A NRRD header: `fields` with lower-case names, key/value `pairs`, and `offset`, where the pixels begin."""

    def __init__(self, data: bytes) -> None:
        stream = BytesIO(data[:_HEADER_BYTES])
        self.fields: dict[str, str] = {}
        self.pairs: dict[str, str] = {}
        stream.readline()
        while (line := stream.readline()).strip(b"\r\n"):
            text = line.decode("latin-1").strip()
            name, colon, value = text.partition(":")
            if text.startswith("#"):
                continue
            if not colon:
                raise FormatError("expected 'field: value' lines in the NRRD header, got others; export it again")
            if value.startswith("="):
                self.pairs[name.strip()] = value[1:].strip()
            else:
                self.fields[name.strip().lower()] = value.strip()
        if not line and len(data) > _HEADER_BYTES:
            raise FormatError("expected a NRRD header of at most 256 KiB, got a longer one; export the image again")
        self.offset = stream.tell()

    def get(self, *names: str) -> str:
        """The first of the fields that is there, else ""."""
        return next((self.fields[name] for name in names if name in self.fields), "")

    def need(self, name: str) -> str:
        """A field that must be there."""
        if name not in self.fields:
            raise FormatError(f"expected the NRRD field '{name}', the header has none; export the image again")
        return self.fields[name]


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """What a NRRD header says about its axes, fastest first.

    channel   the axis of the colours, `frame` the axis that is neither space nor colour; None where there is none
    """

    sizes: tuple[int, ...]
    lattice: Lattice
    channel: int | None
    frame: int | None


def dtype_of(fields: Fields) -> np.dtype:
    """The type of the stored numbers, in the byte order of the file."""
    name = fields.need("type").lower()
    if name not in _DTYPES:
        raise FormatError(f"expected a NRRD type of real numbers, got {name[:40]!r}; export the image again")
    dtype = _DTYPES[name]
    endian = fields.get("endian").lower() or "little"
    if endian not in ("little", "big"):
        raise FormatError(f"expected endian little or big, got {endian[:40]!r}; export the image again")
    return dtype.newbyteorder("<" if endian == "little" else ">")


def axes_of(fields: Fields) -> Axes:
    """The axes: which are space and where they lie, which are colour or frames."""
    dimension = sizes_of(fields.need("dimension"), 1)[0]
    if not 2 <= dimension <= 5:
        raise FormatError(f"expected a NRRD of 2 to 5 axes, got {dimension}; export one image")
    sizes = sizes_of(fields.need("sizes"), dimension)
    steps = _directions(fields, dimension)
    kinds = [kind.lower() for kind in fields.get("kinds").split()] or [""] * dimension
    if len(kinds) != dimension:
        raise FormatError(f"expected one kind for each of {dimension} axes, got {len(kinds)}; export the image again")
    spatial = _spatial(kinds, steps, dimension)
    others = [axis for axis in range(dimension) if axis not in spatial]
    is_bytes = dtype_of(fields).str == "|u1"
    colours = {axis for axis in others if is_bytes and sizes[axis] == 3 and kinds[axis] in ("vector", "3-vector")}
    channel = next((axis for axis in others if kinds[axis] in _CHANNEL_KINDS or axis in colours), None)
    left = [axis for axis in others if axis != channel]
    if len(spatial) not in (2, 3) or len(left) > 1:
        raise FormatError(
            f"expected two or three axes in space and one of colour or time, got {len(spatial)} and {len(others)}; "
            "export one image"
        )
    if any("vector" in kinds[axis] or "matrix" in kinds[axis] for axis in left):
        raise FormatError("expected gray or colour voxels, got vectors or tensors; export a scalar image")
    return Axes(sizes, _lattice(fields, sizes, spatial, steps), channel, left[0] if left else None)


def _directions(fields: Fields, dimension: int) -> list[np.ndarray | None] | None:
    """The step of each axis in the file's space; None for an axis that is not in space."""
    text = fields.get("space directions")
    if not text:
        return None
    found = [None if word == "none" else vector(word) for word in _vectors(text)]
    # In a space of four dimensions time is a direction too: (0,0,0,1).
    steps = [step if step is not None and step.any() else None for step in found]
    if len(steps) != dimension:
        raise FormatError(f"expected {dimension} space directions, got {len(steps)}; export the image again")
    return steps


def _spatial(kinds: list[str], steps: list[np.ndarray | None] | None, dimension: int) -> list[int]:
    """The axes that are space: those with a direction, else those of a spatial kind, at most the first three."""
    if steps is not None:
        return [axis for axis in range(dimension) if steps[axis] is not None]
    return [axis for axis in range(dimension) if kinds[axis] in _SPATIAL_KINDS][:3]


def _lattice(
    fields: Fields, sizes: tuple[int, ...], spatial: list[int], steps: list[np.ndarray | None] | None
) -> Lattice:
    """Where the spatial axes lie, in LPS."""
    space = fields.get("space").lower().removesuffix("-time")
    signs = np.array(_SPACES.get(space, (1, 1, 1)), dtype=float)
    inner = tuple(sizes[axis] for axis in spatial)
    if steps is None:
        return Lattice(inner, _plain_axes(fields, len(sizes), spatial), np.zeros(3), False)
    axes = np.array([steps[axis] for axis in spatial]) * signs
    scale = [_scale(unit.strip()) for unit in fields.get("space units").replace('"', " ").split()] or [1.0] * 3
    axes = axes * np.array((*scale, 1.0, 1.0)[:3])
    origin = fields.get("space origin")
    place = vector(origin) * signs * np.array((*scale, 1.0, 1.0)[:3]) if origin else np.zeros(3)
    return Lattice(inner, axes, place, space in _SPACES)


def _scale(unit: str) -> float:
    if unit.lower() not in _UNITS_MM:
        raise FormatError(f"expected space units of length, got {unit[:20]!r}; export the image in mm")
    return _UNITS_MM[unit.lower()]


def _plain_axes(fields: Fields, dimension: int, spatial: list[int]) -> np.ndarray | None:
    """Axis-aligned steps from "spacings"; None where it is missing or NaN."""
    text = fields.get("spacings")
    if not text:
        return None
    words = text.split()
    if len(words) != dimension:
        raise FormatError(f"expected {dimension} spacings, got {len(words)}; export the image again")
    if any(words[axis].lower() == "nan" for axis in spatial):
        return None
    steps = [numbers(words[axis], 1)[0] for axis in spatial]
    return np.diag([*steps, 1.0][:3])[: len(spatial)]


def frames_of(fields: Fields, count: int, space_signs: np.ndarray | None = None) -> Frames:
    """What the frame axis counts: b-values where the header says diffusion, times where it holds them, else frames."""
    index = np.arange(count, dtype=np.float64)
    if "DWMRI_b-value" in fields.pairs:
        gradients = [fields.pairs.get(f"DWMRI_gradient_{n:04d}", "") for n in range(count)]
        if all(gradients):
            return _diffusion(fields, gradients, index)
    if "times_s" in fields.pairs:
        return Frames(fields.pairs.get("axis", "time"), np.array(numbers(fields.pairs["times_s"], count)))
    return Frames("frame", index)


def _diffusion(fields: Fields, gradients: list[str], index: np.ndarray) -> Frames:
    """b-values and unit directions: b = b_max·|g|²/|g|max² (NA-MIC DWI NRRD convention), g in the measurement frame."""
    vectors = np.array([numbers(text, 3) for text in gradients])
    frame = fields.get("measurement frame")
    if frame:
        vectors = vectors @ np.array([vector(word) for word in _vectors(frame)])
    vectors = vectors * np.array(_SPACES.get(fields.get("space").lower(), (1, 1, 1)))
    norms = np.linalg.norm(vectors, axis=1)
    longest = max(float(norms.max()), 1e-12)
    bvals = numbers(fields.pairs["DWMRI_b-value"], 1)[0] * (norms / longest) ** 2
    directions = np.divide(vectors, norms[:, None], out=np.zeros_like(vectors), where=norms[:, None] > 0)
    return Frames("diffusion", index, bvals, directions)


def _vectors(text: str) -> list[str]:
    """The words of "(1,0,0) none (0, 1, 0)"."""
    return text.replace(", ", ",").replace("( ", "(").replace(" )", ")").replace(")(", ") (").split()


def vector(text: str) -> np.ndarray:
    """A vector "(x,y,z)", "(x,y)" or, with time, "(x,y,z,t)" in space: three numbers."""
    if not (text.startswith("(") and text.endswith(")")):
        raise FormatError("expected vectors in brackets in the NRRD header, got others; export the image again")
    values = numbers(text[1:-1].replace(",", " "))
    if len(values) not in (2, 3, 4):
        raise FormatError(f"expected vectors of two to four numbers, got {len(values)}; export one image")
    return np.array((*values, 0.0)[:3])
