import io
import time

import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

from isocenter.reporting import fonts

TEXT = "右肺上叶实性结节，平均直径（±）"


def test_every_character_of_gb2312_has_a_glyph():
    characters = []
    for row in range(0xB0, 0xF8):
        last = 0xF9 if row == 0xD7 else 0xFE
        characters += [bytes((row, cell)).decode("gb2312") for cell in range(0xA1, last + 1)]
    assert len(characters) == 6763
    assert fonts.missing_characters("".join(characters)) == ()


def test_rare_names_of_extension_a_and_european_names_are_covered():
    assert fonts.missing_characters("䶮㛃 Łukasz Ñandú Ελένη Дмитрий Å ß") == ()


def test_a_character_without_a_glyph_is_spelled_and_never_lost():
    assert fonts.printable("王\U0002a6d6 가≥") == "王[U+2A6D6] [U+AC00]≥"
    assert fonts.printable("a\x00\u202eb") == "a  b"


@pytest.mark.parametrize("name", [fonts.LATIN, fonts.LATIN_BOLD, fonts.SYMBOLS, fonts.CJK])
def test_a_cut_font_draws_exactly_what_the_whole_one_draws(name):
    text = {fonts.SYMBOLS: "≥≤→", fonts.CJK: "右肺结节，（直"}.get(name, "Åé±mm 14.2")
    cut = fonts.cut_face(name, text)
    path = fonts.files("isocenter.reporting").joinpath(f"fonts/{name}.woff")
    whole = TTFont(io.BytesIO(path.read_bytes()))
    assert _outlines(TTFont(io.BytesIO(cut.data)), text) == _outlines(whole, text)


def _outlines(font: TTFont, text: str) -> list[object]:
    """What each character draws, in font units, and how far it moves the pen."""
    glyphs, names = font.getGlyphSet(), font.getBestCmap()
    drawn = []
    for char in text:
        pen = DecomposingRecordingPen(glyphs)
        glyphs[names[ord(char)]].draw(pen)
        drawn.append((pen.value, font["hmtx"][names[ord(char)]]))
    assert any(strokes for strokes, _ in drawn)
    return drawn


def test_a_cut_font_is_a_sound_file_of_only_those_glyphs():
    cut = fonts.cut_face(fonts.CJK, TEXT)
    font = TTFont(io.BytesIO(cut.data), checkChecksums=2)
    assert set(font.getBestCmap()) == cut.glyph_by_char.keys()
    assert font["maxp"].numGlyphs < 60
    widths = font["hmtx"]
    for glyph in font.getGlyphOrder():
        assert widths[glyph][0] >= 0 and font["glyf"][glyph] is not None


def test_the_same_characters_give_the_same_bytes_in_any_order():
    assert fonts.cut_face(fonts.CJK, TEXT).data == fonts.cut_face(fonts.CJK, TEXT[::-1] * 2).data


def test_cutting_five_hundred_characters_takes_less_than_a_tenth_of_a_second():
    text = "".join(chr(0x4E00 + 7 * n) for n in range(500))
    fonts.cut_face(fonts.CJK, "一")
    started = time.perf_counter()
    fonts.cut_face(fonts.CJK, text)
    assert time.perf_counter() - started < 0.1


def test_latin_text_is_set_without_the_chinese_font():
    assert list(fonts.faces_of("9.8 ± 0.4 mm")) == [fonts.LATIN]
    assert list(fonts.faces_of("≥ 6 mm 右")) == [fonts.LATIN, fonts.SYMBOLS, fonts.CJK]
    assert fonts.face_of("\U0001f431") is None


def test_a_width_is_the_sum_of_the_advances():
    face = fonts.load_face(fonts.CJK)
    assert face.width("右肺", 10.0) == pytest.approx(20.0)
    assert face.glyph(face.glyph_by_char[ord("右")])
    assert face.units_per_em == 256
