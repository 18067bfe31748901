from dataclasses import replace

from isocenter.core.finding import Category, Code, Measurement, ModelRef
from isocenter.core.report import Sentence
from isocenter.reporting.view import build_view, code_name, finding_name, measurement_name


def test_identity_is_shown_or_withheld(samples):
    report = samples.chest().report
    shown, hidden = build_view(report, identity=True), build_view(report, identity=False)
    assert "王小东 (Wang XiaoDong)" in shown.texts() and "MRN-0042" in shown.texts()
    assert not {"Wang", "王小东", "MRN-0042", "1970-01-02"} & set(hidden.texts().split())
    assert not any(secret in hidden.texts() for secret in ("Wang", "小东", "MRN", "1970"))


def test_a_measurement_is_printed_with_its_unit_and_uncertainty(samples):
    rows = build_view(samples.chest().report, identity=True).findings[0].measurements
    assert rows[0][:2] == ("Mean diameter", "9.8 ± 0.4 mm")
    assert rows[3][1] == "0.49 ± 0.03 ml"
    assert rows[4][1] == "40 HU"


def test_names_follow_the_language(samples):
    finding = samples.chest().report.findings[0]
    assert (finding_name(finding, "en"), finding_name(finding, "zh")) == ("Lung nodule", "肺结节")
    assert measurement_name(finding.measurements[1], "zh") == "长径"
    assert code_name(Code("SCT", "39607008", "Lung"), "zh") == "肺"
    assert code_name(Code("99ISO", "nowhere", "Somewhere"), "zh") == "Somewhere"
    unknown = Measurement("made_up", 1.0, "1", Code("99ISO", "x", "X"), "m")
    assert measurement_name(unknown, "en") == "Made up"


def test_a_category_says_what_it_lacks(samples):
    report = samples.chest().report
    category = build_view(report, identity=True).findings[0].categories[0]
    assert "input missing: risk" in category.title and category.trace[0][0] == "density"
    category = Category("lung_rads_2022", "", (), "s", flags=("out_of_scope",))
    changed = replace(report, findings=(replace(report.findings[0], categories=(category,)),))
    assert "outside the guideline's scope" in build_view(changed, identity=True).findings[0].categories[0].title


def test_an_abstention_a_failure_and_a_failed_check_are_shown(samples):
    view = build_view(samples.abstained().report, identity=True)
    assert view.abstained.startswith("The image is unlike")
    assert view.quality[0][3] == "NOT passed"
    assert view.failures[0][0] == "scans/broken.dcm"
    assert not view.has_uncertainty


def test_chinese_pages_have_no_english_label(samples):
    labels = build_view(samples.chest("zh").report, identity=True).labels
    assert labels["impression"] == "影像诊断意见"


def test_each_finding_has_a_line_of_its_own_until_somebody_edits_the_text(samples):
    report = samples.chest().report
    first, second = replace(report.findings[0], id="F1"), replace(report.findings[0], id="F2")
    sentences = tuple(Sentence(f"{id_}: {what}.", "findings", id_) for id_ in ("F1", "F2") for what in ("a", "b"))
    joined = " ".join(sentence.text for sentence in sentences)
    report = replace(report, findings=(first, second), sentences=sentences, sections={"findings": joined})
    assert build_view(report, identity=True).sections == (("Findings", ("F1: a. F1: b.", "F2: a. F2: b.")),)
    edited = replace(report, sections={"findings": "Something else."})
    assert build_view(edited, identity=True).sections == (("Findings", ("Something else.",)),)


def test_nested_parameters_and_a_method_without_weights_read_plainly(samples):
    report = samples.chest().report
    source = replace(report.provenance, parameters={"chest-ct": {"lung_hu": -829.4}}, models=(ModelRef("a", "1", ""),))
    text = build_view(replace(report, provenance=source), identity=True).texts()
    assert "chest-ct.lung_hu = -829.4" in text and "a 1," not in text


def test_weeks_are_printed_with_days_in_the_table_and_with_one_precision_everywhere(samples):
    report = samples.fetal("zh").report
    age = replace(report.findings[0].measurements[2], value=18.149)
    category = Category("gestational_age_hadlock_1984", "18.15", (), "s")
    changed = replace(report.findings[0], measurements=(age,), categories=(category,))
    (finding,) = build_view(replace(report, findings=(changed,)), identity=True).findings
    assert finding.measurements[0][1] == "18.1 ± 1.2 周 (18 周 1 天)"
    assert finding.categories[0].title.endswith("18.1 周")
    (finding,) = build_view(replace(report, language="en", findings=(changed,)), identity=True).findings
    assert finding.measurements[0][1].endswith("18.1 ± 1.2 weeks (18w 1d)")


def test_codes_of_the_header_and_methods_are_words(samples):
    view = build_view(samples.chest("zh").report, identity=True)
    assert (
        ("检查类型", "CT") in view.study and ("检查部位", "胸部") in view.study and ("阅片任务", "胸部CT") in view.study
    )
    assert ("Body part", "Chest") in build_view(samples.chest().report, identity=True).study
    finding = samples.chest().report.findings[0]
    same = replace(finding, measurements=(finding.measurements[1], finding.measurements[1]))
    rows = build_view(replace(samples.chest().report, findings=(same,)), identity=True).findings[0].measurements
    assert [row[2] for row in rows] == ["longest diameter in plane (RECIST 1.1)", "as above"]


def test_a_normal_image_with_a_raised_probability_is_titled_as_that(samples):
    finding = replace(samples.breast().report.findings[0], qualifiers={"kind": "breast-normal", "verdict": "mixed"})
    assert "raised probability" in finding_name(finding, "en") and "恶性概率偏高" in finding_name(finding, "zh")
    clear = replace(finding, qualifiers={"kind": "breast-normal", "verdict": "clear"})
    assert finding_name(clear, "en") == "No suspicious lesion of the breast"
