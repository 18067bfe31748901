"""The fonts that reports carry with them, cut to the characters that they print.

Fonts on disk are WOFF files in `fonts/` (TrueType outlines). A cut is a complete TrueType font of the wanted
characters only; the same characters always give the same bytes.
Source: Microsoft/Apple OpenType specification 1.9, tables cmap, glyf, head, hhea, hmtx, loca, maxp.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

FaceName = Literal["NotoSans-Regular", "NotoSans-Bold", "NotoSansMath", "DroidSansFallback"]
LATIN: FaceName = "NotoSans-Regular"
LATIN_BOLD: FaceName = "NotoSans-Bold"
SYMBOLS: FaceName = "NotoSansMath"
CJK: FaceName = "DroidSansFallback"

_FIRST_CJK = 0x2E80
_CHECKSUM_MAGIC = 0xB1B0AFBA
_COMPOSITE_WORDS, _COMPOSITE_SCALE, _COMPOSITE_MORE = 0x0001, 0x0008, 0x0020
_COMPOSITE_XY_SCALE, _COMPOSITE_2X2 = 0x0040, 0x0080
# Drawn by no font: controls, marks of direction, joiners, the byte order mark.
_INVISIBLE = frozenset(
    chr(code)
    for block in (range(0x20), range(0x7F, 0xA0), range(0x200B, 0x2010), range(0x202A, 0x202F), (0xFEFF,))
    for code in block
)
_KEPT = ("OS/2", "head", "hhea", "maxp", "name", "post")


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One font file, ready to be cut.

    glyph_by_char   code point -> glyph number
    offsets         of each glyph in `outlines`, one more than there are glyphs
    advances        widths in font units, one per glyph
    bearings        where the outline begins, one per glyph
    """

    glyph_by_char: Mapping[int, int] = field(repr=False)
    outlines: bytes = field(repr=False)
    offsets: np.ndarray = field(repr=False)
    advances: np.ndarray = field(repr=False)
    bearings: np.ndarray = field(repr=False)
    kept: Mapping[str, bytes] = field(repr=False)

    @property
    def units_per_em(self) -> int:
        """Font units per font size."""
        return int.from_bytes(self.kept["head"][18:20], "big")

    def width(self, text: str, size: float) -> float:
        """Width of a line set in a font size, in the unit of the size; characters that the face lacks count nothing."""
        units = sum(int(self.advances[self.glyph_by_char[ord(c)]]) for c in text if ord(c) in self.glyph_by_char)
        return units * size / self.units_per_em

    def glyph(self, number: int) -> bytes:
        """The outline record of a glyph; empty for a blank."""
        return self.outlines[self.offsets[number] : self.offsets[number + 1]]


@dataclass(frozen=True, slots=True, eq=False)
class CutFace:
    """A font of some characters only.

    data            the TrueType file
    glyph_by_char   code point -> glyph number in it
    """

    data: bytes = field(repr=False)
    glyph_by_char: Mapping[int, int] = field(repr=False)


@cache
def load_face(name: FaceName) -> Face:
    """A font of ours by its name, read once per process."""
    tables = _read_woff(files("isocenter.reporting").joinpath(f"fonts/{name}.woff").read_bytes())
    long_offsets = struct.unpack(">h", tables["head"][50:52])[0]
    offsets = np.frombuffer(tables["loca"], ">u4" if long_offsets else ">u2").astype(np.int64)
    offsets = offsets if long_offsets else offsets * 2
    n_metrics = struct.unpack(">H", tables["hhea"][34:36])[0]
    # hmtx: (advance, bearing) of the first glyphs, then bearings only, under the last advance.
    pairs = np.frombuffer(tables["hmtx"][: 4 * n_metrics], ">u2,>i2")
    rest = np.frombuffer(tables["hmtx"][4 * n_metrics :], ">i2")
    advances = np.pad(pairs["f0"].astype(np.int64), (0, len(rest)), mode="edge")
    bearings = np.concatenate([pairs["f1"], rest]).astype(np.int64)
    kept = {tag: tables[tag] for tag in _KEPT}
    return Face(_characters(tables["cmap"]), tables["glyf"], offsets, advances, bearings, kept)


def _read_woff(data: bytes) -> dict[str, bytes]:
    """The tables of a WOFF 1.0 file. Source: W3C WOFF File Format 1.0, sections 3 to 5."""
    tables = {}
    for n in range(struct.unpack(">H", data[12:14])[0]):
        tag, at, packed, size, _ = struct.unpack(">4sIIII", data[44 + 20 * n : 64 + 20 * n])
        table = data[at : at + packed]
        tables[tag.decode("ascii")] = zlib.decompress(table) if packed < size else table
    return tables


def _characters(cmap: bytes) -> dict[int, int]:
    """Code point -> glyph, from a cmap whose only table is of format 12, as ours are."""
    groups = np.frombuffer(cmap[28:], ">u4").reshape(-1, 3).astype(np.int64)
    return {first + n: glyph + n for first, last, glyph in groups.tolist() for n in range(last - first + 1)}


def face_of(char: str) -> FaceName | None:
    """The first of Latin, symbols and Chinese that draws a character; None if none does. Reads no font too many."""
    for name in (LATIN, SYMBOLS) if ord(char) < _FIRST_CJK else (LATIN, SYMBOLS, CJK):
        if ord(char) in load_face(name).glyph_by_char:
            return name
    return None


def faces_of(text: str) -> dict[FaceName, str]:
    """The characters that each face has to draw, each once and sorted; faces that draw none are left out."""
    chars_by_face: dict[FaceName, str] = {}
    for char in sorted(set(text)):
        name = face_of(char)
        if name:
            chars_by_face[name] = chars_by_face.get(name, "") + char
    return chars_by_face


def missing_characters(text: str) -> tuple[str, ...]:
    """The characters that no embedded font draws, each once, in order; controls are not counted."""
    return tuple(char for char in dict.fromkeys(text) if char not in _INVISIBLE and face_of(char) is None)


def printable(text: str) -> str:
    """The text with every character that no embedded font draws spelled as its code point: no empty box, nothing lost.

    >>> printable("王\\U0002a6d6")
    '王[U+2A6D6]'
    """
    missing = missing_characters(text)
    spelled = str.maketrans(
        {char: f"[U+{ord(char):04X}]" for char in missing} | {c: " " for c in _INVISIBLE if c != "\n"}
    )
    return text.translate(spelled)


def cut_face(name: FaceName, text: Iterable[str]) -> CutFace:
    """A TrueType font of the characters of a text that this face has; the order of the text does not matter."""
    face = load_face(name)
    chars = sorted({ord(char) for char in text} & face.glyph_by_char.keys())
    glyphs = _closure(face, [0, *(face.glyph_by_char[char] for char in chars)])
    new_by_old = {old: new for new, old in enumerate(glyphs)}
    records = [_renumber(face.glyph(old), new_by_old) for old in glyphs]
    offsets = np.cumsum([0, *(len(record) for record in records)])
    advances = face.advances[glyphs]
    metrics = np.stack([advances, face.bearings[glyphs] & 0xFFFF], axis=1).astype(">u2")
    head = bytearray(face.kept["head"])
    head[8:12] = bytes(4)
    head[50:52] = struct.pack(">h", 1)
    tables = {
        "OS/2": face.kept["OS/2"],
        "cmap": _cmap([(char, new_by_old[face.glyph_by_char[char]]) for char in chars]),
        "glyf": b"".join(records),
        "head": bytes(head),
        "hhea": face.kept["hhea"][:34] + struct.pack(">H", len(glyphs)),
        "hmtx": metrics.tobytes(),
        "loca": offsets.astype(">u4").tobytes(),
        "maxp": face.kept["maxp"][:4] + struct.pack(">H", len(glyphs)) + face.kept["maxp"][6:],
        "name": face.kept["name"],
        "post": face.kept["post"],
    }
    return CutFace(_assemble(tables), {char: new_by_old[face.glyph_by_char[char]] for char in chars})


def _components(record: bytes) -> list[tuple[int, int]]:
    """(offset of the glyph number, glyph number) of each part of a composite glyph; none for a simple one."""
    if not record or struct.unpack(">h", record[:2])[0] >= 0:
        return []
    parts, at, more = [], 10, True
    while more:
        flags, glyph = struct.unpack(">HH", record[at : at + 4])
        parts.append((at + 2, glyph))
        at += 8 if flags & _COMPOSITE_WORDS else 6
        at += (
            2 * bool(flags & _COMPOSITE_SCALE)
            + 4 * bool(flags & _COMPOSITE_XY_SCALE)
            + 8 * bool(flags & _COMPOSITE_2X2)
        )
        more = bool(flags & _COMPOSITE_MORE)
    return parts


def _closure(face: Face, glyphs: Iterable[int]) -> list[int]:
    """The glyphs and all that they are made of; .notdef first, in order of glyph number."""
    found: set[int] = set()
    waiting = list(glyphs)
    while waiting:
        glyph = waiting.pop()
        if glyph not in found:
            found.add(glyph)
            waiting += [part for _, part in _components(face.glyph(glyph))]
    return sorted(found)


def _renumber(record: bytes, new_by_old: Mapping[int, int]) -> bytes:
    changed = bytearray(record)
    for at, glyph in _components(record):
        changed[at : at + 2] = struct.pack(">H", new_by_old[glyph])
    return bytes(changed + bytes(-len(changed) % 4))


def _cmap(pairs: list[tuple[int, int]]) -> bytes:
    """A cmap with one format 12 table, a group per character."""
    groups = b"".join(struct.pack(">III", char, char, glyph) for char, glyph in pairs)
    return (
        struct.pack(">HHHHI", 0, 1, 3, 10, 12) + struct.pack(">HHIII", 12, 0, 16 + len(groups), 0, len(pairs)) + groups
    )


def _checksum(data: bytes) -> int:
    return int(np.frombuffer(data + bytes(-len(data) % 4), ">u4").sum(dtype=np.uint64)) & 0xFFFFFFFF


def _assemble(tables: Mapping[str, bytes]) -> bytes:
    """The tables behind a directory, with the whole file's checksum put into `head`."""
    power = len(tables).bit_length() - 1
    directory = struct.pack(">IHHHH", 0x00010000, len(tables), 16 << power, power, 16 * len(tables) - (16 << power))
    at, body, head_at = 12 + 16 * len(tables), b"", 0
    for tag, data in tables.items():
        head_at = at if tag == "head" else head_at
        directory += struct.pack(">4sIII", tag.encode(), _checksum(data), at, len(data))
        body += data + bytes(-len(data) % 4)
        at += len(data) + -len(data) % 4
    font = bytearray(directory + body)
    font[head_at + 8 : head_at + 12] = struct.pack(">I", (_CHECKSUM_MAGIC - _checksum(bytes(font))) & 0xFFFFFFFF)
    return bytes(font)
