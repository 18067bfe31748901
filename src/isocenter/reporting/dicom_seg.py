"""The masks of a report as one DICOM Segmentation.

Written here rather than with a library so that a frame may come from any source: one of a stack, a frame of an
enhanced or ultrasound multi-frame object, an image whose place in the patient nobody knows.
Source: PS3.3 A.51 (Segmentation IOD), C.8.20 (its modules), C.7.6.16 and C.7.6.17 (functional groups, dimensions).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from isocenter.core.cine import Cine
from isocenter.core.finding import Code, Evidence, Finding
from isocenter.core.grid import Grid
from isocenter.core.mask import Mask
from isocenter.core.report import Report
from isocenter.core.volume import Volume
from isocenter.reporting.dicom_codes import clip, code_item
from isocenter.reporting.dicom_source import (
    HeadersBySeries,
    SourceSeries,
    decimals,
    file_meta,
    inherit,
    orientation_item,
    source_series,
    stamp,
)
from isocenter.reporting.uids import content_uid, fingerprint, study_uid, tracking_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"
SERIES_NUMBER = 9901
_ABNORMAL = Code("SCT", "49755003", "Morphologically Abnormal Structure")
_ANATOMY = Code("SCT", "123037004", "Anatomical Structure")
_SEGMENTATION = Code("DCM", "113076", "Segmentation")
_SOURCE_IMAGE = Code("DCM", "121322", "Source image for image processing operation")
LATERALITY = {
    "L": Code("SCT", "7771000", "Left"),
    "R": Code("SCT", "24028007", "Right"),
    "B": Code("SCT", "51440002", "Right and left"),
}
# CIELab of PS3.3 C.10.7.1.1, well apart on gray: yellow, cyan, magenta, green, orange.
_COLOURS = (
    (60000, 30000, 55000),
    (57000, 22000, 27000),
    (42000, 56000, 18000),
    (50000, 14000, 50000),
    (47000, 44000, 52000),
)


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One finding's mask with its number in the object, from 1.

    offset   which slice of the series the mask's first slice is: 0 but for one frame of a cine
    """

    number: int
    finding: Finding
    mask: Mask
    offset: int

    def slices(self) -> list[int]:
        """The mask's own slices that hold any of it."""
        found: list[int] = np.flatnonzero(self.mask.array.reshape(len(self.mask.array), -1).any(axis=1)).tolist()
        return found


def segments_of(report: Report) -> tuple[str, tuple[Segment, ...]]:
    """(series, segments): one segment per finding with a mask, all on one grid; a segmentation can hold no other.

    The series and grid are those of the first mask.
    """
    found: list[Segment] = []
    first: Evidence | None = None
    for finding in report.findings:
        for evidence in finding.evidence:
            if evidence.mask is None or not evidence.mask.array.any():
                continue
            first = first or evidence
            if evidence.series_uid == first.series_uid and _same_plane(evidence, first):
                # A cine's mask has the one slice of its frame; `frame` then says which frame that is.
                offset = evidence.frame if evidence.mask.grid.shape[0] == 1 else 0
                found.append(Segment(len(found) + 1, finding, evidence.mask, offset))
                break
    return (first.series_uid if first else "", tuple(found))


def seg_uid(report: Report, segments: Sequence[Segment]) -> str:
    """The segmentation's SOPInstanceUID: a hash of the masks, what they are called and the images they lie on."""
    content = [fingerprint((segment.finding.code, segment.finding.site, segment.mask)) for segment in segments]
    return content_uid("seg", study_uid(report), report.provenance.code, *report.provenance.inputs, *content)


def build_seg(
    report: Report, volumes: Sequence[Volume | Cine], headers_by_series: HeadersBySeries, *, identity: bool = True
) -> "Dataset | None":
    """A BINARY segmentation of every finding that has a mask; None if none has.

    headers_by_series   SeriesInstanceUID -> one header per distinct instance, in slice order; "" -> Secondary Capture
    """
    from pydicom.dataset import Dataset

    series_uid, segments = segments_of(report)
    if not segments:
        return None
    series = source_series(series_uid, volumes, headers_by_series, segments[0].mask.grid)
    header = series.locate(segments[0].offset + segments[0].slices()[0])[0]
    seg = Dataset()
    inherit(seg, header, identity=identity)
    seg.SOPClassUID, seg.Modality = SOP_CLASS, "SEG"
    stamp(
        seg, report, sop_uid=seg_uid(report, segments), series_number=SERIES_NUMBER,
        series_uid=content_uid("seg-series", study_uid(report), report.provenance.code),
    )  # fmt: skip
    seg.SeriesDescription = "AI segmentation (draft)"
    grid = segments[0].mask.grid
    positioned = grid.position_known and grid.spacing_known and bool(header.get("FrameOfReferenceUID"))
    if positioned:
        seg.FrameOfReferenceUID = header.FrameOfReferenceUID
        seg.PositionReferenceIndicator = header.get("PositionReferenceIndicator", "")
    _describe_image(seg, header, segments)
    seg.SegmentSequence = [_segment_item(report, segment) for segment in segments]
    _add_frames(seg, series, segments, positioned)
    file_meta(seg)
    return seg


def _same_plane(evidence: Evidence, first: Evidence) -> bool:
    """Whether two masks can share one segmentation: the same raster of pixels."""
    assert evidence.mask and first.mask
    one, other = evidence.mask.grid, first.mask.grid
    return one.shape == other.shape and bool(np.allclose(one.affine, other.affine, atol=1e-6))


def _describe_image(seg: "Dataset", header: "Dataset", segments: Sequence[Segment]) -> None:
    seg.ImageType = ["DERIVED", "PRIMARY"]
    seg.ContentLabel, seg.ContentDescription, seg.ContentCreatorName = "AI_DRAFT", "Findings of the AI draft", ""
    seg.Rows, seg.Columns = segments[0].mask.grid.shape[1:]
    seg.SamplesPerPixel, seg.PhotometricInterpretation, seg.PixelRepresentation = 1, "MONOCHROME2", 0
    seg.BitsAllocated = seg.BitsStored = 1
    seg.HighBit = 0
    seg.LossyImageCompression = header.get("LossyImageCompression") or "00"
    if seg.LossyImageCompression == "01":
        for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            if header.get(keyword):
                setattr(seg, keyword, header.get(keyword))
    seg.SegmentationType = "BINARY"
    seg.PatientOrientation = ""


def _segment_item(report: Report, segment: Segment) -> "Dataset":
    from pydicom.dataset import Dataset

    finding, model = segment.finding, segment.finding.model
    item = Dataset()
    item.SegmentNumber = segment.number
    item.SegmentLabel = clip(f"{finding.id} {finding.code.meaning}", 64)
    item.SegmentAlgorithmType = "AUTOMATIC"
    algorithm = f"{model.name} {model.version}" if model else f"{finding.task}, {report.provenance.code}"
    item.SegmentAlgorithmName = clip(algorithm, 64)
    # A morphology where the code is one; else the segment is the organ itself (a fetal head).
    abnormal = finding.code.scheme == "SCT"
    item.SegmentedPropertyCategoryCodeSequence = [code_item(_ABNORMAL if abnormal else _ANATOMY)]
    item.SegmentedPropertyTypeCodeSequence = [code_item(finding.code if abnormal else finding.site.code)]
    region = code_item(finding.site.code)
    if finding.site.laterality:
        region.AnatomicRegionModifierSequence = [code_item(LATERALITY[finding.site.laterality])]
    item.AnatomicRegionSequence = [region]
    item.TrackingID, item.TrackingUID = finding.id, tracking_uid(report, finding)
    item.RecommendedDisplayCIELabValue = list(_COLOURS[(segment.number - 1) % len(_COLOURS)])
    return item


def _add_frames(seg: "Dataset", series: SourceSeries, segments: Sequence[Segment], positioned: bool) -> None:
    from pydicom.dataset import Dataset

    grid = segments[0].mask.grid
    used = sorted({segment.offset + k for segment in segments for k in segment.slices()})
    frames, planes = [], []
    for segment in segments:
        for k in segment.slices():
            frames.append(_frame_item(segment, k, used.index(segment.offset + k) + 1, series, positioned))
            planes.append(segment.mask.array[k].ravel())
    shared = Dataset()
    if positioned:
        # Where the place is unknown so is the thickness, without which other readers refuse pixel measures.
        shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [_measures(grid)], [orientation_item(grid)]
    seg.SharedFunctionalGroupsSequence = [shared]
    seg.PerFrameFunctionalGroupsSequence = frames
    seg.NumberOfFrames = len(frames)
    _add_dimensions(seg, positioned)
    # PS3.5 8.1.1: the bits of all frames follow each other without padding, the first pixel in the lowest bit.
    packed = np.packbits(np.concatenate(planes), bitorder="little").tobytes()
    seg.PixelData = packed + bytes(len(packed) % 2)
    seg["PixelData"].VR = "OB"
    _refer_to_sources(seg, [series.locate(slice_index)[0] for slice_index in used])


def _frame_item(segment: Segment, k: int, place: int, series: SourceSeries, positioned: bool) -> "Dataset":
    """What is said of one frame: its segment, its place among the frames and in the patient, the image it lies on."""
    from pydicom.dataset import Dataset

    header, number = series.locate(segment.offset + k)
    content, plane, derivation, source, identification, item = (Dataset() for _ in range(6))
    content.DimensionIndexValues = [segment.number, place]
    content.StackID, content.InStackPositionNumber = "1", place
    item.FrameContentSequence = [content]
    if positioned:
        plane.ImagePositionPatient = decimals(segment.mask.grid.to_world_mm(np.array([k, 0, 0])))
        item.PlanePositionSequence = [plane]
    source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = header.SOPClassUID, header.SOPInstanceUID
    if number is not None:
        source.ReferencedFrameNumber = number
    source.PurposeOfReferenceCodeSequence = [code_item(_SOURCE_IMAGE)]
    source.SpatialLocationsPreserved = "YES" if _lies_on(segment.mask.grid, k, header, number) else "NO"
    derivation.SourceImageSequence, derivation.DerivationCodeSequence = [source], [code_item(_SEGMENTATION)]
    item.DerivationImageSequence = [derivation]
    identification.ReferencedSegmentNumber = segment.number
    item.SegmentIdentificationSequence = [identification]
    return item


def _lies_on(grid: Grid, k: int, header: "Dataset", number: int | None) -> bool:
    """Whether mask pixels are the source's pixels: not so where a gantry tilt was taken out by resampling."""
    same_raster = (header.get("Rows"), header.get("Columns")) == grid.shape[1:]
    position = header.get("ImagePositionPatient")
    if not same_raster or number is not None or position is None or not grid.position_known:
        return same_raster
    return bool(np.allclose([float(v) for v in position], grid.to_world_mm(np.array([k, 0, 0])), atol=0.01))


def _measures(grid: Grid) -> "Dataset":
    from pydicom.dataset import Dataset

    item = Dataset()
    between, row, column = (float(v) for v in grid.spacing_mm)
    item.PixelSpacing = decimals((row, column))
    item.SliceThickness = item.SpacingBetweenSlices = decimals((between,))[0]
    return item


def _add_dimensions(seg: "Dataset", positioned: bool) -> None:
    """Frames are ordered by segment, then by place: in the patient where that is known, else in the source."""
    from pydicom.dataset import Dataset
    from pydicom.tag import Tag

    organization = content_uid("dimensions", seg.SOPInstanceUID)
    seg.DimensionOrganizationSequence = [Dataset()]
    seg.DimensionOrganizationSequence[0].DimensionOrganizationUID = organization
    place = ("InStackPositionNumber", "FrameContentSequence")
    if positioned:
        place = ("ImagePositionPatient", "PlanePositionSequence")
    seg.DimensionIndexSequence = []
    for pointer, group in (("ReferencedSegmentNumber", "SegmentIdentificationSequence"), place):
        item = Dataset()
        item.DimensionOrganizationUID = organization
        item.DimensionIndexPointer, item.FunctionalGroupPointer = Tag(pointer), Tag(group)
        item.DimensionDescriptionLabel = pointer
        seg.DimensionIndexSequence.append(item)


def _refer_to_sources(seg: "Dataset", headers: Sequence["Dataset"]) -> None:
    from pydicom.dataset import Dataset

    by_uid = {str(header.SOPInstanceUID): header for header in headers}
    series = Dataset()
    series.SeriesInstanceUID = headers[0].SeriesInstanceUID
    series.ReferencedInstanceSequence = []
    for uid, header in by_uid.items():
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = header.SOPClassUID, uid
        series.ReferencedInstanceSequence.append(item)
    seg.ReferencedSeriesSequence = [series]
