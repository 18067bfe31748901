"""Radiomic features as a DICOM SR document: TID 1500, one measurement group, IBSI's identifiers as codes.

The region is referred to by its outlines on the slices of the source image, so that the document stands alone.

Source: PS3.16 TID 1500, 1411, 1419; coding scheme IBSI in PS3.16 table 8-1 and CID 7477; IBSI reference manual,
arXiv:1612.07003 (identifiers of features and of aggregations).
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

from isocenter.core.errors import InputError
from isocenter.core.feature import Feature
from isocenter.core.finding import Code
from isocenter.core.mask import Mask
from isocenter.core.report import Report
from isocenter.reporting.dicom_codes import OWN_SCHEME, unit_code
from isocenter.reporting.dicom_groups import Sources, concept
from isocenter.reporting.dicom_source import SourceSeries
from isocenter.reporting.dicom_sr import assemble_sr
from isocenter.reporting.uids import content_uid, fingerprint, study_uid

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SCHEME: Final = "IBSI"
_AGGREGATIONS: Final = {
    "2D_avg": Code(SCHEME, "BTW3", "2D: by slice and direction, averaged"),
    "2D_comb": Code(SCHEME, "SUJT", "2D: directions merged by slice, averaged"),
    "2_5D_avg": Code(SCHEME, "JJUI", "2.5D: slices merged by direction, averaged"),
    "2_5D_comb": Code(SCHEME, "ZW7Z", "2.5D: directions and slices merged"),
    "3D_avg": Code(SCHEME, "ITBB", "3D: by direction, averaged"),
    "3D_comb": Code(SCHEME, "IAZD", "3D: directions merged"),
    "2D": Code(SCHEME, "8QNN", "2D: by slice, averaged"),
    "2_5D": Code(SCHEME, "62GR", "2.5D: slices merged"),
    "3D": Code(SCHEME, "KOBO", "3D"),
}
# Intensity units as UCUM writes them.
_UCUM: Final = {"HU": "[hnsf'U]", "a.u.": "[arb'U]", "SUVbw": "g/ml", "sRGB": "[arb'U]"}
_REGION: Final = Code(OWN_SCHEME, "region", "Region of interest")
# An outline is traced on a picture this many times finer, which keeps it inside the outermost pixels.
_FINER: Final = 3


def build_feature_sr(
    features: Sequence[Feature], mask: Mask, *, report: Report, series: SourceSeries, identity: bool = True
) -> "Dataset":
    """The features of a region as a Comprehensive SR document; those without a value are left out.

    mask     the region on the grid of the series
    report   without findings: study, provenance and the time that the document carries
    series   the headers of the image

    Raises InputError where no feature has a value.
    """
    from highdicom import sr

    known = [feature for feature in features if feature.value is not None]
    if not known:
        raise InputError("features: expected at least one value for the SR document, got none")
    sources = Sources(report, {"": series}, None)
    pixels = fingerprint(mask.array)
    group = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=content_uid("region", study_uid(report), pixels), identifier="Region 1"
        ),
        referenced_regions=list(_regions(mask, sources, series)),
        finding_type=concept(_REGION),
        algorithm_id=sr.AlgorithmIdentification(
            name="isocenter features",
            version=report.provenance.code,
            parameters=[f"{key}={value}" for key, value in report.provenance.parameters.items()] or None,
        ),
        measurements=[_measurement(feature) for feature in known],
    )
    return assemble_sr(sources, [group], content=(tuple(features), pixels), identity=identity)


def _measurement(feature: Feature) -> Any:
    """One number with its code, unit and aggregation."""
    from highdicom import sr

    # "BC2M/NK6P" is a feature and its parameter; the last part is the feature at that parameter.
    code = feature.ibsi_id.rpartition("/")[2]
    name = Code(SCHEME, code, feature.name) if code else Code(OWN_SCHEME, feature.tag, feature.name)
    method = _AGGREGATIONS.get(feature.aggregation)
    return sr.Measurement(
        name=concept(name),
        value=float(f"{feature.value:.9g}"),
        unit=concept(unit_code(_ucum(feature.unit))),
        method=concept(method) if method else None,
    )


def _ucum(unit: str) -> str:
    """A unit of a table as UCUM writes it.

    >>> _ucum("HU2"), _ucum("(a.u.)2"), _ucum("mm3")
    ("[hnsf'U]2", "[arb'U]2", 'mm3')
    """
    for ours, theirs in _UCUM.items():
        if ours in unit:
            written = f"({theirs})" if "/" in theirs and unit != ours else theirs
            return unit.replace(f"({ours})", written).replace(ours, written)
    return unit


def _regions(mask: Mask, sources: Sources, series: SourceSeries) -> Iterator[Any]:
    """The outer outlines of the region on each slice; (column, row) from the corner of the first pixel."""
    from highdicom import sr

    for k in np.flatnonzero(mask.array.any(axis=(1, 2))):
        header, frame = series.locate(int(k))
        sources.mark_used(header)
        image = sr.SourceImageForRegion(str(header.SOPClassUID), str(header.SOPInstanceUID), [frame] if frame else None)
        fine = np.kron(mask.array[k].astype(np.uint8), np.ones((_FINER, _FINER), np.uint8))
        outlines, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for outline in outlines:
            points = (outline.reshape(-1, 2).astype(np.float64) + 0.5) / _FINER
            yield sr.ImageRegion(
                graphic_type=sr.GraphicTypeValues.POLYLINE,
                graphic_data=np.concatenate((points, points[:1])),
                source_image=image,
            )
