"""Pages of words, rectangles and pictures as one PDF file; reportlab writes it."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from threading import Lock

from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from isocenter.reporting.fonts import LATIN, LATIN_BOLD, FaceName, font_bytes
from isocenter.reporting.pdf_layout import HEIGHT_MM, WIDTH_MM, Mark, Picture, Words, runs

_POINTS_PER_MM = 72 / 25.4
_FRAME_PT = 0.8
# Text rendering modes: ISO 32000-1:2008, table 106.
_FILL, _FILL_AND_STROKE = 0, 2
# Of the font size; about the difference between the stems of the Latin faces, regular and bold.
_BOLD_STROKE = 0.03
_REGISTERING = Lock()
# Streams as bytes, not as ASCII characters: a fifth smaller, and pictures take half the time.
rl_config.useA85 = 0


def write_pdf(
    pages: Sequence[Sequence[Mark]],
    pictures_png: Mapping[str, bytes],
    *,
    title: str,
    creator: str,
    created: str,
    language: str,
) -> bytes:
    """The pages as a PDF file with its fonts inside; the same pages always give the same bytes.

    pictures_png   PNG bytes by the names that the pages use
    created        ISO 8601 in UTC, or "" to leave the date empty
    """
    _register(LATIN)
    stream = io.BytesIO()
    size = (WIDTH_MM * _POINTS_PER_MM, HEIGHT_MM * _POINTS_PER_MM)
    canvas = Canvas(
        stream, size, pageCompression=1, invariant=1, pdfVersion=(1, 7), initialFontName=LATIN, lang=language
    )
    canvas.setTitle(title)
    canvas.setCreator(creator)
    canvas.setProducer("Isocenter")
    canvas.setAuthor("")
    canvas.setSubject("")
    canvas.setViewerPreference("DisplayDocTitle", "true")
    digits = "".join(char for char in created if char.isdigit())
    canvas.setDateFormatter(lambda *_: f"D:{digits}Z" if len(digits) == 14 else "")
    wanted = {mark.name for marks in pages for mark in marks if isinstance(mark, Picture)}
    pictures = {name: ImageReader(io.BytesIO(pictures_png[name])) for name in sorted(wanted)}
    # The file's ID is made of this; reportlab's own would be the time in SOURCE_DATE_EPOCH and the title.
    canvas._doc.signature = hashlib.sha256(repr((pages, created)).encode())
    for name in pictures:
        canvas._doc.signature.update(pictures_png[name])
    for marks in pages:
        for mark in marks:
            _draw(canvas, mark, pictures)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _register(name: FaceName) -> None:
    """Make a face known to reportlab, which keeps fonts by name for the whole process."""
    with _REGISTERING:
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, io.BytesIO(font_bytes(name))))


def _draw(canvas: Canvas, mark: Mark, pictures: Mapping[str, ImageReader]) -> None:
    """One mark on the current page; PDF's y runs upwards from the bottom."""
    x, y = mark.x * _POINTS_PER_MM, (HEIGHT_MM - mark.y) * _POINTS_PER_MM
    if isinstance(mark, Words):
        _draw_words(canvas, mark, x, y)
        return
    wide, tall = mark.width * _POINTS_PER_MM, mark.height * _POINTS_PER_MM
    if isinstance(mark, Picture):
        canvas.drawImage(pictures[mark.name], x, y - tall, wide, tall)
    elif mark.fill is None:
        canvas.setStrokeGray(0)
        canvas.setLineWidth(_FRAME_PT)
        canvas.rect(x, y - tall, wide, tall, stroke=1, fill=0)
    else:
        canvas.setFillGray(mark.fill / 255)
        canvas.rect(x, y - tall, wide, tall, stroke=0, fill=1)


def _draw_words(canvas: Canvas, words: Words, x: float, y: float) -> None:
    """A line of text, one run per face; where a face has no bold, its outlines are drawn, too."""
    canvas.setFillGray(words.gray / 255)
    canvas.setStrokeGray(words.gray / 255)
    canvas.setLineWidth(_BOLD_STROKE * words.size_pt)
    line = canvas.beginText(x, y)
    for name, text in runs(words.text, bold=words.bold):
        _register(name)
        line.setFont(name, words.size_pt)
        line.setTextRenderMode(_FILL_AND_STROKE if words.bold and name != LATIN_BOLD else _FILL)
        line.textOut(text)
    line.setTextRenderMode(_FILL)
    canvas.drawText(line)
