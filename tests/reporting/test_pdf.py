import io
import subprocess
import time
from dataclasses import replace

import numpy as np
import pypdf
import pytest
from PIL import Image

from isocenter.core.study import Patient
from isocenter.reporting.figures import encode_png
from isocenter.reporting.pdf import _reasoning, render_pdf


def _render(report, *, identity=True) -> bytes:
    return render_pdf(report, {figure.name: encode_png(figure) for figure in report.figures}, identity=identity)


def _text(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf), strict=True).pages]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["chest", "breast", "fetal", "abstained"])
def test_every_page_says_whose_it_is_that_it_is_a_draft_and_which_page(samples, name, language):
    report = getattr(samples, name)(language).report
    pages = _text(_render(report))
    for number, page in enumerate(pages, 1):
        assert ("MRN-0042" in page) == (name != "fetal")
        assert ("not for diagnostic use" if language == "en" else "不得用于诊断") in page
        stated = f"Page {number} of {len(pages)}" if language == "en" else f"第 {number} 页，共 {len(pages)} 页"
        assert stated in page


def test_the_whole_content_of_the_report_is_printed(samples):
    text = " ".join(_text(_render(samples.chest().report))).replace("\n", " ")
    for words in ("9.8 ± 0.4 mm", "RECIST 1.1", "Consider CT at 3 months", "the solid table applies", "Radiology 2017"):
        assert words in text
    text = " ".join(_text(_render(samples.abstained().report)))
    for words in ("No AI opinion", "NOT passed", "scans/broken.dcm", "expected a DICOM file"):
        assert words in text


def test_chinese_text_can_be_found_and_copied(samples):
    text = "".join(_text(_render(samples.chest("zh").report))).replace("\n", "")
    assert "右肺实性结节候选灶，平均直径9.8 mm" in text and "王小东" in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", ["chest", "breast", "fetal", "abstained"])
def test_the_text_taken_out_of_the_file_is_the_text_of_the_report(samples, name, language):
    report = getattr(samples, name)(language).report
    taken = "".join("".join(_text(_render(report))).split())
    for text in report.sections.values():
        assert "".join(text.split()) in taken


@pytest.mark.parametrize("count", range(1, 9))
def test_a_finding_stays_with_its_rules_and_the_sources_with_the_provenance(samples, count):
    report = samples.chest().report
    findings = tuple(replace(report.findings[0], id=f"F{n}") for n in range(1, count + 1))
    pages = _text(_render(replace(report, findings=findings)))
    for page in pages:
        advised = page.count("Advice Consider CT at 3 months")
        assert page.count("Lung nodule") == advised, page
    assert "Models and provenance" in pages[-1] and "Guidelines and sources" in pages[-1]


def test_steps_with_the_same_effect_share_it():
    steps = (("new", "no", "assumed"), ("growing", "no", "assumed"), ("age", "66", "given"))
    assert _reasoning(steps) == "new: no, growing: no (assumed) · age: 66 (given)"


def test_a_rare_name_is_printed(samples):
    report = replace(samples.breast("zh").report, patient=Patient("䶮㛃 (Yan)", "1", "", "M", None))
    assert "䶮㛃" in "".join(_text(_render(report)))


def test_identity_is_left_out_on_demand(samples):
    text = " ".join(_text(_render(samples.chest().report, identity=False)))
    assert not any(secret in text for secret in ("Wang", "小东", "MRN-0042", "1970-01-02"))
    assert "identity withheld" in text


def test_the_same_report_gives_the_same_bytes(samples):
    assert _render(samples.breast("zh").report) == _render(samples.breast("zh").report)


def test_a_name_that_no_font_draws_is_spelled_and_said_so(samples):
    report = replace(samples.breast().report, patient=Patient("김^철수", "1", "", "M", None))
    text = " ".join(_text(_render(report)))
    assert "[U+AE40]" in text and "printed as their code point" in text


def test_hostile_text_stays_text(samples):
    report = replace(samples.breast().report, patient=Patient(") Tj ET endstream \\", "<< /JS >>" * 40, "", "M", None))
    text = " ".join(_text(_render(report)))
    assert ") Tj ET endstream \\" in text


def test_a_report_is_rendered_in_a_fraction_of_a_second_once_the_fonts_are_loaded(samples):
    report = samples.breast("zh").report
    _render(report)
    started = time.process_time()
    _render(report)
    assert time.process_time() - started < 0.15


@pytest.mark.tools
def test_another_reader_draws_the_banner_and_the_key_image(samples, tool, tmp_path):
    (tmp_path / "r.pdf").write_bytes(_render(samples.breast("zh").report))
    done = subprocess.run(
        [tool("pdftoppm"), "-r", "50", "-png", "r.pdf", "p"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    page = np.asarray(Image.open(sorted(tmp_path.glob("p*.png"))[0]).convert("RGB")).astype(int)
    assert page.shape[:2] == (585, 414)
    redness = page[..., 0] - page[..., 1]
    assert (redness > 30).sum() > 2000  # the heat map, and only that, is in colour
