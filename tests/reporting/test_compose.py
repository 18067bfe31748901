from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from isocenter.core.finding import Evidence, Finding, Measurement, Site
from isocenter.core.grid import Grid
from isocenter.core.provenance import Provenance
from isocenter.core.reading import Abstention, Figure, Reading
from isocenter.core.study import Patient, Study
from isocenter.core.volume import Source, Volume
from isocenter.knowledge.rules import apply_rule
from isocenter.knowledge.terms import term
from isocenter.reporting.compose import compose_report

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def study() -> Study:
    source = Source("raster", digests=("sha256:" + "0" * 64,))
    volume = Volume(np.zeros((1, 8, 8)), Grid.of_pixels((1, 8, 8)), modality="US", source=source)
    return Study(patient=Patient("DOE^JANE", "4711", "19700101", "F", 51), volumes=(volume,))


def reading(**changes) -> Reading:
    malignant = Measurement("probability_of_malignancy", 0.93, "1", term("probability").code, "a model")
    finding = Finding(
        "F1",
        "breast-us",
        term("breast-lesion").code,
        Site(term("breast").code),
        evidence=(Evidence("box", box_index=((0, 0, 0), (1, 4, 4))),),
        measurements=(malignant,),
        probability=0.93,
        categories=(apply_rule("bi_rads_ai_estimated", {"probability": 0.93, "lesion": 1}),),
        qualifiers={"kind": "breast-lesion", "class": "malignant"},
    )
    figure = Figure("F1-heat-map", np.zeros((4, 4), np.uint8), "heat-map", {"method": "CAM"}, "F1")
    return Reading("breast-us", **{"findings": (finding,), "figures": (figure,), **changes})


def compose(*readings: Reading, language: str = "en"):
    return compose_report(study(), readings, language=language, provenance=Provenance((), "x"), now=NOW)


@pytest.mark.parametrize(("language", "word"), [("en", "malignant"), ("zh", "恶性")])
def test_sentences_are_rendered_from_codes_in_the_language(language, word):
    report = compose(reading(), language=language)
    about = [sentence for sentence in report.sentences if sentence.finding == "F1"]
    assert word in report.sections["findings"] and "4C" in report.sections["impression"]
    assert about[0].measurements == ("probability_of_malignancy",)
    assert report.status == "draft" and report.created == "2026-01-02T03:04:05Z"


def test_findings_of_several_readings_are_numbered_on_and_their_figures_follow():
    report = compose(reading(), reading())
    assert [finding.id for finding in report.findings] == ["F1", "F2"]
    assert [(figure.name, figure.finding) for figure in report.figures] == [
        ("F1-heat-map", "F1"),
        ("F2-heat-map", "F2"),
    ]


def test_a_report_abstains_when_nothing_answered():
    silent = reading(findings=(), figures=(), abstained=Abstention("no-task"))
    assert compose(silent).abstained == Abstention("no-task")
    assert compose(silent).sections["impression"] == "No reading task fits this study; nothing was read."
    assert compose(silent, reading()).abstained is None
    assert compose().abstained == Abstention("no-task")


def test_identity_stays_out_of_the_sentences_and_the_header():
    report = compose(reading())
    assert "DOE" not in repr(report.sections) + repr(report.study)
    assert report.study.patient_key == study().patient.key
    assert report.patient.name == "DOE^JANE"


def test_every_abstention_has_words_for_its_values():
    for code, values in {
        "wrong-input": {"task": "breast-us", "got": "CT 1x8x8"},
        "wrong-content": {"task": "breast-us", "got": "hand-xray"},
        "out-of-distribution": {"task": "breast-us", "score": "9.1", "limit": "3"},
        "no-task": {},
    }.items():
        for language in ("en", "zh"):
            silent = reading(findings=(), figures=(), abstained=Abstention(code, values))
            assert compose(silent, language=language).abstained_reason


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("verdict", ["clear", "mixed"])
def test_a_normal_image_is_called_negative_only_where_the_probability_agrees(verdict, language):
    chance = {"clear": 0.01, "mixed": 0.06}[verdict]
    category = apply_rule("bi_rads_ai_estimated", {"probability": chance, "lesion": 0})
    finding = replace(
        reading().findings[0],
        code=term("breast-normal").code,
        measurements=(Measurement("probability_of_malignancy", chance, "1", term("probability").code, "a model"),),
        categories=(category,) if verdict == "clear" else (),
        qualifiers={"kind": "breast-normal", "class": "normal", "verdict": verdict},
    )
    sections = compose(reading(findings=(finding,)), language=language).sections
    assert ("BI-RADS 1" in sections["impression"]) == (verdict == "clear")
    must_look = {"en": "a physician must look", "zh": "须由医师阅片判断"}[language]
    assert (must_look in sections["impression"]) == (verdict == "mixed")
    assert f"{chance:.2f}" in sections["impression"]
    assert "Tissue" not in sections["recommendation"] and "组织学" not in sections["recommendation"]


@pytest.mark.parametrize(("language", "words"), [("en", "Read as: breast ultrasound."), ("zh", "阅片任务：乳腺超声。")])
def test_the_technique_names_the_task_in_words(language, words):
    assert words in compose(reading(), language=language).sections["technique"]
