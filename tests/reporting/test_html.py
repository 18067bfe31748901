import base64
import hashlib
import io
import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from isocenter.core.study import InputFailure, Patient
from isocenter.reporting.figures import encode_png
from isocenter.reporting.html import render_html

HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>{{ 7*7 }}"


class _Page(HTMLParser):
    """What a browser would make of the page: its tags with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def _render(report, *, identity=True) -> str:
    return render_html(report, {figure.name: encode_png(figure) for figure in report.figures}, identity=identity)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["chest", "breast", "fetal", "abstained"])
def test_a_page_asks_nothing_of_the_world(samples, name, language):
    page = _Page(_render(getattr(samples, name)(language).report))
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object", "form")
        assert not any(key.startswith("on") for key in attributes)
        for key in ("src", "href", "srcset", "action"):
            assert attributes.get(key, "data:").startswith(("data:", "#"))
    assert not re.search(r"url\((?!data:)", _render(getattr(samples, name)(language).report))


def test_the_policy_allows_its_own_style_sheet_and_nothing_else(samples):
    page = _render(samples.chest().report)
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for t, a in _Page(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert f"style-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy and "script" not in policy
    assert " style=" not in page


def test_hostile_header_and_file_names_are_text(samples):
    report = samples.abstained().report
    report = replace(
        report,
        patient=replace(report.patient, name=HOSTILE, patient_id=HOSTILE, birth_date=HOSTILE),
        study=replace(report.study, body_part=HOSTILE, uid=HOSTILE),
        failures=(InputFailure(Path(HOSTILE), HOSTILE),),
        abstained_reason=HOSTILE,
        sections={"impression": HOSTILE},
    )
    page = _Page(_render(report))
    assert not [tag for tag, _ in page.tags if tag in ("script", "img")]
    assert page.text.count("onerror=alert(1)") >= 6 and "{{ 7*7 }}" in page.text


def test_every_chinese_character_of_the_page_is_in_an_embedded_font(samples):
    page = _render(samples.chest("zh").report)
    drawn = set()
    for data in re.findall(r"data:font/ttf;base64,([^)]*)\)", page):
        drawn |= set(TTFont(io.BytesIO(base64.b64decode(data))).getBestCmap())
    printed = {char for char in _Page(page[page.index("<body>") :]).text if ord(char) > 0x20}
    assert {char for char in printed if ord(char) not in drawn} == set()
    assert "王" in printed


def test_a_character_that_no_font_draws_is_spelled_and_said_so(samples):
    report = replace(samples.breast().report, patient=Patient("김^\U0002a6d6\u202e", "1", "", "M", None))
    text = _Page(_render(report)).text
    assert "[U+AE40] [U+2A6D6]" in text and "printed as their code point" in text
    assert not {"김", "\U0002a6d6", "\u202e"} & set(text)


def test_the_language_is_declared_and_the_banner_and_abstention_stand_out(samples):
    page = _Page(_render(samples.abstained("zh").report))
    assert ("html", {"lang": "zh-CN"}) in page.tags
    assert any(attributes.get("role") == "alert" for _, attributes in page.tags)
    assert "未经医师审核签名，不得用于诊断" in page.text


def test_identity_is_left_out_on_demand(samples):
    page = _render(samples.chest().report, identity=False)
    assert not any(secret in page for secret in ("Wang", "小东", "MRN-0042", "1970-01-02"))


def test_every_figure_stands_in_the_page_with_its_words(samples):
    page = _Page(_render(samples.breast().report))
    ((_, image),) = [(tag, attributes) for tag, attributes in page.tags if tag == "img"]
    assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    assert image["alt"]


def test_text_has_the_contrast_that_wcag_asks_for():
    css = Path(__import__("isocenter.reporting").reporting.__path__[0], "templates", "report.css").read_text()
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", css.split("@media")[0]))
    for ink, paper in (
        ("ink", "paper"),
        ("soft", "paper"),
        ("soft", "tint"),
        ("accent", "paper"),
        ("warn", "warn-tint"),
    ):
        assert _contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    assert _contrast("#ffffff", colours["warn"]) >= 4.5


def _contrast(one: str, other: str) -> float:
    """WCAG 2.1, contrast ratio."""
    lights = []
    for colour in (one, other):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        lights.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_the_same_report_gives_the_same_page(samples):
    assert _render(samples.chest("zh").report) == _render(samples.chest("zh").report)


@pytest.mark.slow
@pytest.mark.tools
@pytest.mark.parametrize("width", [400, 1280])
def test_a_browser_shows_the_page_without_sideways_scrolling_or_console_errors(samples, tool, tmp_path, width):
    page = _render(samples.chest("zh").report)
    probe = "<script>document.title=document.documentElement.scrollWidth+' '+innerWidth</script>"
    page = re.sub(r"<meta http-equiv[^>]*>", "", page).replace("</body>", probe + "</body>")
    path = tmp_path / "page.html"
    path.write_text(page)
    command = [
        tool("chromium"), "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader", f"--window-size={width},900", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    wide, room = map(int, re.search(r"<title>(\d+) (\d+)</title>", done.stdout).groups())
    assert wide <= room


def test_a_figure_without_a_picture_is_left_out(samples):
    page = _Page(render_html(samples.breast().report, {}, identity=True))
    assert not [tag for tag, _ in page.tags if tag == "img"]
