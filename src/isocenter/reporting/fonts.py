"""The fonts that reports carry with them: what they draw, how wide, and cuts of them for a page.

The files lie in `fonts/`; its README says where they come from and how they were made.
"""

import io
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

from fontTools import subset
from fontTools.ttLib import TTFont

FaceName = Literal[
    "NotoSans-Regular", "NotoSans-Bold", "NotoSansMath", "DroidSansFallback-Common", "DroidSansFallback-Rare"
]
LATIN: FaceName = "NotoSans-Regular"
LATIN_BOLD: FaceName = "NotoSans-Bold"
SYMBOLS: FaceName = "NotoSansMath"
# GB 2312 and punctuation; the rare ones are apart because a cut takes as long as its font is large.
CHINESE: FaceName = "DroidSansFallback-Common"
CHINESE_RARE: FaceName = "DroidSansFallback-Rare"

# Drawn by no font: controls, marks of direction, joiners, the byte order mark.
_INVISIBLE = frozenset(
    chr(code)
    for block in (range(0x20), range(0x7F, 0xA0), range(0x200B, 0x2010), range(0x2028, 0x202F), (0xFEFF,))
    for code in block
)


@cache
def font_bytes(name: FaceName) -> bytes:
    """A font of ours as a TrueType file, unpacked once per process."""
    packed = files("isocenter.reporting").joinpath(f"fonts/{name}.woff").read_bytes()
    stream = io.BytesIO()
    with TTFont(io.BytesIO(packed), lazy=True, recalcTimestamp=False) as font:
        font.flavor = None
        font.save(stream, reorderTables=None)
    return stream.getvalue()


@cache
def advances_em(name: FaceName) -> Mapping[str, float]:
    """How far each character that a font draws moves the pen, in font sizes."""
    with TTFont(io.BytesIO(font_bytes(name)), lazy=True) as font:
        units_per_em, metrics = font["head"].unitsPerEm, font["hmtx"]
        return {chr(code): metrics[glyph][0] / units_per_em for code, glyph in font.getBestCmap().items()}


def face_of(char: str) -> FaceName | None:
    """The first of Latin, symbols and Chinese that draws a character; None if none does. Reads no font too many."""
    return next((name for name in (LATIN, SYMBOLS, CHINESE, CHINESE_RARE) if char in advances_em(name)), None)


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


def cut_font(name: FaceName, chars: Iterable[str]) -> bytes:
    """A TrueType file of those of the characters that the font draws; their order does not matter."""
    options = subset.Options(hinting=False, glyph_names=False, layout_features=[], name_IDs=[], notdef_outline=True)
    options.bidi_closure = False
    stream = io.BytesIO()
    with TTFont(io.BytesIO(font_bytes(name)), lazy=True, recalcTimestamp=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=[ord(char) for char in chars])
        cutter.subset(font)
        font.save(stream)
    return stream.getvalue()
