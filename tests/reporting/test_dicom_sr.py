import subprocess
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from isocenter.core.errors import InputError
from isocenter.core.finding import Evidence
from isocenter.core.mask import Mask
from isocenter.reporting.dicom_sc import build_secondary_capture
from isocenter.reporting.dicom_seg import build_seg
from isocenter.reporting.dicom_sr import build_sr

NAMES = ["chest", "breast", "fetal", "abstained", "enhanced", "ultrasound_cine"]


def _build(sample, *, identity=True, segment=True):
    headers = sample.headers or {"": build_secondary_capture(sample.volume, sample.report)}
    seg = build_seg(sample.report, [sample.volume], headers, identity=identity) if segment else None
    sr = build_sr(sample.report, headers, volumes=[sample.volume], seg=seg, identity=identity)
    return sr, seg


def _items(dataset, name=None):
    for item in dataset.get("ContentSequence", ()):
        if name is None or item.get("ConceptNameCodeSequence", [None])[0].CodeMeaning == name:
            yield item
        yield from _items(item, name)


@pytest.mark.parametrize("segment", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_validator_finds_no_error(samples, dicom_errors, name, segment):
    assert dicom_errors(_build(getattr(samples, name)(), segment=segment)[0]) == []


@pytest.mark.parametrize("name", ["breast", "fetal", "abstained"])
def test_the_validator_finds_no_error_where_the_input_was_a_picture(samples, dicom_errors, name):
    options = {} if name == "fetal" else {"dicom": False}
    assert dicom_errors(_build(getattr(samples, name)("zh", **options))[0]) == []


def test_another_library_finds_the_measurements_by_tracking_and_segment(samples, as_written):
    sr, seg = _build(samples.chest())
    report = highdicom.sr.srread(as_written(sr)).content
    (group,) = report.get_volumetric_roi_measurement_groups()
    assert group.tracking_identifier == "F1"
    assert group.tracking_uid == seg.SegmentSequence[0].TrackingUID
    assert group.finding_type.meaning == "Nodule"
    assert group.finding_sites[0].laterality == codes.SCT.Right
    measured = {m.name.meaning: (float(m.value), m.unit.value) for m in group.get_measurements()}
    assert measured["Diameter"] == (9.8, "mm") and measured["Volume"] == (0.492, "ml")
    segment = group.referenced_segment
    assert segment.referenced_sop_instance_uid == seg.SOPInstanceUID
    assert len(segment.source_images_for_segmentation) == 5
    assert {evaluation.value.meaning for evaluation in group.get_qualitative_evaluations()} == {
        "solid-single-low-over-8 (missing:risk)"
    }


def test_uncertainty_has_the_unit_of_its_measurement(samples):
    (item, *_) = _items(_build(samples.chest())[0], "+, range of upper measurement uncertainty")
    value = item.MeasuredValueSequence[0]
    assert (float(value.NumericValue), value.MeasurementUnitsCodeSequence[0].CodeValue) == (0.4, "mm")


def test_a_box_is_an_outline_on_its_image_and_a_probability_a_percentage(samples, as_written):
    sr, _ = _build(samples.breast())
    (group,) = highdicom.sr.srread(as_written(sr)).content.get_planar_roi_measurement_groups()
    region = group.roi
    assert region.graphic_type.value == "POLYLINE"
    assert region.value.tolist() == [[40, 30], [80, 30], [80, 60], [40, 60], [40, 30]]
    (certainty,) = group.get_measurements()
    assert (float(certainty.value), certainty.unit.value) == (93.0, "%")


def test_a_loop_is_referred_to_by_frame(samples):
    sr, _ = _build(samples.ultrasound_cine(), segment=False)
    (source,) = _items(next(_items(sr, "Image Region")), None)
    assert source.ReferencedSOPSequence[0].ReferencedFrameNumber == 4


def test_points_are_points_and_measurements_alone_refer_to_no_pixel(samples, dicom_errors):
    sample = samples.chest()
    finding = sample.report.findings[0]
    points = Evidence("points", "1.2.3.4.5", 2, points_index=np.array([[2, 10, 20], [2, 11, 30]]))
    both = (replace(finding, evidence=(points,)), replace(finding, id="F2", evidence=()))
    sr, seg = _build(replace(sample, report=replace(sample.report, findings=both, figures=())))
    assert seg is None and dicom_errors(sr) == []
    region = next(_items(sr, "Image Region"))
    assert region.GraphicType == "POLYLINE" and list(region.GraphicData) == [20.5, 10.5, 30.5, 11.5]
    assert len(list(_items(sr, "Measurement Group"))) == 2


def test_an_abstention_says_why_and_has_no_measurement(samples):
    sr, _ = _build(samples.abstained())
    assert not list(_items(sr, "Measurement Group"))
    code, text = _items(sr, "No AI opinion, with the reason")
    assert code.ConceptCodeSequence[0].LongCodeValue == "abstained-out-of-distribution"
    assert text.TextValue.startswith("The image is unlike")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_language_status_and_impression_stand_in_the_document(samples, language):
    sample = samples.chest(language)
    sr, _ = _build(sample)
    (stated,) = _items(sr, "Language of Content Item and Descendants")
    assert stated.ConceptCodeSequence[0].CodeValue == {"en": "en-US", "zh": "zh-CN"}[language]
    assert (sr.CompletionFlag, sr.VerificationFlag, sr.PreliminaryFlag) == ("PARTIAL", "UNVERIFIED", "PRELIMINARY")
    status, _ = _items(sr, "Report status")
    assert status.ConceptCodeSequence[0].CodeValue == "ai-draft"
    (impression,) = _items(sr, "Impression")
    assert impression.TextValue == sample.report.sections["impression"]


def test_the_same_report_gives_the_same_bytes_and_another_gives_another_uid(samples, as_written):
    one, other = (as_written(_build(samples.chest())[0]).getvalue() for _ in range(2))
    assert one == other
    sample = samples.chest()
    later = replace(sample, report=replace(sample.report, created="2027-01-02T03:04:05Z"))
    assert _build(later)[0].SOPInstanceUID == _build(sample)[0].SOPInstanceUID
    told = replace(sample, report=replace(sample.report, sections={"impression": "Other."}, sentences=()))
    assert _build(told)[0].SOPInstanceUID != _build(sample)[0].SOPInstanceUID


def test_identity_is_written_or_withheld_and_chinese_names_survive(samples, as_written):
    read = pydicom.dcmread(as_written(_build(samples.chest())[0]))
    assert str(read.PatientName) == samples.NAME and read.PatientBirthDate == "19700102"
    hidden = as_written(_build(samples.chest(), identity=False)[0]).getvalue()
    assert not any(secret.encode() in hidden for secret in ("Wang", "小东", "MRN-0042", "19700102"))


def test_without_a_header_there_is_no_document(samples):
    with pytest.raises(InputError, match="headers"):
        build_sr(samples.chest().report, {})


@pytest.mark.tools
def test_dcmtk_prints_the_document(samples, tool, tmp_path):
    path = tmp_path / "sr.dcm"
    _build(samples.chest("zh"))[0].save_as(path, enforce_file_format=True)
    done = subprocess.run([tool("dsrdump"), "+Pl", str(path)], capture_output=True, text=True, check=True)
    assert "Comprehensive SR Document" in done.stdout and "右肺结节" in done.stdout
    assert "SG image" in done.stdout and not [line for line in done.stderr.splitlines() if line.startswith("E:")]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.tools
@pytest.mark.filterwarnings("ignore")
def test_headers_of_real_images_of_many_makers_give_valid_objects(samples, data_dir, dicom_errors):
    tried = 0
    paths = [*(data_dir / "dicom_exotic").rglob("*.dcm"), *(data_dir / "dicom_series").glob("*/*001.dcm")]
    for path in sorted(paths)[::4]:
        header = _header(path)
        if header is None:
            continue
        tried += 1
        report = samples.abstained().report
        frames = int(header.get("NumberOfFrames", 1) or 1)
        grid = samples.Grid.of_pixels((frames, int(header.Rows), int(header.Columns)))
        array = np.zeros(grid.shape, bool)
        array[0, 1:4, 1:4] = True
        mask = Mask(array, grid)
        finding = replace(samples.fetal().report.findings[0], evidence=(Evidence("mask", "s", mask=mask),))
        for made in (report, replace(report, findings=(finding,))):
            seg = build_seg(made, [], {"s": (header,)})
            assert seg is None or _ours(dicom_errors(seg)) == [], path.name
            assert _ours(dicom_errors(build_sr(made, {"s": (header,)}, seg=seg))) == [], path.name
    assert tried > 10


def _ours(errors: list[str]) -> list[str]:
    """The errors that are not those of the source's own identifiers, which must be repeated as they are."""
    return [line for line in errors if "for UID" not in line and "Dicom dataset contains invalid data" not in line]


def _header(path: Path):
    """The header of an image that its file states well enough to be read at all."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        usable = min(int(header.Rows), int(header.Columns)) > 3 and header.SOPInstanceUID and header.StudyInstanceUID
        usable = usable and 0 < int(header.get("NumberOfFrames", 1) or 1) < 1000
        return header if usable and header.get("Modality") not in ("SEG", "SR", None) and header.Rows < 3000 else None
    except Exception:  # noqa: BLE001 - broken on purpose; io refuses these by name
        return None
