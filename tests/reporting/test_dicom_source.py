import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Instance
from isocenter.reporting.dicom_source import (
    SourceSeries,
    decimals,
    file_meta,
    inherit,
    is_multiframe,
    orientation_item,
    source_series,
    stamp,
)


def test_a_slice_is_found_in_its_instance(samples):
    sample = samples.chest()
    series = source_series("1.2.3.4.5", [sample.volume], sample.headers)
    header, frame = series.locate(3)
    assert (header.SOPInstanceUID, frame) == ("1.2.3.4.5.4", None)
    assert source_series("1.2.3.4.5", [], sample.headers).locate(3)[0] is header


def test_a_slice_of_a_multi_frame_object_is_found_in_its_frame(samples):
    sample = samples.enhanced()
    assert is_multiframe(sample.headers["1.2.3.4.5"][0])
    assert source_series("1.2.3.4.5", [sample.volume], sample.headers).locate(0)[1] == 12
    assert source_series("1.2.3.4.5", [], sample.headers).locate(0)[1] == 1


def test_of_two_volumes_in_one_series_the_one_with_the_evidence_is_taken(samples):
    one = samples.chest().volume
    grid = Grid.of_spacing(one.grid.shape, (2.0, 0.7, 0.7), (0.0, 0.0, 0.0))
    two = pytest.importorskip("dataclasses").replace(one, grid=grid)
    assert source_series("1.2.3.4.5", [two, one], samples.chest().headers, one.grid).instances is one.source.instances


def test_what_is_missing_is_named(samples):
    with pytest.raises(InputError, match="headers"):
        source_series("9.9", [], samples.chest().headers)
    with pytest.raises(InputError, match="slice"):
        source_series("1.2.3.4.5", [], samples.chest().headers).locate(40)
    headers = samples.chest().headers["1.2.3.4.5"][:2]
    with pytest.raises(InputError, match="headers"):
        SourceSeries(headers, (Instance("1.2", "7.7"), Instance("1.2", "7.8"))).locate(0)


def _source(charset: str, name: bytes) -> Dataset:
    """A header as a file in some character set gives it."""
    made = Dataset()
    made.SpecificCharacterSet = charset
    made.PatientID = "7"
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    made.SOPClassUID, made.SOPInstanceUID = "1.2", "1.3"
    stream = io.BytesIO()
    made.save_as(stream, enforce_file_format=True)
    value = name + b" " * (len(name) % 2)
    element = b"\x10\x00\x10\x00PN" + len(value).to_bytes(2, "little") + value
    data = stream.getvalue()
    at = data.index(b"\x10\x00\x20\x00LO")
    return pydicom.dcmread(io.BytesIO(data[:at] + element + data[at:]))


@pytest.mark.parametrize("charset", ["GB18030", "GBK", "ISO_IR 192"])
def test_a_chinese_name_survives_from_any_character_set(charset):
    codec = {"ISO_IR 192": "utf-8"}.get(charset, charset)
    derived = Dataset()
    inherit(derived, _source(charset, "Wang^XiaoDong=王^小东".encode(codec)), identity=True)
    assert derived.SpecificCharacterSet == "ISO_IR 192"
    file = io.BytesIO()
    derived.SOPClassUID, derived.SOPInstanceUID = "1.2", "1.3"
    file_meta(derived)
    derived.save_as(file, enforce_file_format=True)
    file.seek(0)
    assert str(pydicom.dcmread(file).PatientName) == "Wang^XiaoDong=王^小东"


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_values_that_their_representation_forbids_are_left_empty(dicom_errors):
    header = Dataset()
    header.StudyInstanceUID = "1.2.3"
    header.PatientBirthDate, header.StudyDate, header.StudyTime = "1970-13-77x", "20251231", "25:61"
    header.PatientSex, header.AccessionNumber, header.PatientAge = "female", "A" * 40, "old"
    derived = Dataset()
    inherit(derived, header, identity=True)
    assert derived.StudyDate == "20251231"
    for keyword in ("PatientBirthDate", "StudyTime", "PatientSex", "AccessionNumber"):
        assert derived[keyword].value in ("", None), keyword
    assert "PatientAge" not in derived


def test_identity_is_left_out_on_demand(samples):
    derived = Dataset()
    inherit(derived, samples.chest().headers["1.2.3.4.5"][0], identity=False)
    assert str(derived.PatientName) == derived.PatientID == derived.PatientBirthDate == ""
    assert derived.PatientSex == "F" and derived.StudyInstanceUID == "1.2.3.4"


def test_a_stamp_takes_its_dates_from_the_report(samples):
    derived = Dataset()
    stamp(derived, samples.chest().report, series_uid="1.1", sop_uid="1.2", series_number=3)
    assert (derived.ContentDate, derived.ContentTime) == ("20260102", "030405")
    assert (derived.ManufacturerModelName, derived.SoftwareVersions) == ("Isocenter", "isocenter 0.1.0")
    assert derived.StudyInstanceUID == "1.2.3.4"


def test_numbers_fit_decimal_strings():
    printed = decimals((1 / 3, -0.0, 1e-17, -12345678.123456789))
    assert all(len(text) <= 16 for text in printed)
    assert float(printed[0]) == pytest.approx(1 / 3, abs=1e-9) and float(printed[1]) == 0 and "-" not in printed[1]


def test_an_orientation_runs_along_the_row_then_down_the_column():
    item = orientation_item(Grid.of_spacing((2, 3, 4), (5.0, 0.5, 0.7)))
    assert np.allclose(list(map(float, item.ImageOrientationPatient)), [1, 0, 0, 0, 1, 0])
