"""Everything that one study's folder holds, as bytes by name."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from isocenter.core.cine import Cine
from isocenter.core.finding import Evidence, Finding
from isocenter.core.report import Report
from isocenter.core.study import Study
from isocenter.core.volume import Volume
from isocenter.io.dicom_headers import read_headers
from isocenter.io.dicom_parser import collected_warnings
from isocenter.reporting.dicom_sc import build_secondary_capture
from isocenter.reporting.dicom_seg import build_seg
from isocenter.reporting.dicom_sr import build_sr
from isocenter.reporting.figures import encode_png
from isocenter.reporting.html import render_html
from isocenter.reporting.pdf import render_pdf
from isocenter.reporting.report_json import provenance_to_dict, report_to_json


@dataclass(frozen=True, slots=True, eq=False)
class _Sources:
    """The images that the report speaks of, their headers by series, and Secondary Captures made for them."""

    images: tuple[Volume | Cine, ...]
    headers: Mapping[str, tuple[Any, ...]] = field(repr=False)
    captures: Mapping[str, bytes] = field(repr=False)


def study_files(study: Study, report: Report, *, identity: bool) -> tuple[Report, Mapping[str, bytes]]:
    """The report with its evidence tied to files, and the folder's content by relative name.

    identity   whether HTML, PDF and SR carry name, id and birth date
    """
    # Headers convert their values when they are copied; what the library then warns of could quote them.
    with collected_warnings():
        return _study_files(study, report, identity=identity)


def _study_files(study: Study, report: Report, *, identity: bool) -> tuple[Report, Mapping[str, bytes]]:
    report, sources = _sources(study, report)
    segmentation = build_seg(report, sources.images, sources.headers, identity=identity)
    structured = build_sr(report, sources.headers, volumes=sources.images, seg=segmentation, identity=identity)
    report = _name_files(report, has_masks=segmentation is not None)
    pictures = {figure.name: encode_png(figure) for figure in report.figures}
    files = {
        "report.json": report_to_json(report),
        "report.html": render_html(report, pictures, identity=identity).encode(),
        "report.pdf": render_pdf(report, pictures, identity=identity),
        "sr.dcm": _dicom_bytes(structured),
        "provenance.json": (json.dumps(provenance_to_dict(report), ensure_ascii=False, indent=2) + "\n").encode(),
        **{f"figures/{name}.png": content for name, content in pictures.items()},
        **sources.captures,
    }
    if segmentation is not None:
        files["seg.dcm"] = _dicom_bytes(segmentation)
    return report, files


def _sources(study: Study, report: Report) -> tuple[Report, _Sources]:
    """Source headers of the images that were read; for one that is not DICOM, a Secondary Capture takes their place."""
    spoken = {evidence.series_uid for finding in report.findings for evidence in finding.evidence}
    read = [image for image in study.volumes if image.source.series_uid in spoken] or list(study.volumes[:1])
    images: list[Volume | Cine] = []
    headers: dict[str, tuple[Any, ...]] = {}
    captures: dict[str, bytes] = {}
    for image in read:
        volume = image if isinstance(image, Volume) else image.frame(image.array.shape[0] // 2)
        if _is_referable(volume):
            made = read_headers(volume)
            known = headers.get(volume.source.series_uid, ())
            images.append(volume)
            headers[volume.source.series_uid] = (*known, *made)
            continue
        made = build_secondary_capture(volume, report)
        series_uid = str(made[0].SeriesInstanceUID)
        report = _rename_series(report, image.source.series_uid, series_uid)
        images.append(replace(volume, source=replace(volume.source, series_uid=series_uid)))
        headers[series_uid] = made
        captures[f"sc-{len(captures) + 1}.dcm" if captures else "sc.dcm"] = _dicom_bytes(made[0])
    return report, _Sources(tuple(images), headers, captures)


def _is_referable(image: Volume) -> bool:
    """Whether an SR can point at the image: DICOM whose every UID is there (some anonymisers empty them)."""
    source = image.source
    named = all(instance.sop_uid and instance.sop_class_uid for instance in source.instances)
    return source.kind == "dicom" and bool(source.study_uid and source.series_uid and source.instances) and named


def _rename_series(report: Report, old: str, new: str) -> Report:
    """The report with its evidence on another series: the Secondary Capture that stands for a plain picture."""

    def rename(evidence: Evidence) -> Evidence:
        return replace(evidence, series_uid=new) if evidence.series_uid == old else evidence

    return _with_evidence(report, lambda finding, evidence: rename(evidence))


def _name_files(report: Report, *, has_masks: bool) -> Report:
    """The report with the file beside it that shows each piece of evidence: the SEG for masks, else the picture."""

    def name(finding: Finding, evidence: Evidence) -> Evidence:
        if evidence.kind == "mask" and has_masks:
            return replace(evidence, file="seg.dcm")
        shown = next((figure.name for figure in report.figures if figure.finding == finding.id), "")
        return replace(evidence, file=f"figures/{shown}.png" if shown else evidence.file)

    return _with_evidence(report, name)


def _with_evidence(report: Report, change: Any) -> Report:
    findings = tuple(
        replace(finding, evidence=tuple(change(finding, evidence) for evidence in finding.evidence))
        for finding in report.findings
    )
    return replace(report, findings=findings)


def _dicom_bytes(dataset: Any) -> bytes:
    """A DICOM data set as a Part 10 file."""
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
