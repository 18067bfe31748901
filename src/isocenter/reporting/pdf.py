"""A report as PDF: A4, the patient and the draft banner on every page, fonts inside."""

import io
from collections.abc import Mapping, Sequence
from itertools import groupby

from PIL import Image

from isocenter.core.report import Report
from isocenter.reporting.fonts import printable
from isocenter.reporting.locale import TAGS
from isocenter.reporting.pdf_file import write_pdf
from isocenter.reporting.pdf_layout import (
    BOTTOM_MM,
    HEIGHT_MM,
    INNER_MM,
    MARGIN_MM,
    PAGE_WIDE,
    TABLE_PT,
    TOP_MM,
    Column,
    Frame,
    Mark,
    Picture,
    Sheet,
    Words,
    width_mm,
    wrap,
)
from isocenter.reporting.view import CategoryView, FindingView, Pair, View, build_view

# Heights that figures may take: the first that spares a page is taken, else the largest.
_FIGURE_HEIGHTS_MM = (78.0, 64.0, 52.0)
# A finding that is longer than a page does not begin with less room than this.
_FINDING_HEAD_MM = 40.0


def render_pdf(report: Report, figures_png: Mapping[str, bytes], *, identity: bool) -> bytes:
    """The report as a PDF file in its language; the same report always gives the same bytes.

    figures_png   name of each figure -> PNG bytes
    identity      whether name, ID and birth date are printed

    A character that no embedded font draws is printed as its code point.
    """
    view = build_view(report, identity=identity)
    sizes = {name: _size(png) for name, png in figures_png.items()}
    # min takes the first of equals.
    sheet = min((_lay_out(view, sizes, tall) for tall in _FIGURE_HEIGHTS_MM), key=lambda laid: len(laid.pages))
    pages = [[*_margins(view, n, len(sheet.pages)), *marks] for n, marks in enumerate(sheet.pages, 1)]
    return write_pdf(
        pages,
        figures_png,
        title=view.title,
        creator=report.provenance.code,
        created=report.created,
        language=TAGS[report.language],
    )


def _size(png: bytes) -> tuple[int, int]:
    """Columns and rows."""
    with Image.open(io.BytesIO(png)) as picture:
        return picture.size


def _lay_out(view: View, sizes: Mapping[str, tuple[int, int]], figure_mm: float) -> Sheet:
    """The body of the report on as many pages as it takes, in the order of the HTML page."""
    sheet, words = Sheet(), view.labels
    sheet.lines(view.title, size_pt=16, bold=True)
    _facts(sheet, view)
    if view.abstained:
        _box(sheet, words["abstained"], view.abstained)
    for heading, paragraphs in view.sections:
        if heading == words["impression"]:
            _box(sheet, heading, "\n".join(paragraphs))
            continue
        sheet.heading(heading)
        for text in paragraphs:
            sheet.lines(text)
    _figures(sheet, view, sizes, figure_mm)
    if view.findings:
        sheet.heading(words["details"], follows_mm=_room_for(view.findings[0], words) + 8)
        for finding in view.findings:
            sheet.space(1.5)
            sheet.need(_room_for(finding, words))
            _finding(sheet, finding, words)
        if view.has_uncertainty:
            sheet.lines(words["uncertainty"], size_pt=8, gray=90)
    if view.quality:
        sheet.heading(words["quality"])
        head = (words["check"], words["value"], words["limit"], words["result"])
        sheet.table(head, view.quality, (0.46, 0.18, 0.18, 0.18))
    if view.failures:
        sheet.heading(words["failures"])
        sheet.table((words["file"], words["problem"]), view.failures, (0.35, 0.65))
    # Together on a page, so that none holds the sources alone.
    trial = Sheet()
    _origin(trial, view)
    sheet.need(trial.y - TOP_MM + 3.5)
    _origin(sheet, view)
    return sheet


def _origin(sheet: Sheet, view: View) -> None:
    """Models, inputs and sources."""
    words = view.labels
    sheet.heading(words["provenance"])
    _pairs(sheet, view.provenance, size_pt=8)
    if view.spelled:
        sheet.lines(view.spelled, size_pt=8)
    if view.sources:
        sheet.heading(words["sources"])
        for source in view.sources:
            sheet.lines(source, size_pt=8)


def _facts(sheet: Sheet, view: View) -> None:
    """Patient on the left, study on the right."""
    half, top, lowest = INNER_MM / 2, sheet.y + 1.5, 0.0
    for n, (heading, rows) in enumerate(((view.labels["patient"], view.patient), (view.labels["study"], view.study))):
        sheet.y = top
        column = Column(MARGIN_MM + n * half, half - 3)
        sheet.lines(heading, column, size_pt=10.5, bold=True)
        _pairs(sheet, rows, column, label_mm=29)
        lowest = max(lowest, sheet.y)
    sheet.y = lowest


def _pairs(
    sheet: Sheet, rows: tuple[Pair, ...], column: Column = PAGE_WIDE, *, label_mm: float = 32, size_pt: float = 9
) -> None:
    """Names and values, a row each; a row that would cross the foot of the page begins the next one."""
    names = Column(column.x, label_mm - 2)
    values = Column(column.x + label_mm, column.room_mm - label_mm)
    for name, value in rows:
        sheet.need(0.49 * size_pt * min(len(wrap(value, values.room_mm, size_pt)), 8))
        top, page = sheet.y, len(sheet.pages)
        sheet.lines(name, names, size_pt=size_pt, gray=80)
        below = sheet.y
        sheet.y = top
        sheet.lines(value, values, size_pt=size_pt)
        if len(sheet.pages) == page:
            sheet.y = max(sheet.y, below)


def _box(sheet: Sheet, heading: str, text: str) -> None:
    """What must not be overlooked: a bar at the left, larger and bold."""
    sheet.space(3.5)
    sheet.need(20)
    top, page = sheet.y, len(sheet.pages)
    sheet.y += 1
    inside = Column(MARGIN_MM + 4, INNER_MM - 6)
    sheet.lines(heading, inside, size_pt=11, bold=True)
    sheet.lines(text, inside, size_pt=10.5, bold=True)
    sheet.y += 1
    if len(sheet.pages) == page:
        sheet.add(Frame(MARGIN_MM, top, 1.4, sheet.y - top, 0))


def _figures(sheet: Sheet, view: View, sizes: Mapping[str, tuple[int, int]], tallest_mm: float) -> None:
    """Key images, two to a row, each with its caption."""
    shown = [(name, caption, sizes[name]) for name, caption in view.figures if name in sizes]
    if not shown:
        return
    sheet.heading(view.labels["key_images"], follows_mm=tallest_mm + 20)
    gap = 4.0
    room = (INNER_MM - gap) / 2
    for start in range(0, len(shown), 2):
        pair = shown[start : start + 2]
        placed = []
        for _, _, (columns, rows) in pair:
            scale = min(room / max(columns, 1), tallest_mm / max(rows, 1))
            placed.append((columns * scale, rows * scale))
        height = max(tall for _, tall in placed)
        sheet.need(height + 12)
        top, lowest = sheet.y, 0.0
        for n, ((name, caption, _), (wide, tall)) in enumerate(zip(pair, placed, strict=True)):
            x = MARGIN_MM + n * (room + gap)
            sheet.add(Picture(x, top, wide, tall, name))
            sheet.y = top + tall + 0.8
            sheet.lines(caption, Column(x, room), size_pt=8, gray=60)
            lowest = max(lowest, sheet.y)
        sheet.y = max(lowest, top + height) + 2


def _room_for(finding: FindingView, words: Mapping[str, str]) -> float:
    """Height that a finding takes with its rules; where that is more than a page, what it needs to begin."""
    trial = Sheet()
    _finding(trial, finding, words)
    return trial.y - TOP_MM if len(trial.pages) == 1 else _FINDING_HEAD_MM


def _finding(sheet: Sheet, finding: FindingView, words: Mapping[str, str]) -> None:
    sheet.lines(f"{finding.id}  {finding.title}", size_pt=10.5, bold=True)
    _pairs(sheet, finding.facts)
    if finding.measurements:
        sheet.space(1)
        head = (words["measurement"], words["value"], words["method"])
        sheet.table(head, finding.measurements, _shares(head, finding.measurements))
    for category in finding.categories:
        trial = Sheet()
        _category(trial, category, words)
        sheet.need(trial.y - TOP_MM)
        _category(sheet, category, words)


def _category(sheet: Sheet, category: CategoryView, words: Mapping[str, str]) -> None:
    """A rule's answer, advice and reasoning; the sources stand once, at the end."""
    rows = ((words["category"], category.title), (words["advice"], category.advice))
    _pairs(sheet, tuple(row for row in rows if row[1]))
    # On paper the reasoning is one small paragraph: as a table, a rule's twenty steps would fill half a page.
    steps = _reasoning(category.trace)
    if steps:
        _pairs(sheet, ((words["why"], steps),), size_pt=7.5)


def _shares(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[float, float, float]:
    """Shares of the width for three columns: the first two as wide as their longest line, the last gets the rest."""
    widest = [max(width_mm(row[n], TABLE_PT, bold=row is head) for row in (head, *rows)) + 4 for n in (0, 1)]
    name, value = (min(room / INNER_MM, 0.34) for room in widest)
    return name, value, 1 - name - value


def _reasoning(trace: Sequence[tuple[str, str, str]]) -> str:
    """A rule's steps in a line; those that follow one another with the same effect share it."""
    parts = []
    for effect, steps in groupby(trace, key=lambda step: step[2]):
        parts.append(", ".join(f"{term}: {value}" for term, value, _ in steps) + f" ({effect})")
    return " · ".join(parts)


def _margins(view: View, number: int, count: int) -> list[Mark]:
    """Head and foot of a page: whose it is, that it is a draft, which page it is."""
    whose = printable(" · ".join(dict.fromkeys(value for _, value in view.patient[:-2])))
    study = printable(" · ".join((view.study[0][1], view.study[2][1])))
    marks: list[Mark] = [
        Words(MARGIN_MM, 13, _fit(whose, INNER_MM - 60), 9, True),
        Words(MARGIN_MM + INNER_MM - width_mm(study, 9), 13, study, 9),
        Frame(MARGIN_MM, 15, INNER_MM, 0.25, 150),
        Frame(MARGIN_MM, 17.5, INNER_MM, 8.5),
        Words(MARGIN_MM + (INNER_MM - width_mm(view.banner, 10.5, bold=True)) / 2, 23, view.banner, 10.5, True),
    ]
    page = view.labels["page"].format(page=number, pages=count)
    made = printable(" · ".join((view.provenance[0][1], view.study[4][1])))
    marks.append(Frame(MARGIN_MM, BOTTOM_MM + 3, INNER_MM, 0.25, 150))
    marks.append(Words(MARGIN_MM, HEIGHT_MM - 10, made, 8, gray=80))
    marks.append(Words(MARGIN_MM + INNER_MM - width_mm(page, 8), HEIGHT_MM - 10, page, 8, gray=80))
    return marks


def _fit(text: str, room_mm: float) -> str:
    while len(text) > 1 and width_mm(text, 9, bold=True) > room_mm:
        text = text[:-2] + "…"
    return text
