import copy
import json
from pathlib import Path

import pytest

from isocenter.core.errors import ReportError
from isocenter.core.finding import Code, Evidence, Finding, Measurement, Site
from isocenter.core.provenance import Provenance
from isocenter.core.report import SECTIONS, Report, StudyHeader
from isocenter.core.study import Patient
from isocenter.reporting import report_json

ROOT = Path(__file__).resolve().parents[2]
CODE = Code("SCT", "1", "thing")


@pytest.fixture
def report() -> Report:
    box = Evidence("box", "1.2.3", box_index=((0, 1, 2), (1, 5, 6)), centre_lps_mm=(1.0, 2.0, 3.0))
    measured = Measurement("long_axis", 14.23456789, "mm", CODE, "by hand", 0.4)
    return Report(
        StudyHeader("1.2", "0" * 16, "US", "BREAST", "2026-01-02", "f" * 16, "F", 51),
        Provenance(("sha256:" + "0" * 64,), "isocenter 0.1.0", files=("a.png",)),
        created="2026-01-02T03:04:05Z",
        findings=(Finding("F1", "breast-us", CODE, Site(CODE, "L"), (box,), (measured,), probability=0.93),),
        sections=dict.fromkeys(SECTIONS, ""),
        patient=Patient("DOE^JANE", "4711", "19700101"),
    )


def test_the_json_fits_its_schema_and_names_nobody(report):
    text = report_json.report_to_json(report).decode()
    data = json.loads(text)
    assert data["schema"] == "isocenter-report/1"
    assert data["findings"][0]["measurements"][0]["value"] == 14.2346
    assert "DOE" not in text and "4711" not in text and "19700101" not in text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("status",), "final"),
        (("study", "patient", "name"), "DOE"),
        (("findings", 0, "probability"), 1.5),
        (("findings", 0, "id"), "X"),
        (("provenance", "inputs", 0, "digest"), "md5:1"),
        (("sections",), {}),
    ],
)
def test_the_schema_refuses_what_it_should(report, path, value):
    data = copy.deepcopy(report_json.report_to_dict(report))
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ReportError, match=r"report\.json at"):
        report_json.require_schema(data)


def test_the_documented_schema_is_the_shipped_one():
    assert (ROOT / "docs/reference/report.schema.json").read_text(encoding="utf-8") == report_json.schema_text()
