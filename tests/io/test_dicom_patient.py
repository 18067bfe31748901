"""Who was examined, in any character set."""

import numpy as np
import pytest

from isocenter.io.dicom_patient import read_patient
from isocenter.io.inputs import InputFile

CHINESE = "王^小东"


def patient_of(path):
    return read_patient(InputFile(path, path, "dicom"))


def write_raw_name(write_dicom, path, raw, character_set=None):
    """A file whose name element holds exactly these bytes."""
    placeholder = "X" * (len(raw) + len(raw) % 2)
    elements = {"SpecificCharacterSet": character_set} if character_set else {}
    write_dicom(path, np.zeros((2, 2), np.uint8), PatientName=placeholder, **elements)
    path.write_bytes(path.read_bytes().replace(placeholder.encode(), raw + b" " * (len(raw) % 2)))
    return path


@pytest.mark.parametrize(
    ("character_set", "encoding"),
    [("GB18030", "gb18030"), ("GBK", "gbk"), ("ISO_IR 192", "utf-8"), (None, "utf-8"), (None, "gb2312")],
)
def test_chinese_names_are_read(tmp_path, write_dicom, character_set, encoding):
    path = write_raw_name(write_dicom, tmp_path / "a", CHINESE.encode(encoding), character_set)
    assert patient_of(path).name == "王小东"


@pytest.mark.parametrize(("character_set", "encoding"), [("GB18030", "gb18030"), ("ISO_IR 192", "utf-8")])
@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("王^小明", "王小明"),
        ("Wang^XiaoMing=王^小明=wang^xiao ming", "王小明 (Wang XiaoMing)"),
        ("=王^小明=", "王小明"),
        ("王^小明=王^小明", "王小明"),
        ("Doe^Jane^^Dr", "Doe Jane Dr"),
        ("==wang^xiaoming", "wang xiaoming"),
    ],
)
def test_the_groups_of_a_name_are_written_as_people_write_them(
    tmp_path, write_dicom, character_set, encoding, raw, shown
):
    path = write_raw_name(write_dicom, tmp_path / "a", raw.encode(encoding), character_set)
    assert patient_of(path).name == shown


def test_the_multi_byte_example_of_the_standard_is_read(tmp_path, write_dicom):
    # PS3.5 K.2: simplified Chinese by ISO 2022 IR 58.
    raw = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="
    path = write_raw_name(write_dicom, tmp_path / "a", raw, ["", "ISO 2022 IR 58"])
    assert patient_of(path).name == "张小东 (Zhang XiaoDong)"


def test_a_western_name_without_character_set_stays_western(tmp_path, write_dicom):
    path = write_raw_name(write_dicom, tmp_path / "a", "Müller^Jörg".encode("latin-1"))
    assert patient_of(path).name == "Müller Jörg"


@pytest.mark.parametrize(("stated", "years"), [("051Y", 51), ("006M", 0.5), ("000Y", None), ("", None)])
def test_the_age_is_in_years(tmp_path, write_dicom, stated, years):
    path = write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint8), PatientAge=stated)
    assert patient_of(path).age_years == (pytest.approx(years, abs=0.01) if years else None)


def test_the_age_follows_from_birth_and_study(tmp_path, write_dicom):
    elements = {"PatientBirthDate": "19701231", "StudyDate": "20240601", "PatientSex": "F", "PatientID": " 7 "}
    patient = patient_of(write_dicom(tmp_path / "a", np.zeros((2, 2), np.uint8), **elements))
    assert (patient.age_years, patient.birth_date, patient.sex, patient.patient_id) == (53, "1970-12-31", "F", "7")


@pytest.mark.data
@pytest.mark.parametrize("name", ["gb18030_name", "utf8_chinese_name"])
def test_real_chinese_names_hold_chinese_characters(data_dir, name):
    patient = patient_of(data_dir / "dicom_exotic" / "synthetic_malformed" / f"{name}.dcm")
    assert any("一" <= character <= "鿿" for character in patient.name)
