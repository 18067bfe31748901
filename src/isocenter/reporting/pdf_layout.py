"""Where the words and pictures of a report stand on A4 pages; millimetres from the top left corner of a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

from isocenter.reporting.fonts import LATIN, LATIN_BOLD, FaceName, advances_em, face_of, printable

WIDTH_MM, HEIGHT_MM, MARGIN_MM = 210.0, 297.0, 16.0
TOP_MM, BOTTOM_MM = 31.0, 280.0
INNER_MM = WIDTH_MM - 2 * MARGIN_MM
_MM_PER_POINT = 25.4 / 72
_LEADING = 1.38
TABLE_PT = 8.5
_CELL_LINES = 25
# Chinese typesetting: these do not begin a line, those do not end one (W3C clreq 3.1.3).
_NOT_FIRST = frozenset("，。、：；！？）】》〉」』〕］｝”’…·%,.;:!?)]}")
_NOT_LAST = frozenset("（【《〈「『〔［｛“‘([{")


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text with its baseline at y."""

    x: float
    y: float
    text: str
    size_pt: float
    bold: bool = False
    gray: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """Where a paragraph runs."""

    x: float = MARGIN_MM
    room_mm: float = INNER_MM


PAGE_WIDE = Column()


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle, filled with a gray or drawn as a line."""

    x: float
    y: float
    width: float
    height: float
    fill: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """An image by name, scaled into its place."""

    x: float
    y: float
    width: float
    height: float
    name: str


Mark = Words | Frame | Picture


def runs(text: str, *, bold: bool) -> Iterator[tuple[FaceName, str]]:
    """The text in pieces that one face can set."""
    for name, chars in groupby(text, key=_face):
        yield LATIN_BOLD if bold and name == LATIN else name, "".join(chars)


@lru_cache(maxsize=8192)
def _face(char: str) -> FaceName:
    return face_of(char) or LATIN


def width_mm(text: str, size_pt: float, *, bold: bool = False) -> float:
    """Width of a line."""
    return sum(_width_em(char, bold) for char in text) * size_pt * _MM_PER_POINT


@lru_cache(maxsize=16384)
def _width_em(char: str, bold: bool) -> float:
    ((name, _),) = runs(char, bold=bold)
    return advances_em(name).get(char, 0.0)


def wrap(text: str, room_mm: float, size_pt: float, *, bold: bool = False) -> list[str]:
    """The text in lines no wider than the room: broken at spaces and between Chinese characters, a number never.

    A word wider than the room is broken where it must be; a character that no face draws is spelled as its code point.
    """
    return list(_wrapped(text, room_mm, size_pt, bold))


@lru_cache(maxsize=2048)
def _wrapped(text: str, room_mm: float, size_pt: float, bold: bool) -> tuple[str, ...]:
    lines: list[str] = []
    for paragraph in printable(text).split("\n"):
        line, used = "", 0.0
        for piece in _pieces(paragraph):
            wide = width_mm(piece.rstrip(" "), size_pt, bold=bold)
            if line and used + wide > room_mm:
                lines.append(line.rstrip(" "))
                line, used = "", 0.0
            while wide > room_mm and len(piece) > 1:
                head = _longest_head(piece, room_mm, size_pt, bold)
                lines.append(head)
                piece = piece[len(head) :]
                wide = width_mm(piece.rstrip(" "), size_pt, bold=bold)
            line += piece
            used = width_mm(line, size_pt, bold=bold)
        lines.append(line.rstrip(" "))
    return tuple(lines)


def _longest_head(piece: str, room_mm: float, size_pt: float, bold: bool) -> str:
    count = 1
    while count < len(piece) and width_mm(piece[: count + 1], size_pt, bold=bold) <= room_mm:
        count += 1
    return piece[:count]


def _pieces(text: str) -> list[str]:
    """The text cut where a line may end."""
    pieces: list[str] = []
    for char in text:
        if pieces and not _may_break(pieces[-1][-1], char):
            pieces[-1] += char
        else:
            pieces.append(char)
    return pieces


def _may_break(before: str, after: str) -> bool:
    if after == " " or after in _NOT_FIRST or before in _NOT_LAST:
        return False
    return before == " " or ord(before) >= 0x2E80 or ord(after) >= 0x2E80


@dataclass(slots=True)
class Sheet:
    """Pages being filled from the top; y is where the next thing goes."""

    pages: list[list[Mark]] = field(default_factory=lambda: [[]])
    y: float = TOP_MM

    def need(self, height_mm: float) -> None:
        """Begin a new page unless this much room is left."""
        if self.y + height_mm > BOTTOM_MM and self.pages[-1]:
            self.pages.append([])
            self.y = TOP_MM

    def add(self, mark: Mark) -> None:
        """Put a mark on the current page."""
        self.pages[-1].append(mark)

    def space(self, height_mm: float) -> None:
        """Leave room, but not at the top of a page."""
        if self.y > TOP_MM:
            self.y += height_mm

    def lines(
        self, text: str, column: Column = PAGE_WIDE, *, size_pt: float = 9.5, bold: bool = False, gray: int = 0
    ) -> None:
        """A paragraph."""
        step = size_pt * _MM_PER_POINT * _LEADING
        for line in wrap(text, column.room_mm, size_pt, bold=bold):
            self.need(step)
            self.add(Words(column.x, self.y + step * 0.75, line, size_pt, bold, gray))
            self.y += step

    def heading(self, text: str, *, follows_mm: float = 14.0) -> None:
        """A heading with a rule below it, kept with what follows."""
        self.space(3.5)
        self.need(follows_mm)
        self.lines(text, size_pt=10.5, bold=True)
        self.add(Frame(MARGIN_MM, self.y + 0.2, INNER_MM, 0.25, 150))
        self.y += 1.4

    def row(self, cells: Sequence[str], columns: Sequence[Column], *, head: Sequence[str] = ()) -> None:
        """Cells side by side, each wrapped into its column, with a line below.

        head   the table's head, repeated where the row begins a page; empty for the head itself
        """
        bold = not head
        step = TABLE_PT * _MM_PER_POINT * _LEADING
        wrapped = [_cell(cell, column, bold) for cell, column in zip(cells, columns, strict=True)]
        height = _row_height(cells, columns, bold=bold)
        page = len(self.pages)
        self.need(height)
        if head and len(self.pages) > page:
            self.row(head, columns)
        left, across = columns[0].x, sum(column.room_mm for column in columns)
        if bold:
            self.add(Frame(left, self.y, across, height, 238))
        for lines, column in zip(wrapped, columns, strict=True):
            for n, line in enumerate(lines):
                self.add(Words(column.x + 1.0, self.y + 0.5 + step * (n + 0.75), line, TABLE_PT, bold))
        self.y += height
        self.add(Frame(left, self.y, across, 0.15, 200))

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], shares: Sequence[float]) -> None:
        """A table across the page whose columns take these shares of it."""
        columns, at = [], MARGIN_MM
        for share in shares:
            columns.append(Column(at, share * INNER_MM))
            at += share * INNER_MM
        # The head stays with the first row.
        self.need(sum(_row_height(cells, columns, bold=cells is head) for cells in (head, *rows[:1])))
        self.row(head, columns)
        for cells in rows:
            self.row(cells, columns, head=head)
        self.y += 1.5


def _row_height(cells: Sequence[str], columns: Sequence[Column], *, bold: bool) -> float:
    lines = max(len(_cell(cell, column, bold)) for cell, column in zip(cells, columns, strict=True))
    return lines * TABLE_PT * _MM_PER_POINT * _LEADING + 1.2


def _cell(text: str, column: Column, bold: bool) -> list[str]:
    """A cell's lines; what is longer than half a page is cut, and says so."""
    lines = wrap(text, column.room_mm - 2.0, TABLE_PT, bold=bold)
    return lines if len(lines) <= _CELL_LINES else [*lines[:_CELL_LINES], "…"]
