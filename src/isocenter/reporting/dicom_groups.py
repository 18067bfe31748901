"""One finding as a TID 1500 measurement group: where it lies, what it is, what was measured, what the rules say."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.finding import Code, Evidence, Finding, Measurement
from isocenter.core.report import Report
from isocenter.reporting.dicom_codes import category_codes, clip, method_code, unit_code
from isocenter.reporting.dicom_seg import LATERALITY, segments_of
from isocenter.reporting.dicom_source import SourceSeries
from isocenter.reporting.uids import tracking_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# PS3.16 D: "The certainty that a device places upon a finding", in percent.
_CERTAINTY = Code("DCM", "111012", "Certainty of Finding")


class Sources:
    """The images that a document may refer to; remembers which of them it did refer to."""

    def __init__(self, report: Report, series: Mapping[str, SourceSeries], seg: "Dataset | None") -> None:
        if not series:
            raise InputError("headers: expected those of at least one series, got none")
        self.report, self.series, self.seg = report, series, seg
        self.segments = segments_of(report)[1] if seg is not None else ()
        self._used: dict[str, Dataset] = {}

    def first_header(self) -> "Dataset":
        """The instance that patient and study are taken from."""
        return next(iter(self.series.values())).headers[0]

    def locate(self, evidence: Evidence, slice_index: int) -> "tuple[Dataset, int | None]":
        """(header, frame number or None) of a slice of the series that the evidence lies in."""
        if evidence.series_uid not in self.series:
            raise InputError("headers: expected those of the series that a finding rests on, got none")
        header, frame = self.series[evidence.series_uid].locate(slice_index)
        self.mark_used(header)
        return header, frame

    def mark_used(self, header: "Dataset") -> None:
        """Remember that the document refers to an instance."""
        self._used[str(header.SOPInstanceUID)] = header

    def used_headers(self) -> "list[Dataset]":
        """The instances referred to so far; the first of each series where there was none."""
        return list(self._used.values()) or [series.headers[0] for series in self.series.values()]


def concept(code: Code) -> Any:
    """A code as highdicom takes it."""
    from highdicom.sr import CodedConcept

    return CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=clip(code.meaning, 64))


def measurement_group(finding: Finding, sources: Sources) -> Any:
    """The finding's group: by segment where it has one, else by region on an image, else of the whole image."""
    from highdicom import sr

    shared = _shared(finding, sources.report)
    segment = _referenced_segment(finding, sources)
    if segment is not None:
        return sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_segment=segment, **shared)
    region = _region(finding, sources)
    if region is not None:
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=region, **shared)
    images = []
    for evidence in finding.evidence:
        header, frame = sources.locate(evidence, evidence.frame)
        images.append(
            sr.SourceImageForMeasurementGroup(
                str(header.SOPClassUID), str(header.SOPInstanceUID), [frame] if frame else None
            )
        )
    return sr.MeasurementsAndQualitativeEvaluations(source_images=images or None, **shared)


def _shared(finding: Finding, report: Report) -> dict[str, Any]:
    from highdicom import sr

    side = finding.site.laterality
    measured = [_measurement(measurement) for measurement in finding.measurements]
    if finding.probability is not None:
        unit = concept(Code("UCUM", "%", "percent"))
        measured.append(sr.Measurement(name=concept(_CERTAINTY), value=round(100 * finding.probability, 4), unit=unit))
    model = finding.model
    name, version = (model.name, model.version or "unknown") if model else (finding.task, report.provenance.code)
    return {
        "tracking_identifier": sr.TrackingIdentifier(uid=tracking_uid(report, finding), identifier=finding.id),
        "finding_type": concept(finding.code),
        "finding_sites": [
            sr.FindingSite(
                anatomic_location=concept(finding.site.code), laterality=concept(LATERALITY[side]) if side else None
            )
        ],
        "algorithm_id": sr.AlgorithmIdentification(
            name=name, version=version, parameters=[model.digest] if model and model.digest else None
        ),
        "measurements": measured or None,
        "qualitative_evaluations": [
            sr.QualitativeEvaluation(*(concept(code) for code in category_codes(category)))
            for category in finding.categories
        ] or None,
    }  # fmt: skip


def _measurement(measurement: Measurement) -> Any:
    from highdicom import sr

    # Six figures are more than any measurement here supports; the float behind it holds sixteen.
    doubt = None if measurement.uncertainty is None else float(f"{measurement.uncertainty:.3g}")
    properties = None
    if doubt is not None:
        properties = sr.MeasurementProperties(upper_measurement_uncertainty=doubt, lower_measurement_uncertainty=doubt)
        for item in properties:
            # highdicom writes "no units"; TID 310 asks for the unit of the measurement itself.
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence = [concept(unit_code(measurement.unit))]
    return sr.Measurement(
        name=concept(measurement.code),
        value=float(f"{measurement.value:.6g}"),
        unit=concept(unit_code(measurement.unit)),
        method=concept(method_code(measurement)),
        properties=properties,
    )


def _referenced_segment(finding: Finding, sources: Sources) -> Any:
    """The finding's segment in the segmentation; None where it has none."""
    from highdicom import sr

    if sources.seg is None:
        return None
    for segment in sources.segments:
        if segment.finding.id != finding.id:
            continue
        evidence = next(each for each in finding.evidence if each.mask is segment.mask)
        frames: dict[str, tuple[Dataset, list[int]]] = {}
        for k in segment.slices():
            header, frame = sources.locate(evidence, segment.offset + k)
            frames.setdefault(str(header.SOPInstanceUID), (header, []))[1].extend([frame] if frame else [])
        return sr.ReferencedSegment(
            sop_class_uid=str(sources.seg.SOPClassUID),
            sop_instance_uid=str(sources.seg.SOPInstanceUID),
            segment_number=segment.number,
            source_images=[
                sr.SourceImageForSegmentation(str(header.SOPClassUID), uid, numbers or None)
                for uid, (header, numbers) in frames.items()
            ],
        )
    return None


def _region(finding: Finding, sources: Sources) -> Any:
    """The finding's box or points on the image that shows it best; None where it has only measurements."""
    from highdicom import sr

    for evidence in finding.evidence:
        outline = _outline(evidence)
        if outline is None:
            continue
        header, frame = sources.locate(evidence, evidence.frame)
        uids = str(header.SOPClassUID), str(header.SOPInstanceUID)
        image = sr.SourceImageForRegion(*uids, [frame] if frame else None)
        kind = sr.GraphicTypeValues.POINT if len(outline) == 1 else sr.GraphicTypeValues.POLYLINE
        return sr.ImageRegion(graphic_type=kind, graphic_data=outline, source_image=image)
    return None


def _outline(evidence: Evidence) -> np.ndarray | None:
    """(column, row) pairs in SCOORD's frame, whose (0, 0) is the corner of the first pixel (PS3.3 C.18.6.1.2)."""
    if evidence.box_index is not None:
        (_, j0, i0), (_, j1, i1) = evidence.box_index
    elif evidence.mask is not None and evidence.mask.array.any():
        plane = evidence.mask.array[min(evidence.frame, evidence.mask.array.shape[0] - 1)]
        rows, columns = np.nonzero(plane if plane.any() else evidence.mask.array.any(axis=0))
        j0, i0, j1, i1 = int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1
    elif evidence.points_index is not None and len(evidence.points_index):
        return np.asarray(evidence.points_index[:, [2, 1]] + 0.5, dtype=np.float64)
    else:
        return None
    return np.array([(i0, j0), (i1, j0), (i1, j1), (i0, j1), (i0, j0)], dtype=np.float64)
