"""Everything that one study's folder holds, as bytes by name."""

from collections.abc import Mapping

from isocenter.core.report import Report
from isocenter.core.study import Study
from isocenter.reporting.dicom_seg import build_seg
from isocenter.reporting.dicom_sr import build_sr
from isocenter.reporting.figures import encode_png
from isocenter.reporting.html import render_html
from isocenter.reporting.pdf import render_pdf
from isocenter.reporting.report_json import provenance_to_dict, report_to_json


def study_files(study: Study, report: Report, *, identity: bool) -> tuple[Report, Mapping[str, bytes]]:
    """The report with its evidence tied to files, and the folder's content by relative name.

    identity   whether HTML, PDF and SR carry name, id and birth date
    """
    report, images, headers, captures = _sources(study, report, identity=identity)
    segmentation = build_seg(report, images, headers)
    report = _name_files(report, has_mask=segmentation is not None)
    pictures = {f"figures/{figure.name}.png": encode_png(figure) for figure in report.figures}
    shown = {figure.name: pictures[f"figures/{figure.name}.png"] for figure in report.figures}
    files = {
        "report.json": report_to_json(report),
        "report.html": render_html(report, shown, identity=identity).encode(),
        "report.pdf": render_pdf(report, shown, identity=identity),
        "sr.dcm": _dicom_bytes(build_sr(report, headers)),
        "provenance.json": _json_bytes(provenance_to_dict(report)),
        **pictures,
        **captures,
    }
    if segmentation is not None:
        files["seg.dcm"] = _dicom_bytes(segmentation)
    return report, files
