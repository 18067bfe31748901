import numpy as np
import pytest

from isocenter.core.errors import FormatError
from isocenter.io.dicom_contours import read_contours
from isocenter.io.inputs import InputFile

SQUARE = [0, 0, 3, 4, 0, 3, 4, 4, 3, 0, 4, 3]


@pytest.fixture
def write_structures(tmp_path):
    """([(name, [(kind, points)])]) -> the file of a structure set."""

    def write(regions, frame="2.25.3", sop_uid="2.25.770"):
        from pydicom import Dataset
        from pydicom.dataset import FileMetaDataset

        dataset = Dataset()
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", "2.25.5"
        dataset.Modality = "RTSTRUCT"
        dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
        for number, (name, curves) in enumerate(regions, start=11):
            roi, drawn = Dataset(), Dataset()
            roi.ROINumber = drawn.ReferencedROINumber = number
            roi.ROIName, roi.ReferencedFrameOfReferenceUID = name, frame
            drawn.ContourSequence = []
            for kind, points in curves:
                curve, image = Dataset(), Dataset()
                image.ReferencedSOPInstanceUID = sop_uid
                curve.ContourImageSequence = [image]
                curve.ContourGeometricType, curve.ContourData = kind, points
                curve.NumberOfContourPoints = len(points) // 3
                drawn.ContourSequence.append(curve)
            dataset.StructureSetROISequence.append(roi)
            dataset.ROIContourSequence.append(drawn)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
        dataset.save_as(tmp_path / "rs.dcm", enforce_file_format=True)
        return InputFile(tmp_path / "rs.dcm", tmp_path / "rs.dcm", "dicom")

    return write


def test_closed_curves_come_with_names_and_what_they_were_drawn_on(write_structures):
    found = read_contours(
        write_structures([("GTV", [("CLOSED_PLANAR", SQUARE)]), ("cord", [("CLOSED_PLANAR", SQUARE)])])
    )
    assert [(each.number, each.name) for each in found.structures] == [(1, "GTV"), (2, "cord")]
    assert np.array_equal(found.structures[0].outlines[0], np.reshape(SQUARE, (4, 3)))
    assert found.frame_of_reference_uid == "2.25.3" and found.sop_uids == {"2.25.770"} and not found.notes


def test_what_encloses_nothing_is_named_and_left_out(write_structures):
    found = read_contours(
        write_structures(
            [
                ("isocentre", [("POINT", [1, 2, 3])]),
                ("GTV", [("CLOSED_PLANAR", SQUARE), ("CLOSED_PLANAR", SQUARE), ("CLOSED_PLANAR", [0, 0, 0, 1, 1, 1])]),
                ("wire", [("OPEN_PLANAR", SQUARE), ("OPEN_NONPLANAR", SQUARE)]),
                ("nothing", []),
            ]
        )
    )
    assert [(each.number, each.name, len(each.outlines)) for each in found.structures] == [(1, "GTV", 1)]
    assert found.notes == (
        "ROINumber 11: 1 x POINT left out",
        "ROINumber 12: 1 x a curve given twice, 1 x a curve of fewer than three whole points left out",
        "ROINumber 13: 1 x OPEN_PLANAR, 1 x OPEN_NONPLANAR left out",
        "ROINumber 14: holds no contour",
    )


def test_a_structure_set_without_closed_curves_is_refused(write_structures):
    with pytest.raises(FormatError, match="CLOSED_PLANAR"):
        read_contours(write_structures([("isocentre", [("POINT", [1, 2, 3])])]))


@pytest.mark.data
def test_a_published_structure_set_is_read(data_dir):
    path = data_dir / "dicom_exotic" / "pydicom" / "test_files_rtstruct.dcm"
    found = read_contours(InputFile(path, path, "dicom"))
    assert [(each.name, len(each.outlines)) for each in found.structures] == [("patient", 3)]
