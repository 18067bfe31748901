import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pypdf
import pytest
from PIL import Image
from reportlab.pdfbase import pdfmetrics

from isocenter.reporting.fonts import CHINESE, CHINESE_RARE, LATIN, LATIN_BOLD, SYMBOLS
from isocenter.reporting.pdf_file import write_pdf
from isocenter.reporting.pdf_layout import Frame, Picture, Words, width_mm

MARKS = [Words(20, 30, "9.8 mm ≥ 右肺结节䶮", 10, bold=True), Frame(1, 1, 5, 5, 0), Frame(1, 1, 5, 5)]


def _png(image: np.ndarray, mode: str | None = None) -> bytes:
    stream = io.BytesIO()
    picture = Image.fromarray(image)
    (picture.convert(mode) if mode else picture).save(stream, "PNG")
    return stream.getvalue()


def _write(marks, pictures=None, *, title="报告 (a) \\ b", created="2026-01-02T03:04:05Z") -> bytes:
    return write_pdf([marks, []], pictures or {}, title=title, creator="isocenter", created=created, language="zh-CN")


def _read(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data), strict=True)


def test_words_can_be_read_back():
    reader = _read(_write(MARKS))
    assert len(reader.pages) == 2
    assert reader.pages[0].extract_text().strip() == "9.8 mm ≥ 右肺结节䶮"


def test_every_font_is_inside_the_file_and_knows_its_characters():
    fonts = [font.get_object() for font in _read(_write(MARKS)).pages[0]["/Resources"]["/Font"].values()]
    assert len(fonts) >= 4
    for font in fonts:
        assert "/FontFile2" in font["/FontDescriptor"] and "/ToUnicode" in font


def test_title_date_and_language_are_stated():
    reader = _read(_write(MARKS))
    assert reader.metadata["/Title"] == "报告 (a) \\ b"
    assert reader.metadata.creation_date.isoformat() == "2026-01-02T03:04:05+00:00"
    assert reader.trailer["/Root"]["/Lang"] == "zh-CN"
    assert reader.trailer["/Root"]["/ViewerPreferences"]["/DisplayDocTitle"]


def test_no_date_is_made_up():
    assert _read(_write(MARKS, created="")).metadata["/CreationDate"] == ""


@pytest.mark.parametrize("hostile", [") >> endobj", "\\", "(((", "/JS (alert)", "\u202e\x00"])
def test_a_title_cannot_end_early(hostile):
    reader = _read(_write([Words(20, 30, hostile.replace("\x00", ""), 10)], title=hostile))
    assert reader.metadata["/Title"] == hostile
    assert "/OpenAction" not in reader.trailer["/Root"] and "/Names" not in reader.trailer["/Root"]


@pytest.mark.parametrize("name", [LATIN, LATIN_BOLD, SYMBOLS, CHINESE, CHINESE_RARE])
def test_words_are_as_wide_as_the_layout_measures(name):
    text = {SYMBOLS: "≔→", CHINESE: "右肺，", CHINESE_RARE: "䶮㛃"}.get(name, "Will 9.8 mm")
    _write([Words(20, 30, text, 10, name == LATIN_BOLD)])
    written_mm = pdfmetrics.stringWidth(text, name, 10) * 25.4 / 72
    assert written_mm == pytest.approx(width_mm(text, 10, bold=name == LATIN_BOLD), abs=0.05)


def test_a_picture_comes_back_pixel_for_pixel():
    rng = np.random.default_rng(2)
    gray, colour = rng.integers(0, 256, (31, 47), np.uint8), rng.integers(0, 256, (31, 47, 3), np.uint8)
    palette = _png(np.zeros((8, 8, 3), np.uint8), "P")
    marks = [Words(1, 1, "a", 9), *(Picture(20, 30, 40, 20, name) for name in ("g", "c", "p"))]
    reader = _read(_write(marks, {"g": _png(gray), "c": _png(colour), "p": palette, "unused": b""}))
    images = [np.asarray(image.image) for image in reader.pages[0].images]
    assert len(images) == 3
    assert any(np.array_equal(image, gray) for image in images)
    assert any(np.array_equal(image, colour) for image in images)


def test_the_file_is_named_by_its_content_not_by_the_environment(monkeypatch):
    first = _write(MARKS)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert _write(MARKS) == first
    ids = [_read(_write([Words(20, 30, text, 10)])).trailer["/ID"][0] for text in ("a", "b")]
    assert ids[0] != ids[1]


def test_pages_written_at_the_same_time_do_not_disturb_each_other():
    texts = ["肺结节" + "一二三四五六七八"[n] for n in range(8)]
    alone = [_write([Words(20, 30, text, 10)]) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: _write([Words(20, 30, text, 10)]), texts))
    assert together == alone
