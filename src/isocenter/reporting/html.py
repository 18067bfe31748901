"""A report as one HTML file that needs nothing else: no script, no request, no font of the machine."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from isocenter.core.report import Report
from isocenter.reporting.fonts import (
    CHINESE,
    CHINESE_RARE,
    LATIN,
    LATIN_BOLD,
    SYMBOLS,
    FaceName,
    cut_font,
    faces_of,
    printable,
)
from isocenter.reporting.locale import TAGS
from isocenter.reporting.view import build_view

if TYPE_CHECKING:
    import jinja2


_FAMILIES: Mapping[FaceName, str] = {
    LATIN: "Isocenter Latin",
    SYMBOLS: "Isocenter Symbols",
    CHINESE: "Isocenter Chinese",
    CHINESE_RARE: "Isocenter Chinese Rare",
}


def render_html(report: Report, figures_png: Mapping[str, bytes], *, identity: bool) -> str:
    """The report as one self-contained page in its language.

    figures_png   name of each figure -> PNG bytes
    identity      whether name, ID and birth date are printed

    Everything that came from a header or a file is text: it is escaped, and the page's own policy forbids scripts.
    A character that no embedded font draws is printed as its code point.
    """
    from markupsafe import Markup

    view = build_view(report, identity=identity)
    style = _font_rules(printable(view.texts() + view.spelled)) + _style()
    return _template().render(
        view=view,
        l=view.labels,
        lang=TAGS[report.language],
        images={name: Markup(_base64(png)) for name, png in figures_png.items()},  # noqa: S704 - base64
        style=Markup(style),  # noqa: S704 - ours: the style sheet and base64
        style_hash=_base64(hashlib.sha256(style.encode()).digest()),
    )


def _font_rules(printed: str) -> str:
    """One @font-face per face, of just the glyphs that are printed.

    Each face is a family of its own: within one, a browser would look for bold Chinese in the bold Latin face alone.
    """
    rules = []
    for name, chars in faces_of(printed).items():
        rules.append(_font_rule(_FAMILIES[name], 400, name, chars))
        if name == LATIN:
            rules.append(_font_rule(_FAMILIES[name], 700, LATIN_BOLD, chars))
    return "".join(rules)


def _font_rule(family: str, weight: int, face: FaceName, chars: str) -> str:
    source = f"data:font/ttf;base64,{_base64(cut_font(face, chars))}"
    return f'@font-face{{font-family:"{family}";font-weight:{weight};src:url({source})}}\n'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@cache
def _style() -> str:
    return files("isocenter.reporting").joinpath("templates/report.css").read_text(encoding="utf-8")


@cache
def _template() -> "jinja2.Template":
    import jinja2

    source = files("isocenter.reporting").joinpath("templates/report.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True,
        finalize=_spell,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.from_string(source)


def _spell(value: object) -> object:
    """Plain text as the page's fonts can show it; what is markup already (a subclass of str) stays as it is."""
    return printable(value) if type(value) is str else value
