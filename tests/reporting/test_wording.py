"""Whatever the tasks and the rules state has words in both languages."""

import re
from types import SimpleNamespace

from isocenter.core.finding import Category, Measurement, TraceStep
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.imaging.segment.head_ellipse import HeadMeasures
from isocenter.knowledge.rules import apply_rule, list_rules
from isocenter.knowledge.terms import list_terms
from isocenter.reading.chest import calcium_finding, nodule_findings
from isocenter.reading.read import TASKS, load_task
from isocenter.reading.tasks import breast_us, fetal_head
from isocenter.reporting import wording
from isocenter.reporting.fonts import missing_characters
from isocenter.reporting.locale import load_locale

# Names that stay as they are in Chinese text; units stand behind numbers.
NAMES = {
    "Lung", "RADS", "BI", "Fleischner", "Hadlock", "Agatston", "PET", "CT", "Ramanujan", "HC", "HU", "mm", "ml", "cm",
    "breast", "us", "X", "S", "A", "B", "C",
}  # fmt: skip


def english_words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]+", text)) - NAMES


def categories() -> list[Category]:
    made = []
    for rule in list_rules():
        for case in rule.cases:
            made.append(apply_rule(rule.id, case.given))
            # Also what each case says where an input is missing.
            lacking = [{key: v for key, v in case.given.items() if key != name} for name in case.given]
            made += [apply_rule(rule.id, given) for given in lacking]
    made.append(apply_rule("fleischner_2017", {"kind": "solid", "d": 7, "age": 30, "known_cancer": 1, "screening": 1}))
    made.append(apply_rule("fleischner_2017", {"kind": "solid", "d": 7, "immunosuppressed": 1, "age": 66}))
    made.append(apply_rule("lung_rads_2022", {"kind": "solid", "d": 7, "age": 90, "screening": 0}))
    made.append(apply_rule("agatston_category", {"score": 7, "contrast": 1, "known_coronary_disease": 1}))
    return made


def test_every_step_of_every_worked_case_is_chinese_in_chinese():
    for category in categories():
        for row in wording.steps(category, "zh"):
            for text in row:
                assert english_words(text) == set(), (category.rule, row)
        assert english_words(wording.category_value(category.value, "zh")) == set()
        for flag in category.flags:
            assert english_words(wording.flag(flag, "zh")) <= {"AI"}, flag


def test_every_input_and_choice_of_every_rule_has_words():
    for language in ("en", "zh"):
        tables = load_locale(language)
        for rule in list_rules():
            assert {spec.name for spec in rule.inputs} | {rule.output} <= set(tables["inputs"])
            for spec in rule.inputs:
                known = set(tables["choices"]) | {"0", "1", "2", "3", "4A", "4B", "4X"}
                assert set(spec.choices or ()) <= known, spec.name
    for category in categories():
        for row in wording.steps(category, "en"):
            assert not any("_" in text or "hnsf" in text or "mm2" in text for text in row), row


def measured(blobs, case_seeing) -> list[Measurement]:
    image = Volume(blobs[None], Grid.of_pixels((1, 96, 96)), modality="US")
    fit = SimpleNamespace(axial_axes_mm=(8.0, 6.0), volume_ml=0.2, inside_hu=30.0)
    nodule, axial = SimpleNamespace(ellipsoid=fit, attachment="isolated"), SimpleNamespace(spacing_mm=(1.0, 0.7, 0.7))
    (breast,) = breast_us.TASK.read(image, case_seeing("BreastUS")).findings
    sharpened = calcium_finding.METHOD + calcium_finding.SHARPENED.format(blur=0.54, as_scanned=401.2)
    calcium = Measurement("agatston_score", 1.0, "1", breast.code, sharpened)
    head = fetal_head._age(HeadMeasures(250.0, 70.0, 90.0, 1.0, 1.0, 1.0))[0]
    return [*breast.measurements, *head, *nodule_findings._measurements(nodule, axial), calcium]


def test_every_measurement_has_a_name_and_a_method_in_chinese(blobs, case_seeing):
    made = measured(blobs, case_seeing)
    assert len(made) == 1 + 6 + 5 + 1
    for measurement in made:
        assert measurement.name in list_terms(), measurement.name
        assert english_words(wording.method(measurement.method, "zh")) == set(), measurement.method


def test_every_task_has_a_name_and_its_body_parts_and_modalities_have_words():
    for task in map(load_task, TASKS):
        for language in ("en", "zh"):
            assert task.name in list_terms()
            for part in task.body_parts:
                assert part in load_locale(language)["body_parts"], part
    assert wording.tasks(["breast-us", "intake"], "zh") == "乳腺超声、部位与成像方式识别"
    assert wording.body_part("CHEST\\ABDOMEN", "zh") == "胸部、腹部" and wording.body_part("TAIL", "zh") == "TAIL"
    assert wording.modality("US\\MR", "en") == "Ultrasound, MRI" and wording.modality("", "en") == ""


def test_a_refused_image_is_described_in_words():
    assert wording.picture("CT 110x512x512", "zh") == "CT，110 × 512 × 512"
    assert wording.picture("unknown 1x8x8", "zh") == "未注明成像方式，1 × 8 × 8"
    assert wording.picture("something else", "zh") == "something else"


def test_a_step_reads_as_words():
    category = apply_rule("fleischner_2017", {"kind": "part", "d": 7.4, "solid": 5, "count": "single", "age": 66})
    rows = {(term, effect): value for term, value, effect in wording.steps(category, "zh")}
    assert rows["年龄", "已提供"] == "66 岁" and rows["类型", "已提供"] == "部分实性"
    assert ("类型", "= 部分实性") in rows
    category = Category("of_somebody_else", "x", (TraceStep("a", "6 mm2", ">= 5 mm2 and < 8 mm2"),), "s")
    assert wording.steps(category, "en") == (("a", "6 mm²", "≥ 5 mm², < 8 mm²"),)
    category = apply_rule("agatston_lesion", {"area_mm2": 8, "peak_hu": 400, "increment_mm": 3})
    assert ("density weight", "400 HU", "× 4") in wording.steps(category, "en")


def test_every_phrase_can_be_printed_and_keeps_its_places():
    for table in wording._phrases().values():
        for english, chinese in table.items():
            assert missing_characters(english + chinese) == ()
            places = [re.findall(r"{\w+}", text) for text in (english, chinese)]
            assert sorted(places[0]) == sorted(places[1]), english


def test_an_unknown_phrase_stays_as_it_stands():
    assert wording.method("by hand", "zh") == "by hand" and wording.flag("odd", "zh") == "odd"
    assert wording.method("area in mm2", "en") == "area in mm²"
