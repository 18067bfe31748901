"""Facts, units and notes of a series."""

import numpy as np
import pytest

from isocenter.io.dicom import read_series


def volume_of(write_dicom, tmp_path, pixels=None, **elements):
    pixels = np.zeros((2, 2), np.uint16) if pixels is None else pixels
    (volume,) = read_series([write_dicom(tmp_path / "a", pixels, **elements)])
    return volume


@pytest.mark.parametrize(
    ("elements", "unit"),
    [
        ({"Modality": "CT", "RescaleSlope": "1", "RescaleIntercept": "-1024"}, "HU"),
        ({"Modality": "CT", "RescaleSlope": "1", "RescaleIntercept": "0", "RescaleType": "US"}, "a.u."),
        ({"Modality": "PT", "Units": "BQML"}, "Bq/ml"),
        ({"Modality": "PT", "Units": "GML"}, "SUVbw"),
        ({"Modality": "PT", "Units": "GML", "SUVType": "LBM"}, "SUVlbm"),
        ({"Modality": "PT", "Units": "CNTS"}, "counts"),
        ({"Modality": "MR"}, "a.u."),
    ],
)
def test_the_unit_is_what_the_header_says(tmp_path, write_dicom, elements, unit):
    assert volume_of(write_dicom, tmp_path, **elements).unit == unit


def test_facts_come_from_the_header(tmp_path, write_dicom):
    facts = volume_of(
        write_dicom, tmp_path, BodyPartExamined="CHEST", Laterality="L", KVP="120", ConvolutionKernel="B30f",
        SliceThickness="1.5", Manufacturer="Maker", BurnedInAnnotation="YES", ContrastBolusAgent="agent",
        WindowCenter=["40", "-600"], WindowWidth=["400", "1500"],
    ).facts  # fmt: skip
    assert (facts.body_part, facts.laterality, facts.kvp, facts.kernel) == ("CHEST", "L", 120, "B30f")
    assert (facts.slice_thickness_mm, facts.manufacturer, facts.burned_in, facts.contrast) == (1.5, "Maker", True, True)
    assert [(window.center, window.width, window.function) for window in facts.windows] == [
        (40, 400, "LINEAR"),
        (-600, 1500, "LINEAR"),
    ]


def test_unknown_facts_stay_unknown(tmp_path, write_dicom):
    facts = volume_of(write_dicom, tmp_path).facts
    assert (facts.kvp, facts.contrast, facts.burned_in, facts.laterality) == (None, None, None, "")


def test_the_window_turns_with_an_inverted_picture(tmp_path, write_dicom):
    elements = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "Modality": "DX"}
    volume = volume_of(write_dicom, tmp_path, WindowCenter="1000", WindowWidth="200", **elements)
    assert volume.facts.windows[0].center == 4095 - 1000 + 1
    assert "monochrome1-inverted" in volume.facts.notes


@pytest.mark.parametrize(("dtype", "value"), [("i2", -2000), ("u2", 63536)])
def test_padding_is_noted_rescaled(tmp_path, write_dicom, dtype, value):
    from pydicom import dcmread

    path = write_dicom(tmp_path / "a", np.zeros((2, 2), dtype), RescaleSlope="1", RescaleIntercept="-1000")
    dataset = dcmread(path)
    dataset.add_new(0x00280120, "SS" if value < 0 else "US", value)
    dataset.save_as(path)
    (volume,) = read_series([path])
    assert f"pixel-padding: {value - 1000}" in volume.facts.notes


def test_what_suv_needs_is_a_parameter(tmp_path, write_dicom):
    from pydicom import Dataset, Sequence

    drug = Dataset()
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife, drug.RadiopharmaceuticalStartTime = 370e6, 6586.2, "100000"
    parameters = dict(
        volume_of(
            write_dicom, tmp_path, Modality="PT", Units="BQML", PatientWeight="70", SeriesTime="110000",
            RadiopharmaceuticalInformationSequence=Sequence([drug]),
        ).facts.parameters
    )  # fmt: skip
    assert parameters["dose_bq"] == 370e6 and parameters["half_life_s"] == 6586.2 and parameters["weight_kg"] == 70
    assert parameters["series_clock_s"] - parameters["injection_clock_s"] == 3600


def test_facts_name_nobody(tmp_path, write_dicom):
    volume = volume_of(write_dicom, tmp_path, PatientName="Test^Person", PatientID="77-12")
    assert "Person" not in repr(volume) and "77-12" not in repr(volume)
