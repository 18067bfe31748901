"""PET series of several vendors, written here with known activity, read back as SUV."""

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.pet import states_lean_mass, to_suv
from isocenter.io.dicom import read_series

HALF_LIFE_S = 6586.2
PET_CLASS = "1.2.840.10008.5.1.4.1.1.128"
# Bq/ml by slice, as stored number times the slice's own slope.
STORED = np.stack([np.full((4, 5), 1000), np.full((4, 5), 2000), np.full((4, 5), 500)]).astype(np.int16)
SLOPES = (2.0, 4.0, 8.0)
ACTIVITY = STORED * np.reshape(SLOPES, (3, 1, 1))


def tracer(**changes):
    from pydicom import Dataset

    item = Dataset()
    known = {
        "RadionuclideTotalDose": "370000000", "RadionuclideHalfLife": "6586.2",
        "RadiopharmaceuticalStartTime": "100000.00", **changes,
    }  # fmt: skip
    for name, value in known.items():
        if value is not None:
            setattr(item, name, value)
    return item


@pytest.fixture
def pet(tmp_path, write_dicom):
    """(**elements) -> the volume of a three-slice PET series; None removes an element; `private` adds blocks."""

    def write(private=None, acquisition=("110000", "110200", "110400"), tracer_item=None, **changes):
        from pydicom import dcmread

        elements = {
            "SOPClassUID": PET_CLASS, "Modality": "PT", "Units": "BQML", "DecayCorrection": "START",
            "CorrectedImage": ["DECY", "ATTN"], "PatientWeight": "70", "PatientSize": "1.65", "PatientSex": "F",
            "SeriesDate": "20260102", "SeriesTime": "110000", "AcquisitionDate": "20260102",
            "PixelSpacing": ["4", "4"], "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
            "FrameOfReferenceUID": "2.25.3", "ActualFrameDuration": "120000", "FrameReferenceTime": "0",
            "RadiopharmaceuticalInformationSequence": [tracer_item or tracer()], **changes,
        }  # fmt: skip
        paths = []
        for index, plane in enumerate(STORED):
            own = {
                "SOPInstanceUID": f"2.25.9{index}", "InstanceNumber": index + 1, "RescaleSlope": str(SLOPES[index]),
                "RescaleIntercept": "0", "ImagePositionPatient": ["0", "0", str(3 * index)],
                "AcquisitionTime": acquisition[index], **elements,
            }  # fmt: skip
            stated = {name: value for name, value in own.items() if value is not None}
            path = write_dicom(tmp_path / f"{index}.dcm", plane, **stated)
            for group, creator, element, vr, value in private or ():
                dataset = dcmread(path)
                dataset.private_block(group, creator, create=True).add_new(element, vr, value)
                dataset.save_as(path, enforce_file_format=True)
            paths.append(path)
        (volume,) = read_series(paths)
        return volume

    return write


def expected(elapsed_s: float) -> np.ndarray:
    return ACTIVITY * 70e3 / (370e6 * 0.5 ** (elapsed_s / HALF_LIFE_S))


def test_activity_at_scan_start_is_corrected_for_the_hour_since_injection_with_each_slices_slope(pet):
    np.testing.assert_allclose(to_suv(pet()).array, expected(3600), rtol=1e-6)


def test_activity_at_injection_is_not_corrected_again(pet):
    np.testing.assert_allclose(to_suv(pet(DecayCorrection="ADMIN")).array, expected(0), rtol=1e-6)


def test_the_earliest_bed_position_counts_not_the_first_slice(pet):
    volume = pet(acquisition=("110400", "110200", "110000"))
    assert dict(volume.facts.parameters)["acquisition_clock_s"] == 11 * 3600
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)


def test_a_joint_date_and_time_of_acquisition_will_do(pet):
    volume = pet(acquisition=(None, None, None), AcquisitionDateTime="20260102110000.00")
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)


def test_a_ge_series_made_later_uses_the_private_scan_time(pet):
    private = [(0x0009, "GEMS_PETD_01", 0x0D, "DT", "20260102110000.00")]
    volume = pet(private, Manufacturer="GE MEDICAL SYSTEMS", SeriesTime="180000")
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)
    with pytest.raises(InputError, match="0009,100D"):
        to_suv(pet(Manufacturer="GE MEDICAL SYSTEMS", SeriesTime="180000"))


def test_a_siemens_series_made_later_uses_its_frame_reference_time(pet):
    rate = np.log(2) / HALF_LIFE_S
    average_s = np.log(rate * 120 / (1 - np.exp(-rate * 120))) / rate
    reference_ms = str(round((240 + float(average_s)) * 1000))
    volume = pet(
        Manufacturer="SIEMENS", SeriesTime="180000", FrameReferenceTime=reference_ms,
        acquisition=("110400", "110400", "110400"),
    )  # fmt: skip
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)


def test_philips_counts_go_by_the_private_factors(pet):
    direct = [(0x7053, "Philips PET Private Group", 0x00, "DS", "0.0005")]
    volume = pet(direct, Manufacturer="Philips", Units="CNTS")
    assert volume.unit == "counts"
    np.testing.assert_allclose(to_suv(volume).array, ACTIVITY * 0.0005, rtol=1e-6)
    by_activity = [
        (0x7053, "Philips PET Private Group", 0x00, "DS", "0"),
        (0x7053, "Philips PET Private Group", 0x09, "DS", "1.5"),
    ]
    volume = pet(by_activity, Manufacturer="Philips", Units="CNTS")
    np.testing.assert_allclose(to_suv(volume).array, 1.5 * expected(3600), rtol=1e-6)


def test_a_private_factor_in_another_reserved_block_is_found_by_its_creator(pet):
    private = [
        (0x7053, "Somebody else", 0x00, "DS", "7"),
        (0x7053, "Philips PET Private Group", 0x00, "DS", "0.0005"),
    ]
    volume = pet(private, Manufacturer="Philips", Units="CNTS")
    np.testing.assert_allclose(to_suv(volume).array, ACTIVITY * 0.0005, rtol=1e-6)


def test_a_scan_beyond_midnight_counts_on(pet):
    late = tracer(RadiopharmaceuticalStartTime="233000.00")
    volume = pet(
        tracer_item=late, SeriesDate="20260103", AcquisitionDate="20260103", SeriesTime="003000",
        acquisition=("003000", "003100", "003200"),
    )  # fmt: skip
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)


def test_an_acquisition_after_midnight_is_not_before_its_series(pet):
    late = tracer(RadiopharmaceuticalStartTime="225900.00")
    volume = pet(
        tracer_item=late, SeriesTime="235900", AcquisitionDate="20260103", acquisition=("000100", "000200", "000300")
    )
    assert dict(volume.facts.parameters)["acquisition_clock_s"] == 86400 + 60
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)


def test_the_dated_start_goes_before_the_bare_time(pet):
    dated = tracer(RadiopharmaceuticalStartDateTime="20260102100000.00", RadiopharmaceuticalStartTime="010000")
    np.testing.assert_allclose(to_suv(pet(tracer_item=dated)).array, expected(3600), rtol=1e-6)
    only_dated = tracer(RadiopharmaceuticalStartDateTime="20260101233000", RadiopharmaceuticalStartTime=None)
    volume = pet(tracer_item=only_dated, SeriesTime="003000", acquisition=("003000",) * 3)
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)


def test_a_start_in_another_time_zone_is_told_in_the_series(pet):
    in_utc = tracer(RadiopharmaceuticalStartDateTime="20260102080000.00+0000", RadiopharmaceuticalStartTime="100000")
    volume = pet(tracer_item=in_utc, TimezoneOffsetFromUTC="+0200")
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)
    west = tracer(RadiopharmaceuticalStartDateTime="20260101233000-0500", RadiopharmaceuticalStartTime=None)
    volume = pet(tracer_item=west, TimezoneOffsetFromUTC="+0030", SeriesTime="060000", acquisition=("060000",) * 3)
    np.testing.assert_allclose(to_suv(volume).array, expected(3600), rtol=1e-6)


def test_without_the_series_time_zone_the_clocks_are_taken_as_one(pet):
    zoned = tracer(RadiopharmaceuticalStartDateTime="20260102100000.00+0100")
    np.testing.assert_allclose(to_suv(pet(tracer_item=zoned)).array, expected(3600), rtol=1e-6)


@pytest.mark.parametrize("hours", [0.5, 5.0, 6.5, 11.0])
@pytest.mark.parametrize("dated", [True, False])
def test_an_injection_after_the_scan_is_refused(pet, hours, dated):
    clock = 11 + hours
    time = f"{int(clock):02d}{int(clock % 1 * 60):02d}00"
    changes = {"RadiopharmaceuticalStartTime": time}
    if dated:
        changes["RadiopharmaceuticalStartDateTime"] = f"20260102{time}"
    with pytest.raises(InputError, match=f"before the scan, .*is {hours * 3600:.0f} s after"):
        to_suv(pet(tracer_item=tracer(**changes)))


def test_a_date_that_lies_years_off_was_not_shifted_with_the_others(pet):
    stray = tracer(RadiopharmaceuticalStartDateTime="20190704100000.00")
    np.testing.assert_allclose(to_suv(pet(tracer_item=stray)).array, expected(3600), rtol=1e-6)


@pytest.mark.parametrize(("correction", "elapsed_s"), [("START", 3600), ("ADMIN", 0)])
def test_a_decay_factor_that_fits_the_other_correction_is_refused(pet, correction, elapsed_s):
    at = {"START": 60, "ADMIN": 3660}
    other = "ADMIN" if correction == "START" else "START"
    changes = {"DecayCorrection": correction, "FrameReferenceTime": "60000"}
    fits = pet(**changes, DecayFactor=f"{2 ** (at[correction] / HALF_LIFE_S):.6f}")
    np.testing.assert_allclose(to_suv(fits).array, expected(elapsed_s), rtol=1e-6)
    with pytest.raises(InputError, match=rf"DecayFactor .*{correction}.* fits {other}"):
        to_suv(pet(**changes, DecayFactor=f"{2 ** (at[other] / HALF_LIFE_S):.6f}"))
    unknown = pet(**changes, DecayFactor="1.9")
    np.testing.assert_allclose(to_suv(unknown).array, expected(elapsed_s), rtol=1e-6)


@pytest.mark.parametrize(
    ("units", "kind", "unit"),
    [
        ("GML", None, "SUVbw"), ("GML", "BW", "SUVbw"), ("GML", "LBM", "SUVlbm"), ("GML", "LBMJANMA", "SUVlbm"),
        ("GML", "LBMJAMES128", "SUVlbm"), ("GML", "BSA", "SUVbsa"), ("CM2ML", None, "SUVbsa"), ("GML", "XYZ", "a.u."),
    ],
)  # fmt: skip
def test_the_kind_of_uptake_is_the_one_that_the_header_states(pet, units, kind, unit):
    volume = pet(Units=units, **({} if kind is None else {"SUVType": kind}))
    assert volume.unit == unit


def test_a_height_in_centimetres_gives_no_lean_uptake(pet):
    volume = pet(PatientSize="165")
    assert not states_lean_mass(volume) and states_lean_mass(pet())
    with pytest.raises(InputError, match="centimetres"):
        to_suv(volume, kind="SUVlbm")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"PatientWeight": None}, "PatientWeight"),
        ({"PatientWeight": "0"}, "PatientWeight"),
        ({"DecayCorrection": "NONE"}, "DecayCorrection"),
        ({"DecayCorrection": None}, "DecayCorrection"),
        ({"CorrectedImage": ["DECY"]}, "CorrectedImage"),
        ({"SeriesTime": None}, "SeriesTime"),
        ({"tracer_item": {"RadionuclideTotalDose": None}}, "RadionuclideTotalDose"),
        ({"tracer_item": {"RadionuclideTotalDose": ""}}, "RadionuclideTotalDose"),
        ({"tracer_item": {"RadionuclideHalfLife": None}}, "RadionuclideHalfLife"),
        ({"tracer_item": {"RadiopharmaceuticalStartTime": None}}, "RadiopharmaceuticalStartTime"),
        ({"RadiopharmaceuticalInformationSequence": None}, "RadionuclideTotalDose"),
    ],
)
def test_a_field_that_is_missing_is_named(pet, changes, field):
    if isinstance(changes.get("tracer_item"), dict):
        changes = {"tracer_item": tracer(**changes["tracer_item"])}
    with pytest.raises(InputError, match=field):
        to_suv(pet(**changes))


def test_several_tracers_are_refused(pet):
    with pytest.raises(InputError, match="several"):
        to_suv(pet(RadiopharmaceuticalInformationSequence=[tracer(), tracer()]))


def test_no_date_leaves_the_header(pet):
    facts = pet(tracer_item=tracer(RadiopharmaceuticalStartDateTime="20260102100000.00")).facts
    assert not any("2026" in str(value) for _, value in facts.parameters)


@pytest.mark.data
def test_the_suv_of_a_ge_series_is_that_of_its_nifti_twin(data_dir):
    from isocenter.io.load import load

    suv = to_suv(load(data_dir / "dicom_series" / "sts_STS_008_PET"))
    folder = data_dir / "sts_ct_pet_mr_tumour" / "STS_008"
    twin, mask = load(folder / "PET_image.nii.gz"), load(folder / "PET_mask.nii.gz").array > 0
    assert suv.unit == "SUVbw"
    np.testing.assert_allclose(suv.grid.affine, twin.grid.affine, atol=1e-3)
    assert suv.array[mask].max() == pytest.approx(twin.array[mask].max(), rel=1e-3)
    assert suv.array[mask].mean() == pytest.approx(twin.array[mask].mean(), rel=1e-3)
    np.testing.assert_allclose(suv.array, twin.array, atol=6e-4)  # the twin keeps three decimals
