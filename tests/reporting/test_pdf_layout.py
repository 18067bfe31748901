import pytest

from isocenter.reporting.fonts import CHINESE, LATIN, LATIN_BOLD, SYMBOLS
from isocenter.reporting.pdf_layout import (
    BOTTOM_MM,
    INNER_MM,
    MARGIN_MM,
    TOP_MM,
    Column,
    Sheet,
    Words,
    runs,
    width_mm,
    wrap,
)

TEXT = "F1：右肺实性结节候选灶，平均直径9.8 mm（长径10.1 mm，短径9.5 mm），体积0.49 ml。A longword, and 3.14159."


@pytest.mark.parametrize("room", [12.0, 25.0, 60.0, 178.0])
def test_no_line_is_wider_than_its_room_and_nothing_is_lost(room):
    lines = wrap(TEXT, room, 9.5)
    assert all(width_mm(line, 9.5) <= room for line in lines)
    assert "".join(lines).replace(" ", "") == TEXT.replace(" ", "")


def test_a_line_breaks_between_chinese_characters_but_never_inside_a_number():
    for room in range(20, 60):
        lines = wrap(TEXT, float(room), 9.5)
        for number in ("9.8", "10.1", "9.5", "0.49"):
            assert any(number in line for line in lines)
        assert not any(line[0] in "，。）" or line[-1] == "（" for line in lines if line)


def test_a_word_wider_than_the_room_is_broken():
    lines = wrap("sha256:" + "0123456789abcdef" * 4, 30.0, 8)
    assert len(lines) > 2 and "".join(lines).endswith("abcdef")


def test_a_character_without_a_glyph_is_spelled_in_the_line():
    assert wrap("가나", 100, 9) == ["[U+AC00][U+B098]"]


def test_a_text_is_set_in_runs_of_one_face():
    assert list(runs("a≥右b", bold=True)) == [(LATIN_BOLD, "a"), (SYMBOLS, "≥"), (CHINESE, "右"), (LATIN_BOLD, "b")]
    assert list(runs("ab", bold=False)) == [(LATIN, "ab")]


def test_long_text_flows_onto_further_pages_inside_the_margins():
    sheet = Sheet()
    for _ in range(60):
        sheet.lines(TEXT)
    sheet.heading("Heading")
    sheet.table(("a", "b"), [(TEXT, "1")] * 30, (0.7, 0.3))
    assert len(sheet.pages) > 2
    for marks in sheet.pages:
        for mark in marks:
            assert MARGIN_MM - 0.01 <= mark.x <= MARGIN_MM + INNER_MM and TOP_MM <= mark.y <= BOTTOM_MM + 0.2
            if isinstance(mark, Words):
                assert mark.x + width_mm(mark.text, mark.size_pt, bold=mark.bold) <= MARGIN_MM + INNER_MM + 0.1


def test_space_is_not_left_at_the_top_of_a_page():
    sheet = Sheet()
    sheet.space(5)
    assert sheet.y == TOP_MM
    sheet.lines("a", Column(20, 50))
    below = sheet.y
    sheet.space(5)
    assert sheet.y == below + 5


def test_a_table_repeats_its_head_on_every_page_and_cuts_an_endless_cell():
    sheet = Sheet()
    sheet.table(("Term", "Effect"), [("a", "b")] * 120 + [("x" * 9000, "c")], (0.3, 0.7))
    assert len(sheet.pages) >= 3
    for marks in sheet.pages:
        words = [mark for mark in marks if isinstance(mark, Words)]
        assert words[0].text == "Term" and words[0].bold
        assert max(mark.y for mark in marks) <= BOTTOM_MM + 0.2
