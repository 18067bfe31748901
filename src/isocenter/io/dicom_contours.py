"""A DICOM RT Structure Set as closed curves in the patient.

Source: PS3.3 C.8.8.5 (Structure Set), C.8.8.6 (ROI Contour: CLOSED_PLANAR, CLOSEDPLANAR_XOR and the open kinds).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np

from isocenter.core.contours import Structure, StructureSet
from isocenter.core.errors import FormatError
from isocenter.io.boundary import untrusted
from isocenter.io.dicom_belong import plain_name
from isocenter.io.dicom_parser import collected_warnings, read_dataset
from isocenter.io.inputs import InputFile

if TYPE_CHECKING:
    from pydicom import Dataset

_CLOSED: Final = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})


def read_contours(file: InputFile) -> StructureSet:
    """The regions of interest that are drawn as closed planar curves, numbered from 1 in the order of the file.

    Points, open and non-planar curves are left out with a note, and so are curves of fewer than three points.
    Raises FormatError where no closed curve is left.
    """
    with untrusted("a DICOM RT structure set"), collected_warnings():
        dataset, _ = read_dataset(file)
        drawn = {int(item.ReferencedROINumber): item for item in dataset.get("ROIContourSequence") or ()}
        structures: list[Structure] = []
        notes: list[str] = []
        for roi in dataset.get("StructureSetROISequence") or ():
            name = plain_name(roi.get("ROIName"))
            outlines, left_out = _outlines(drawn.get(int(roi.ROINumber)))
            if outlines:
                structures.append(Structure(len(structures) + 1, name, outlines))
            if left_out or not outlines:
                # By number: a name is free text of the header, and notes are messages.
                what = f"{', '.join(left_out)} left out" if left_out else "holds no contour"
                notes.append(f"ROINumber {int(roi.ROINumber)}: {what}")
        references = frozenset(_references(dataset))
        frame = _frame_of_reference(dataset)
    if not structures:
        raise FormatError("expected CLOSED_PLANAR contours, the structure set holds none; export it with contours")
    return StructureSet(tuple(structures), frame, references, tuple(notes))


def _outlines(item: "Dataset | None") -> tuple[tuple[np.ndarray, ...], list[str]]:
    """The closed curves of one region, each once, and what was left out."""
    found: dict[bytes, np.ndarray] = {}
    n_left_out: dict[str, int] = {}
    for contour in (item.get("ContourSequence") if item is not None else None) or ():
        kind = plain_name(contour.get("ContourGeometricType")) or "a contour of no kind"
        points = np.array([float(value) for value in contour.get("ContourData") or ()])
        reason = ""
        if kind not in _CLOSED:
            reason = kind
        elif points.size % 3 or points.size < 9 or not np.isfinite(points).all():
            reason = "a curve of fewer than three whole points"
        elif points.tobytes() in found:
            reason = "a curve given twice"
        if reason:
            n_left_out[reason] = n_left_out.get(reason, 0) + 1
        else:
            found[points.tobytes()] = points.reshape(-1, 3)
    return tuple(found.values()), [f"{n} x {reason}" for reason, n in n_left_out.items()]


def _references(dataset: "Dataset") -> Iterator[str]:
    """Every image instance that the structure set or one of its curves names."""
    for frame in dataset.get("ReferencedFrameOfReferenceSequence") or ():
        for study in frame.get("RTReferencedStudySequence") or ():
            for series in study.get("RTReferencedSeriesSequence") or ():
                yield from _images(series)
    for roi in dataset.get("ROIContourSequence") or ():
        for contour in roi.get("ContourSequence") or ():
            yield from _images(contour)


def _images(item: "Dataset") -> Iterator[str]:
    for image in item.get("ContourImageSequence") or ():
        if image.get("ReferencedSOPInstanceUID"):
            yield str(image.ReferencedSOPInstanceUID)


def _frame_of_reference(dataset: "Dataset") -> str:
    """As its regions state it, else as the file does; "" where they state several."""
    stated = {
        str(roi.ReferencedFrameOfReferenceUID)
        for roi in dataset.get("StructureSetROISequence") or ()
        if roi.get("ReferencedFrameOfReferenceUID")
    }
    if not stated and dataset.get("FrameOfReferenceUID"):
        stated = {str(dataset.FrameOfReferenceUID)}
    return stated.pop() if len(stated) == 1 else ""
