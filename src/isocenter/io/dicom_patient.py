"""Who was examined, in whatever character set the header says."""

import re
from typing import Any, Final

from isocenter.core.study import Patient
from isocenter.io.dicom_parser import collected_warnings, read_dataset
from isocenter.io.inputs import InputFile

_DAYS_BY_UNIT: Final = {"D": 1.0, "W": 7.0, "M": 30.4375, "Y": 365.25}
# Two bytes of GB 2312, as they follow one another in a Chinese name; Latin-1 names have lone high bytes.
_GB_PAIRS: Final = re.compile(rb"(?:[\x00-\x7f]|[\xb0-\xf7][\xa1-\xfe])+")
# pydicom 3.0.2 leaves the escapes of ISO 2022 IR 58 (simplified Chinese) in the text.
_ESCAPES: Final = re.compile(r"\x1b[$()]{1,2}[A-Z]")
# Kana, Chinese characters with their extensions, Hangul.
_CJK: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")


def read_patient(file: InputFile) -> Patient:
    """The patient of one file; empty where the header says nothing.

    Source: PS3.3 C.7.1.1, character sets PS3.3 C.12.1.1.2; a header without character set that holds UTF-8 or
    GB 2312 bytes is read as such, as many Chinese systems write it.
    """
    with collected_warnings():
        dataset, _ = read_dataset(file)
        guess_character_set(dataset)
        sex = str(dataset.get("PatientSex") or "").strip().upper()
        return Patient(
            name=_readable_name(dataset.get("PatientName")),
            patient_id=str(dataset.get("PatientID") or "").strip(),
            birth_date=_birth_date(str(dataset.get("PatientBirthDate") or "")),
            sex=sex if sex in ("M", "F", "O") else "",
            age_years=_age_years(dataset),
        )


def guess_character_set(dataset: Any) -> None:
    """State a character set where the header forgot it and its bytes tell."""
    if dataset.get("SpecificCharacterSet") or "PatientName" not in dataset:
        return
    raw = getattr(dataset.get_item("PatientName"), "value", b"")
    if not isinstance(raw, bytes) or raw.isascii():
        return
    try:
        raw.decode("utf-8")
        guessed = "ISO_IR 192"
    except UnicodeDecodeError:
        guessed = "GB18030" if _GB_PAIRS.fullmatch(raw) else "ISO_IR 100"
    from pydicom.charset import convert_encodings

    dataset.SpecificCharacterSet = guessed
    dataset.set_original_encoding(None, None, convert_encodings(guessed))


def _readable_name(name: Any) -> str:
    """Family name first; the ideographic form before the alphabetic: "王小东 (Wang XiaoDong)".

    Source: PS3.5 6.2.1; the phonetic group only spells the others, and is shown where it stands alone.
    """
    groups = [_joined(group) for group in _ESCAPES.sub("", str(name or "")).split("=")]
    alphabetic, ideographic, phonetic = (*groups, "", "", "")[:3]
    if alphabetic and ideographic and alphabetic != ideographic:
        return f"{ideographic} ({alphabetic})"
    return ideographic or alphabetic or phonetic


def _joined(group: str) -> str:
    """The components of a name: with spaces between words of letters, without between Chinese, Japanese or Korean."""
    parts = [part.strip() for part in group.split("^") if part.strip()]
    return ("" if _CJK.search(group) else " ").join(parts)


def _birth_date(text: str) -> str:
    digits = text.replace(".", "").strip()
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 and digits.isdigit() else ""


def _age_years(dataset: Any) -> float | None:
    """From PatientAge, else from birth and study date (PS3.5 6.2, AS)."""
    stated = str(dataset.get("PatientAge") or "").strip().upper()
    match = re.fullmatch(r"0*(\d{1,3})([DWMY])", stated)
    if match and int(match[1]):
        return round(int(match[1]) * _DAYS_BY_UNIT[match[2]] / 365.25, 2)
    birth, study = (str(dataset.get(name) or "").replace(".", "") for name in ("PatientBirthDate", "StudyDate"))
    if not all(len(text) == 8 and text.isdigit() for text in (birth, study)):
        return None
    years = int(study[:4]) - int(birth[:4]) - (study[4:] < birth[4:])
    return float(years) if 0 < years <= 130 else None
