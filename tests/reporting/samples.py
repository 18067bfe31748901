"""Reports made by hand, with their volumes and source headers, for the tests of the renderers."""

# ruff: noqa: E501

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset

from isocenter.core.cine import Cine
from isocenter.core.finding import Category, Code, Evidence, Finding, Measurement, ModelRef, Site, TraceStep
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.provenance import Provenance
from isocenter.core.reading import Abstention, Figure, QualityCheck
from isocenter.core.report import SECTIONS, Report, Sentence, StudyHeader
from isocenter.core.study import InputFailure, Patient
from isocenter.core.volume import Instance, Source, Volume

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
CT_STORAGE, US_STORAGE = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.6.1"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
NAME = "Wang^XiaoDong=王^小东"
SHOWN_NAME = "王小东 (Wang XiaoDong)"  # as io reads it
MODEL = ModelRef("breast-us", "1.0.0", "sha256:" + "ab" * 32)


@dataclass
class Sample:
    """A report with what the DICOM writers need; no headers for an input that is not DICOM."""

    report: Report
    volume: Volume | Cine
    headers: dict[str, tuple[Dataset, ...]] = field(default_factory=dict)


def provenance(*models: ModelRef, n_inputs: int = 1) -> Provenance:
    return Provenance(
        inputs=tuple(f"sha256:{n:064x}" for n in range(1, n_inputs + 1)),
        code="isocenter 0.1.0",
        files=tuple(f"image{n}.dcm" for n in range(1, n_inputs + 1)),
        models=models,
        runtime="openvino 2026.4.1",
        precision="f32",
        parameters={"breast-us.limit": 0.5},
    )


def header(modality: str, uid: str, *, rows: int, columns: int, number: int = 1) -> Dataset:
    """A source header as io hands it over: no pixels."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = {"CT": CT_STORAGE, "US": US_STORAGE}[modality]
    made.SOPInstanceUID, made.StudyInstanceUID, made.SeriesInstanceUID = uid, "1.2.3.4", "1.2.3.4.5"
    made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex = NAME, "MRN-0042", "19700102", "F"
    made.StudyDate, made.StudyTime, made.StudyID, made.AccessionNumber = "20251231", "101500", "S1", "A1"
    made.ReferringPhysicianName = ""
    made.Modality, made.Manufacturer, made.SeriesNumber, made.InstanceNumber = modality, "Maker", 1, number
    made.Rows, made.Columns, made.SamplesPerPixel, made.PhotometricInterpretation = rows, columns, 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 1
    return made


def chest(language: str = "en", size: int = 64, slices: int = 12) -> Sample:
    """A CT series of single frames with one solid nodule that has a mask."""
    grid = Grid.of_spacing((slices, size, size), (2.0, 0.7, 0.7), (-20.0, -30.0, 100.0))
    k, j, i = np.meshgrid(*(np.arange(n) for n in grid.shape), indexing="ij")
    nodule = ((k - 5) * 2.0) ** 2 + ((j - 20) * 0.7) ** 2 + ((i - 40) * 0.7) ** 2 <= 5.0**2
    array = np.where(nodule, 40.0, -800.0).astype(np.float32)
    instances = tuple(Instance(CT_STORAGE, f"1.2.3.4.5.{n + 1}") for n in range(slices))
    source = Source("dicom", "1.2.3.4", "1.2.3.4.5", "1.2.3.4.9", instances, tuple(f"sha256:{n:064x}" for n in range(slices)))  # fmt: skip
    volume = Volume(array, grid, "HU", "CT", source=source)
    headers = []
    for n in range(slices):
        made = header("CT", instances[n].sop_uid, rows=size, columns=size, number=n + 1)
        made.FrameOfReferenceUID, made.PositionReferenceIndicator = "1.2.3.4.9", ""
        made.ImagePositionPatient = [-20.0, -30.0, 100.0 + 2.0 * n]
        made.ImageOrientationPatient, made.PixelSpacing, made.SliceThickness = [1, 0, 0, 0, 1, 0], [0.7, 0.7], 2.0
        headers.append(made)
    category = Category(
        rule="fleischner_2017", value="solid-single-low-over-8",
        trace=(TraceStep("density", "solid", "the solid table applies"), TraceStep("mean diameter", "9.8 mm", "over 8 mm")),
        source="MacMahon et al., Radiology 2017;284(1):228-243",
        texts={"en": "Consider CT at 3 months, PET/CT, or tissue sampling.", "zh": "建议 3 个月后复查 CT、PET/CT 或活检。"},
        flags=("missing:risk",),
    )  # fmt: skip
    centre = tuple(float(v) for v in grid.to_world_mm(np.array([5, 20, 40])))
    finding = Finding(
        "F1", "chest-ct", Code("SCT", "27925004", "Nodule"), Site(Code("SCT", "39607008", "Lung"), "R"),
        evidence=(Evidence("mask", "1.2.3.4.5", 5, "image6.dcm", int(nodule.sum()), centre, Mask(nodule, grid)),),
        measurements=(
            Measurement("mean_diameter", 9.8, "mm", Code("SCT", "81827009", "Diameter"), "mean of long and short axis in the axial slice of the largest area (Fleischner 2017)", 0.4),
            Measurement("long_axis", 10.1, "mm", Code("SCT", "103339001", "Long axis"), "longest diameter in plane (RECIST 1.1)", 0.5),
            Measurement("short_axis", 9.5, "mm", Code("SCT", "103340004", "Short axis"), "longest perpendicular (RECIST 1.1)", 0.5),
            Measurement("volume", 0.492, "ml", Code("SCT", "118565006", "Volume"), "voxel count with partial volume", 0.03),
            Measurement("mean_hu", 40.0, "[hnsf'U]", Code("DCM", "112181", "Mean Attenuation Coefficient"), "mean over the mask"),
        ),
        categories=(category,), qualifiers={"kind": "lung-nodule", "density": "solid"},
    )  # fmt: skip
    figure = Figure(
        "F1-nodule",
        np.stack([np.clip(array[5] + 900, 0, 255).astype(np.uint8)] * 3, axis=2),
        "nodule",
        {"id": "F1"},
        "F1",
    )
    return Sample(
        _report(language, "CT", "CHEST", (finding,), (figure,), CHEST_TEXTS[language]),
        volume,
        {"1.2.3.4.5": tuple(headers)},
    )


def enhanced() -> Sample:
    """The chest sample as one enhanced multi-frame CT whose frames are stored from the head down."""
    made = chest()
    n = made.volume.grid.shape[0]
    instances = tuple(Instance(ENHANCED_CT, "1.2.3.4.5.77", n - k) for k in range(n))
    head = header("CT", "1.2.3.4.5.77", rows=64, columns=64)
    head.SOPClassUID, head.NumberOfFrames, head.FrameOfReferenceUID = ENHANCED_CT, n, "1.2.3.4.9"
    head.PerFrameFunctionalGroupsSequence = [Dataset() for _ in range(n)]
    volume = replace(made.volume, source=replace(made.volume.source, instances=instances))
    return Sample(made.report, volume, {"1.2.3.4.5": (head,)})


def ultrasound_cine() -> Sample:
    """A head outlined on frame 4 of a six-frame ultrasound loop: no place in the patient."""
    made = fetal()
    mask = made.report.findings[0].evidence[0].mask
    instances = tuple(Instance("1.2.840.10008.5.1.4.1.1.3.1", "1.2.3.4.5.88", n + 1) for n in range(6))
    source = Source("dicom", "1.2.3.4", "1.2.3.4.5", "", instances, ("sha256:" + "1" * 64,))
    cine = Cine(np.repeat(made.volume.array[None], 6, axis=0), np.arange(6.0), mask.grid, "a.u.", "US", source=source)
    head = header("US", "1.2.3.4.5.88", rows=80, columns=100)
    head.SOPClassUID, head.NumberOfFrames = "1.2.840.10008.5.1.4.1.1.3.1", 6
    finding = made.report.findings[0]
    evidence = replace(finding.evidence[0], series_uid="1.2.3.4.5", frame=3)
    report = replace(made.report, findings=(replace(finding, evidence=(evidence,)),))
    return Sample(report, cine, {"1.2.3.4.5": (head,)})


CHEST_TEXTS = {
    "en": {
        "technique": "CT, 12 images. Read automatically as: chest-ct.",
        "comparison": "No prior study was given.",
        "findings": "F1: solid nodule candidate, right lung, mean diameter 9.8 mm (long axis 10.1 mm, short axis 9.5 mm), volume 0.49 ml.",
        "impression": "F1: right lung nodule, 9.8 mm.",
        "recommendation": "F1 (Fleischner 2017): Consider CT at 3 months, PET/CT, or tissue sampling.",
    },
    "zh": {
        "technique": "CT，共 12 幅图像。自动阅片任务：chest-ct。",
        "comparison": "未提供既往检查。",
        "findings": "F1：右肺实性结节候选灶，平均直径9.8 mm（长径10.1 mm，短径9.5 mm），体积0.49 ml。邻近胸膜，边界清楚，未见钙化，周围血管未见明显牵拉，纵隔及肺门未见评估，请结合临床及既往影像综合判断。",
        "impression": "F1：右肺结节，9.8 mm。",
        "recommendation": "F1（Fleischner 2017）：建议 3 个月后复查 CT、PET/CT 或活检。",
    },
}


def breast(language: str = "en", *, colour: bool = False, dicom: bool = True) -> Sample:
    """One breast ultrasound image with a box, a probability and an AI-estimated BI-RADS category."""
    grid = Grid.of_pixels((1, 90, 120))
    j, i = np.mgrid[:90, :120]
    gray = (80 + 40 * np.sin(i / 7) + 20 * np.cos(j / 5)).astype(np.uint8)[None]
    gray[0, 30:60, 40:80] //= 3
    array = np.stack([gray, gray, gray // 2], axis=3) if colour else gray
    instances = (Instance(US_STORAGE, "1.2.3.4.5.1"),)
    source = Source("dicom", "1.2.3.4", "1.2.3.4.5", "", instances, ("sha256:" + "1" * 64,)) if dicom else Source("raster", digests=("sha256:" + "1" * 64,))  # fmt: skip
    volume = Volume(array, grid, "sRGB" if colour else "a.u.", "US" if dicom else "", source=source)
    headers = {"1.2.3.4.5": (header("US", "1.2.3.4.5.1", rows=90, columns=120),)} if dicom else {}
    category = Category(
        "bi_rads_ai_estimated", "4C",
        (TraceStep("probability", "0.93", "0.50 ≤ p < 0.95"),),
        "Sickles EA et al., ACR BI-RADS Atlas, 5th ed., 2013",
        texts={"en": "Tissue diagnosis should be considered.", "zh": "建议组织学检查。"}, flags=("ai_estimated",),
    )  # fmt: skip
    finding = Finding(
        "F1", "breast-us", Code("SCT", "52988006", "Lesion"), Site(Code("SCT", "76752008", "Breast"), "L"),
        evidence=(Evidence("box", volume.source.series_uid, 0, "image1.dcm", box_index=((0, 30, 40), (1, 60, 80))),),
        probability=0.93, categories=(category,), model=MODEL, qualifiers={"kind": "breast-lesion", "class": "malignant"},
    )  # fmt: skip
    heat = np.stack([gray[0], gray[0] // 2, gray[0] // 2], axis=2)
    figure = Figure("F1-heat-map", np.kron(heat, np.ones((4, 4, 1), np.uint8)), "heat-map", {"id": "F1"}, "F1")
    texts = {
        "en": {"findings": "F1: the image is classified as malignant; calibrated probability of malignancy 0.93.", "impression": "F1: malignant appearance; BI-RADS 4C (AI-estimated)."},
        "zh": {"findings": "F1：图像分类为恶性；校准后的恶性概率 0.93。", "impression": "F1：恶性表现；BI-RADS 4C（由 AI 估计）。"},
    }  # fmt: skip
    return Sample(
        _report(language, "US", "BREAST", (finding,), (figure,), texts[language], uid="1.2.3.4" if dicom else ""),
        volume,
        headers,
    )


def fetal(language: str = "en", *, spacing_known: bool = True) -> Sample:
    """A fetal head from a PNG: a mask, and millimetres only where the pixel size is known."""
    grid = Grid.of_pixels((1, 80, 100))
    grid = grid.with_spacing(0.4, 0.4) if spacing_known else grid
    j, i = np.mgrid[:80, :100]
    head = (((j - 40) / 28) ** 2 + ((i - 50) / 38) ** 2 <= 1)[None]
    array = np.where(head, 120, 30).astype(np.uint8)
    volume = Volume(array, grid, "a.u.", "US", source=Source("raster", digests=("sha256:" + "1" * 64,)))
    method = "ellipse fitted to the mask's outline; circumference by Ramanujan 1914"
    measured = (
        Measurement("head_circumference", 83.3, "mm", Code("LN", "11984-2", "Head Circumference"), method, 1.7),
        Measurement("biparietal_diameter", 22.4, "mm", Code("LN", "11820-8", "Biparietal Diameter"), method),
        Measurement("gestational_age", 13.1, "wk", Code("LN", "18185-9", "Gestational Age"), "Hadlock 1984", 1.2),
    )
    finding = Finding(
        "F1", "fetal-head", Code("DCM", "125002", "Fetal Biometry"), Site(Code("DCM", "125004", "Fetal Cranium")),
        evidence=(Evidence("mask", "", 0, "head.png", int(head.sum()), None, Mask(head, grid)),),
        measurements=measured if spacing_known else (), model=replace(MODEL, name="fetal-head"),
    )  # fmt: skip
    texts = {"en": {"findings": "F1: fetal head outlined."}, "zh": {"findings": "F1：已勾画胎儿头部。"}}
    return Sample(_report(language, "US", "", (finding,), (), texts[language], uid=""), volume)


def abstained(language: str = "en", *, dicom: bool = True) -> Sample:
    """A breast study that nobody should read: too small, and foreign to the model."""
    made = breast(language, dicom=dicom)
    reason = {
        "en": "The image is unlike those that the model was made from.",
        "zh": "图像与模型训练所用图像差异过大。",
    }[language]
    report = replace(
        made.report, findings=(), figures=(), abstained=Abstention("out-of-distribution"), abstained_reason=reason,
        sections={**dict.fromkeys(SECTIONS, ""), "impression": reason}, sentences=(Sentence(reason, "impression"),),
        quality=(QualityCheck("size", 28.0, 64.0, False),),
        failures=(InputFailure(Path("scans/broken.dcm"), "expected a DICOM file, got 0 bytes; send it again"),),
    )  # fmt: skip
    return Sample(report, made.volume, made.headers)


def _report(language, modality, part, findings, figures, sections, uid="1.2.3.4") -> Report:
    return Report(
        study=StudyHeader(uid, "0123456789abcdef", modality, part, "2025-12-31", "fedcba9876543210", "F", 55.0),
        provenance=provenance(*(f.model for f in findings if f.model)),
        language=language, created=CREATED, tasks=tuple(f.task for f in findings),
        quality=(QualityCheck("size", 512.0, 64.0, True),),
        findings=findings, figures=figures, sections={name: sections.get(name, "") for name in SECTIONS},
        sentences=tuple(Sentence(text, section) for section, text in sections.items()),
        patient=Patient(SHOWN_NAME, "MRN-0042", "1970-01-02", "F", 55.0) if uid else Patient(),
    )  # fmt: skip
