import io

import numpy as np
import pypdf
from PIL import Image

from isocenter.reporting.fonts import CJK, LATIN, cut_face
from isocenter.reporting.pdf_file import PdfObjects, objects_of_font, text_string, write_pdf
from isocenter.reporting.pdf_layout import Frame, Picture, Words


def _png(image: np.ndarray, mode: str | None = None, **options) -> bytes:
    stream = io.BytesIO()
    picture = Image.fromarray(image)
    (picture.convert(mode) if mode else picture).save(stream, "PNG", **options)
    return stream.getvalue()


def _write(marks, pictures) -> pypdf.PdfReader:
    words = "".join(mark.text for mark in marks if isinstance(mark, Words))
    faces = {LATIN: cut_face(LATIN, words), CJK: cut_face(CJK, words)}
    info = {"Title": "报告 (a) \\ b", "Producer": "Isocenter"}
    data = write_pdf([marks, []], faces, pictures, info=info, created="2026-01-02T03:04:05Z", language="zh-CN")
    return pypdf.PdfReader(io.BytesIO(data), strict=True)


def test_words_can_be_read_back():
    reader = _write([Words(20, 30, "9.8 mm", 10), Words(20, 40, "右肺结节", 10)], {})
    assert len(reader.pages) == 2
    text = reader.pages[0].extract_text()
    assert "9.8 mm" in text and "右肺结节" in text


def test_title_date_and_language_are_stated():
    reader = _write([Words(20, 30, "a", 10), Frame(1, 1, 5, 5, 0), Frame(1, 1, 5, 5)], {})
    assert reader.metadata["/Title"] == "报告 (a) \\ b"
    assert reader.metadata.creation_date.isoformat() == "2026-01-02T03:04:05+00:00"
    assert reader.trailer["/Root"]["/Lang"] == "zh-CN"


def test_a_picture_comes_back_pixel_for_pixel_from_its_own_compressed_rows():
    rng = np.random.default_rng(2)
    gray, colour = rng.integers(0, 256, (31, 47), np.uint8), rng.integers(0, 256, (31, 47, 3), np.uint8)
    palette = _png(np.zeros((8, 8, 3), np.uint8), "P")
    marks = [Words(1, 1, "a", 9), *(Picture(20, 30, 40, 20, name) for name in ("g", "c", "p"))]
    reader = _write(marks, {"g": _png(gray), "c": _png(colour), "p": palette, "unused": b""})
    images = [np.asarray(image.image) for image in reader.pages[0].images]
    assert len(images) == 3
    assert any(np.array_equal(image, gray) for image in images)
    assert any(np.array_equal(image, colour) for image in images)


def test_a_string_cannot_end_early():
    assert text_string(") >> endobj") == "<FEFF" + ") >> endobj".encode("utf-16-be").hex().upper() + ">"


def test_the_font_says_how_wide_its_glyphs_are():
    objects = PdfObjects()
    number = objects_of_font(objects, CJK, cut_face(CJK, "右"))
    assert b"/Subtype /Type0" in objects.bodies[number - 1]
    assert any(b"[1000]" in body for body in objects.bodies)
    assert objects.add_stream("", b"x" * 1000) == number + 1 and len(objects.bodies[-1]) < 200
    assert objects.file(root=1, info=2).startswith(b"%PDF-1.7")
