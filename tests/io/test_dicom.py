"""Files as studies."""

import numpy as np
import pytest

from isocenter.core.errors import FormatError
from isocenter.io.dicom import group_series, read_dicom_studies, read_series, scan_headers
from isocenter.io.inputs import InputFile

AFFINE = np.array([[0, 0, 0.5, 0], [0, 0.5, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])
SR_CLASS = "1.2.840.10008.5.1.4.1.1.88.33"


def inputs(*paths):
    return [InputFile(path, path, "dicom") for path in paths]


def test_studies_come_one_by_one_with_patient_and_date(tmp_path, write_dicom):
    pixels = np.zeros((2, 2), np.uint16)
    paths = [
        write_dicom(
            tmp_path / str(n),
            pixels,
            StudyInstanceUID=f"2.25.{n}",
            StudyDate="20240131",
            PatientID=str(n),
            Modality="DX",
        )
        for n in range(3)
    ]
    failures = []
    studies = list(read_dicom_studies(inputs(*paths), failures))
    assert [(study.uid, study.date, study.patient.patient_id) for study in studies] == [
        (f"2.25.{n}", "2024-01-31", str(n)) for n in range(3)
    ]
    assert not failures


def test_objects_without_a_picture_are_attachments(tmp_path, write_dicom):
    image = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16))
    report = write_dicom(tmp_path / "b", None, Modality="SR", SOPClassUID=SR_CLASS, SeriesInstanceUID="2.25.5")
    failures = []
    (study,) = read_dicom_studies(inputs(image, report), failures)
    assert len(study.volumes) == 1 and not failures
    assert [(one.modality, one.sop_class_uid, one.path) for one in study.attachments] == [("SR", SR_CLASS, report)]


def test_an_image_without_pixels_is_a_failure_of_its_study(tmp_path, write_dicom):
    good = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16))
    empty = write_dicom(tmp_path / "b", None, Rows=2, Columns=2)
    failures = []
    (study,) = read_dicom_studies(inputs(good, empty), failures)
    assert [failure.path for failure in failures] == [empty] and study.failures == tuple(failures)
    assert "no pixel data" in failures[0].problem


def test_a_thousand_files_with_broken_ones_are_read(tmp_path, write_stack):
    paths = write_stack(tmp_path, np.zeros((60, 2, 2), np.int16), AFFINE)
    for number, broken in enumerate((b"", b"x", b"DICM", b"\0" * 200, paths[0].read_bytes()[:150])):
        path = tmp_path / f"bad{number}"
        path.write_bytes(broken)
        paths.insert(7 * number, path)
    failures = []
    (study,) = read_dicom_studies(inputs(*paths), failures)
    assert study.volumes[0].array.shape[0] == 60 and len(failures) == 5
    assert all("\n" not in failure.problem for failure in failures)


def test_slices_without_any_uid_lie_together_and_others_alone(tmp_path, write_stack, write_dicom):
    nothing = {"StudyInstanceUID": "", "SeriesInstanceUID": ""}
    paths = write_stack(tmp_path / "a", np.zeros((4, 2, 2), np.int16), AFFINE, **nothing)
    paths += write_stack(tmp_path / "b", np.zeros((4, 2, 2), np.int16), AFFINE, PatientID="other", **nothing)
    paths += [write_dicom(tmp_path / f"c{n}", np.zeros((2, 2), np.uint8), Modality="US", **nothing) for n in range(2)]
    studies = list(read_dicom_studies(inputs(*paths), []))
    assert [study.volumes[0].array.shape[0] for study in studies] == [4, 4, 1, 1]
    assert len({study.key for study in studies}) == 4 or studies[2].key == studies[3].key


def test_series_are_grouped_by_their_uids(tmp_path, write_dicom):
    pixels = np.zeros((2, 2), np.uint16)
    paths = [write_dicom(tmp_path / str(n), pixels, SeriesInstanceUID=f"2.25.{n % 2}") for n in range(4)]
    groups = group_series(scan_headers(inputs(*paths), []))
    assert [len(group) for group in groups.values()] == [2, 2]


def test_nothing_readable_is_an_error(tmp_path, write_dicom):
    with pytest.raises(FormatError, match="expected DICOM images"):
        read_series([write_dicom(tmp_path / "a", None, Modality="SR", SOPClassUID=SR_CLASS)])


def test_errors_name_no_patient(tmp_path, write_dicom):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint16), PatientName="Test^Person", BitsStored=99)
    with pytest.raises(FormatError) as caught:
        read_series([path])
    assert "Person" not in str(caught.value)
