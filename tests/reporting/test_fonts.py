import io
import time

import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont

from isocenter.reporting import fonts

TEXT = "右肺上叶实性结节，平均直径（±）"
FACES = (fonts.LATIN, fonts.LATIN_BOLD, fonts.SYMBOLS, fonts.CHINESE, fonts.CHINESE_RARE)


def _ideographs_of_gb2312() -> str:
    characters = []
    for row in range(0xB0, 0xF8):
        last = 0xF9 if row == 0xD7 else 0xFE
        characters += [bytes((row, cell)).decode("gb2312") for cell in range(0xA1, last + 1)]
    assert len(characters) == 6763
    return "".join(characters)


def test_every_ideograph_of_gb2312_is_drawn_by_the_common_chinese_font():
    assert set(_ideographs_of_gb2312()) <= set(fonts.advances_em(fonts.CHINESE))


def test_rare_names_of_extension_a_and_european_names_are_covered():
    assert fonts.missing_characters("䶮㛃 Łukasz Ñandú Ελένη Дмитрий Å ß") == ()


def test_bold_latin_draws_what_latin_draws():
    assert fonts.advances_em(fonts.LATIN).keys() == fonts.advances_em(fonts.LATIN_BOLD).keys()


def test_a_character_without_a_glyph_is_spelled_and_never_lost():
    assert fonts.printable("王\U0002a6d6 가≥") == "王[U+2A6D6] [U+AC00]≥"
    assert fonts.printable("a\x00\u202e\u2028b") == "a   b"


def test_the_fonts_together_stay_small():
    folder = fonts.files("isocenter.reporting").joinpath("fonts")
    assert {path.name for path in folder.iterdir() if path.name.endswith(".woff")} == {f"{n}.woff" for n in FACES}
    assert sum(len(path.read_bytes()) for path in folder.iterdir()) < 3_000_000


@pytest.mark.parametrize("name", FACES)
def test_a_cut_font_draws_exactly_what_the_whole_one_draws(name):
    text = {fonts.SYMBOLS: "≥≤→", fonts.CHINESE: "右肺结节，（直", fonts.CHINESE_RARE: "䶮㛃"}.get(name, "Åé±mm 14.2")
    cut, whole = (TTFont(io.BytesIO(data)) for data in (fonts.cut_font(name, text), fonts.font_bytes(name)))
    assert set(cut.getBestCmap()) == {ord(char) for char in text}
    assert cut["maxp"].numGlyphs < 60
    assert _outlines(cut, text) == _outlines(whole, text)


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


def test_the_same_characters_give_the_same_bytes_in_any_order():
    assert fonts.cut_font(fonts.CHINESE, TEXT) == fonts.cut_font(fonts.CHINESE, TEXT[::-1] * 2)


def test_cutting_five_hundred_characters_takes_a_fraction_of_a_second():
    text = _ideographs_of_gb2312()[::13]
    fonts.cut_font(fonts.CHINESE, "一")
    started = time.process_time()
    fonts.cut_font(fonts.CHINESE, text)
    assert time.process_time() - started < 0.3


def test_latin_text_is_set_without_the_chinese_font():
    assert list(fonts.faces_of("9.8 ± 0.4 mm")) == [fonts.LATIN]
    assert set(fonts.faces_of("≥ 6 mm 右䶮")) == {fonts.LATIN, fonts.SYMBOLS, fonts.CHINESE, fonts.CHINESE_RARE}
    assert fonts.face_of("\U0001f431") is None


def test_chinese_characters_are_as_wide_as_they_are_high():
    assert fonts.advances_em(fonts.CHINESE)["右"] == fonts.advances_em(fonts.CHINESE_RARE)["䶮"] == 1.0
    assert fonts.advances_em(fonts.LATIN)["i"] < 0.4
