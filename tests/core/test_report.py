import pytest

from isocenter.core.errors import ReportError
from isocenter.core.finding import Code, Finding, Measurement, Site
from isocenter.core.provenance import Provenance
from isocenter.core.report import Report, Sentence, StudyHeader

CODE = Code("SCT", "1", "thing")
HEADER = StudyHeader("", "0" * 16, "CT", "", "", "", "", None)
FINDING = Finding("F1", "t", CODE, Site(CODE), measurements=(Measurement("long_axis", 4.0, "mm", CODE, "by hand"),))


def test_a_sentence_speaks_of_a_finding_that_is_there():
    with pytest.raises(ReportError, match="F2"):
        Report(HEADER, Provenance((), "x"), findings=(FINDING,), sentences=(Sentence("?", "findings", "F2"),))


def test_a_sentence_names_measurements_that_are_there():
    with pytest.raises(ReportError, match="volume"):
        Report(
            HEADER, Provenance((), "x"), findings=(FINDING,), sentences=(Sentence("?", "findings", "F1", ("volume",)),)
        )


def test_finding_ids_are_unique():
    with pytest.raises(ReportError, match="unique"):
        Report(HEADER, Provenance((), "x"), findings=(FINDING, FINDING))
