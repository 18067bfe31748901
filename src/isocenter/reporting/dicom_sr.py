"""A report as a DICOM SR document: TID 1500, one measurement group per finding.

Source: PS3.16 TID 1500, 1501, 1410, 1411, 1419, 1600, 1204, 4019; PS3.3 A.35.3 (Comprehensive SR).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from isocenter.core.cine import Cine
from isocenter.core.finding import Code
from isocenter.core.report import Report
from isocenter.core.volume import Volume
from isocenter.reporting.dicom_codes import OWN_SCHEME
from isocenter.reporting.dicom_groups import Sources, concept, measurement_group
from isocenter.reporting.dicom_source import MANUFACTURER, HeadersBySeries, file_meta, inherit, source_series, stamp
from isocenter.reporting.locale import TAGS, label
from isocenter.reporting.uids import content_uid, fingerprint, study_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.88.33"
SERIES_NUMBER = 9902
_QUALITATIVE = Code("UMLS", "C0034375", "Qualitative Evaluations")
_STATUS = Code(OWN_SCHEME, "report-status", "Report status")
_STATUSES = {
    "draft": Code(OWN_SCHEME, "ai-draft", "AI draft, not for diagnostic use until signed"),
    "reviewed": Code(OWN_SCHEME, "reviewed", "Reviewed, not yet signed"),
    "signed": Code(OWN_SCHEME, "signed", "Signed"),
    "amended": Code(OWN_SCHEME, "amended", "Amended after signature"),
}
_ABSTAINED = Code(OWN_SCHEME, "abstained", "No AI opinion, with the reason")
_TEXTS = {
    "findings": Code("DCM", "121071", "Finding"),
    "impression": Code("DCM", "121073", "Impression"),
    "recommendation": Code("DCM", "121075", "Recommendation"),
}
_PROCEDURES = {
    "CT": Code("SCT", "77477000", "Computed tomography"),
    "MR": Code("SCT", "113091000", "Magnetic resonance imaging"),
    "US": Code("SCT", "16310003", "Diagnostic ultrasonography"),
    "PT": Code("SCT", "82918005", "Positron emission tomography"),
}
_LIBRARY_GROUP = Code("DCM", "126200", "Image Library Group")
_ANY_PROCEDURE = Code("SCT", "363679005", "Imaging procedure")
_MODALITIES = {
    "CT": "Computed Tomography", "MR": "Magnetic Resonance", "US": "Ultrasound", "CR": "Computed Radiography",
    "DX": "Digital Radiography", "MG": "Mammography", "PT": "Positron emission tomography", "NM": "Nuclear Medicine",
    "XA": "X-Ray Angiography", "RF": "Radio Fluoroscopy", "OP": "Ophthalmic Photography",
    "XC": "External-camera Photography", "SC": "Secondary Capture", "OT": "Other",
}  # fmt: skip


def build_sr(
    report: Report,
    headers_by_series: HeadersBySeries,
    *,
    volumes: Sequence[Volume | Cine] = (),
    seg: "Dataset | None" = None,
    identity: bool = True,
) -> "Dataset":
    """The report as a Comprehensive SR document, partial and unverified until somebody signs it.

    headers_by_series   SeriesInstanceUID -> one header per distinct instance, in slice order; "" -> Secondary Capture
    volumes             say which frame of a multi-frame instance a slice is; needed for nothing else
    seg                 what build_seg made of the same report; without it a mask is given as the box around it

    Raises InputError if there is no header at all.
    """
    grids = {each.series_uid: each.mask.grid for f in reversed(report.findings) for each in f.evidence if each.mask}
    series = {uid: source_series(uid, volumes, headers_by_series, grids.get(uid)) for uid in headers_by_series}
    sources = Sources(report, series, seg)
    groups = [measurement_group(finding, sources) for finding in report.findings]
    return assemble_sr(sources, groups, content=(), identity=identity)


def assemble_sr(sources: Sources, groups: Sequence[Any], *, content: object, identity: bool = True) -> "Dataset":
    """The document that holds the measurement groups, with all that its report says around them.

    content   what the groups were made from beside the report: equal documents get equal UIDs
    """
    from pydicom.dataset import Dataset

    report, seg = sources.report, sources.seg
    sr = Dataset()
    sr.update(_document(report, sources, groups))
    inherit(sr, sources.first_header(), identity=identity)
    sr.SOPClassUID, sr.Modality = SOP_CLASS, "SR"
    said = fingerprint((*_content(report), content) if content else _content(report))
    stamp(
        sr, report, series_number=SERIES_NUMBER,
        series_uid=content_uid("sr-series", study_uid(report), report.provenance.code),
        sop_uid=content_uid("sr", study_uid(report), said, seg.SOPInstanceUID if seg else ""),
    )  # fmt: skip
    sr.SeriesDescription = f"AI report ({report.status})"
    signed = report.status in ("signed", "amended")
    # Signing by a named person, with VerifyingObserverSequence, is not this function's: it stays unverified.
    sr.CompletionFlag, sr.VerificationFlag = "PARTIAL", "UNVERIFIED"
    sr.PreliminaryFlag = "FINAL" if signed else "PRELIMINARY"
    sr.CurrentRequestedProcedureEvidenceSequence = _evidence(report, [*sources.used_headers(), *([seg] if seg else [])])
    sr.CodingSchemeIdentificationSequence = [_own_scheme()]
    sr.ReferencedPerformedProcedureStepSequence, sr.PerformedProcedureCodeSequence = [], []
    file_meta(sr)
    return sr


def _content(report: Report) -> tuple[object, ...]:
    """What the document says: everything but when it was made, where it was written and whose it is."""
    return (
        report.study, report.provenance, report.language, report.status, report.findings, report.sections,
        report.abstained, report.abstained_reason, report.tasks,
    )  # fmt: skip


def _evidence(report: Report, referred: "Sequence[Dataset]") -> "list[Dataset]":
    """Every instance that the document refers to, by study and series (PS3.3 C.17.2)."""
    from pydicom.dataset import Dataset

    by_series: dict[tuple[str, str], list[Dataset]] = {}
    for header in referred:
        study = str(header.get("StudyInstanceUID") or study_uid(report))
        by_series.setdefault((study, str(header.get("SeriesInstanceUID") or "")), []).append(header)
    studies: dict[str, Dataset] = {}
    for (study, series_uid), headers in by_series.items():
        if study not in studies:
            studies[study] = Dataset()
            studies[study].StudyInstanceUID, studies[study].ReferencedSeriesSequence = study, []
        series = Dataset()
        series.SeriesInstanceUID, series.ReferencedSOPSequence = series_uid, []
        for header in headers:
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
            series.ReferencedSOPSequence.append(item)
        studies[study].ReferencedSeriesSequence.append(series)
    return list(studies.values())


def _own_scheme() -> "Dataset":
    """What the designator of our own codes stands for (PS3.3 C.12.1)."""
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodingSchemeDesignator, item.CodingSchemeName = OWN_SCHEME, "Isocenter codes"
    item.CodingSchemeResponsibleOrganization = MANUFACTURER
    return item


def _document(report: Report, sources: Sources, groups: Sequence[Any]) -> Any:
    """The content tree: context, procedure, images, measurement groups, status and, beyond the template, texts."""
    from highdicom.sr import ContainerContentItem, ContentSequence, LanguageOfContentItemAndDescendants

    root = ContainerContentItem(name=concept(Code("DCM", "126000", "Imaging Measurement Report")), template_id="1500")
    root.ContentSequence = ContentSequence()
    add = root.ContentSequence.append
    tag = TAGS[report.language]
    meaning = {"en-US": "English (United States)", "zh-CN": "Chinese (China)"}[tag]
    for item in LanguageOfContentItemAndDescendants(concept(Code("RFC5646", tag, meaning))):
        add(item)
    for item in _observer(report):
        add(item)
    modality = report.study.modality.split("\\")[0]
    add(
        _code(Code("DCM", "121058", "Procedure reported"), _PROCEDURES.get(modality, _ANY_PROCEDURE), "HAS CONCEPT MOD")
    )
    add(_image_library(sources))
    if groups:
        measurements = ContainerContentItem(
            name=concept(Code("DCM", "126010", "Imaging Measurements")), relationship_type="CONTAINS"
        )
        measurements.ContentSequence = ContentSequence()
        for group in groups:
            measurements.ContentSequence.extend(group)
        add(measurements)
    add(_status(report))
    for section, name in _TEXTS.items():
        if report.sections.get(section):
            add(_text(name, report.sections[section]))
    return root


def _code(name: Code, value: Code, relationship: str) -> Any:
    from highdicom.sr import CodeContentItem

    return CodeContentItem(name=concept(name), value=concept(value), relationship_type=relationship)


def _text(name: Code, value: str) -> Any:
    from highdicom.sr import TextContentItem

    return TextContentItem(name=concept(name), value=value, relationship_type="CONTAINS")


def _observer(report: Report) -> Any:
    """Who observed: this software, and nobody else."""
    from highdicom.sr import DeviceObserverIdentifyingAttributes, ObservationContext, ObserverContext

    name, _, version = report.provenance.code.partition(" ")
    device = DeviceObserverIdentifyingAttributes(
        uid=content_uid("device", report.provenance.code), name=name.capitalize(), manufacturer_name=MANUFACTURER,
        model_name=name.capitalize(), serial_number=version or "unknown",
    )  # fmt: skip
    kind = concept(Code("DCM", "121007", "Device"))
    return ObservationContext(
        observer_device_context=ObserverContext(observer_type=kind, observer_identifying_attributes=device)
    )


def _image_library(sources: Sources) -> Any:
    """The images that the findings rest on, by modality; a document without findings names the first of each series."""
    from highdicom.sr import ContainerContentItem, ContentSequence, ImageContentItem

    library = ContainerContentItem(name=concept(Code("DCM", "111028", "Image Library")), relationship_type="CONTAINS")
    library.ContentSequence = ContentSequence()
    by_modality: dict[str, list[Dataset]] = {}
    for header in sources.used_headers():
        by_modality.setdefault(str(header.get("Modality", "OT")), []).append(header)
    for modality, headers in by_modality.items():
        group = ContainerContentItem(
            name=concept(Code("DCM", "126200", "Image Library Group")), relationship_type="CONTAINS"
        )
        group.ContentSequence = ContentSequence()
        named = Code("DCM", modality, _MODALITIES.get(modality, modality))
        group.ContentSequence.append(_code(Code("DCM", "121139", "Modality"), named, "HAS ACQ CONTEXT"))
        for header in headers:
            group.ContentSequence.append(
                ImageContentItem(
                    name=concept(Code("SCT", "260753009", "Source")),
                    referenced_sop_class_uid=str(header.SOPClassUID),
                    referenced_sop_instance_uid=str(header.SOPInstanceUID),
                    relationship_type="CONTAINS",
                )
            )
        library.ContentSequence.append(group)
    return library


def _status(report: Report) -> Any:
    """Qualitative evaluations of the whole study: that this is a draft and, where nothing was answered, why."""
    from highdicom.sr import ContainerContentItem, ContentSequence

    container = ContainerContentItem(name=concept(_QUALITATIVE), relationship_type="CONTAINS")
    container.ContentSequence = ContentSequence()
    container.ContentSequence.append(_code(_STATUS, _STATUSES[report.status], "CONTAINS"))
    container.ContentSequence.append(_text(_STATUS, label(report.language, f"banner_{report.status}")))
    if report.abstained:
        code = report.abstained.code
        reason = Code(OWN_SCHEME, f"abstained-{code}", code.replace("-", " "))
        container.ContentSequence.append(_code(_ABSTAINED, reason, "CONTAINS"))
        container.ContentSequence.append(_text(_ABSTAINED, report.abstained_reason or code))
    return container
