import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.grid import Grid
from isocenter.core.volume import Facts, Volume
from isocenter.imaging.pet import body_surface_m2, lean_body_mass_kg, suv_body_weight, suv_factor, to_suv

HALF_LIFE_S = 6586.2
COMPLETE = {
    "weight_kg": 70.0, "height_m": 1.65, "sex": "F", "dose_bq": 370e6, "half_life_s": HALF_LIFE_S,
    "injection_clock_s": 36000.0, "series_clock_s": 39600.0, "acquisition_clock_s": 39600.0,
    "corrected_image": "DECY\\ATTN\\SCAT", "decay_correction": "START",
}  # fmt: skip
AN_HOUR = 70e3 / (370e6 * 0.5 ** (3600 / HALF_LIFE_S))


def scan(unit: str = "Bq/ml", manufacturer: str = "", modality: str = "PT", **changes) -> Volume:
    known = {name: value for name, value in {**COMPLETE, **changes}.items() if value is not None}
    array = np.full((2, 3, 4), 12000, np.int16)
    facts = Facts(manufacturer=manufacturer, parameters=tuple(known.items()))
    return Volume(array, Grid.of_spacing(array.shape, (3, 4, 4)), unit, modality, facts)


def test_twelve_kilobecquerels_after_an_hour_are_the_published_suv():
    suv = to_suv(scan())
    assert suv.unit == "SUVbw" and suv.array.dtype == np.float32
    np.testing.assert_allclose(suv.array, 3.3160, atol=5e-5)
    assert suv.facts.notes[-1].startswith("suv: Bq/ml by body weight and dose, decay-corrected to scan start (START)")


def test_activity_corrected_to_injection_is_not_corrected_again():
    assert suv_factor(scan(decay_correction="ADMIN")).factor == pytest.approx(70e3 / 370e6)
    no_clocks = dict.fromkeys(("injection_clock_s", "series_clock_s", "acquisition_clock_s"))
    assert suv_factor(scan(decay_correction="ADMIN", **no_clocks)).factor == pytest.approx(70e3 / 370e6)


def test_a_series_made_after_its_acquisition_takes_the_ge_scan_time():
    late = scan(series_clock_s=50000.0, ge_scan_clock_s=39600.0)
    assert suv_factor(late).factor == pytest.approx(AN_HOUR)
    with pytest.raises(InputError, match=r"SeriesTime \(0008,0031\)"):
        suv_factor(scan(series_clock_s=50000.0))


def test_a_siemens_series_made_later_is_dated_back_from_its_first_bed_position():
    duration_s, bed_s = 180.0, 400.0
    rate = np.log(2) / HALF_LIFE_S
    average_s = np.log(rate * duration_s / (1 - np.exp(-rate * duration_s))) / rate
    known = {
        "series_clock_s": 50000.0, "acquisition_clock_s": 39600.0 + bed_s,
        "frame_reference_s": bed_s + float(average_s), "frame_duration_s": duration_s,
    }  # fmt: skip
    assert suv_factor(scan(manufacturer="SIEMENS", **known)).factor == pytest.approx(AN_HOUR, rel=1e-9)
    with pytest.raises(InputError, match="original series"):
        suv_factor(scan(manufacturer="Other", **known))


def test_a_scan_beyond_midnight_decays_for_the_time_that_passed():
    night = scan(injection_clock_s=86400.0 - 1800, series_clock_s=1800.0, acquisition_clock_s=1800.0)
    assert suv_factor(night).factor == pytest.approx(AN_HOUR)
    dated = scan(injection_clock_s=None, injection_moment_s=-1800.0, series_clock_s=1800.0, acquisition_clock_s=1900.0)
    assert suv_factor(dated).factor == pytest.approx(AN_HOUR)


def test_a_date_and_time_of_injection_goes_before_a_time_unless_it_is_absurd():
    assert suv_factor(scan(injection_moment_s=36000.0, injection_clock_s=1.0)).factor == pytest.approx(AN_HOUR)
    shifted = scan(injection_moment_s=36000.0 - 20000 * 86400)
    assert suv_factor(shifted).factor == pytest.approx(AN_HOUR)


def test_either_spelling_of_decay_correction_counts():
    assert suv_factor(scan(corrected_image="ATTN\\DECAY")).factor == pytest.approx(AN_HOUR)


def test_an_injection_after_the_scan_is_refused_and_not_taken_for_yesterdays():
    with pytest.raises(InputError, match="600 s after it"):
        suv_factor(scan(injection_clock_s=39600.0 + 600))


def test_a_slow_tracer_needs_the_day_of_injection():
    slow = {"half_life_s": 78.4 * 3600}
    with pytest.raises(InputError, match="RadiopharmaceuticalStartDateTime"):
        suv_factor(scan(**slow))
    assert suv_factor(scan(**slow, injection_moment_s=39600.0 - 3 * 86400)).factor == pytest.approx(
        70e3 / (370e6 * 0.5 ** (72 / 78.4))
    )


def test_philips_counts_take_the_suv_factor_or_else_the_activity_factor():
    assert suv_factor(scan("counts", philips_suv_factor=0.000381)).factor == 0.000381
    by_activity = scan("counts", philips_activity_factor=1.5, philips_suv_factor=0.0)
    assert suv_factor(by_activity).factor == pytest.approx(1.5 * AN_HOUR)
    with pytest.raises(InputError, match=r"\(7053,1000\)"):
        suv_factor(scan("counts"))
    with pytest.raises(InputError, match="ATTN"):
        suv_factor(scan("counts", philips_suv_factor=0.000381, corrected_image="DECY"))


def test_values_that_are_suv_stay_as_they_are():
    suv = to_suv(scan("SUVbw", weight_kg=None, dose_bq=None))
    assert suv.array.max() == 12000 and "already" in suv.facts.notes[-1]
    assert to_suv(scan("SUVlbm"), kind="SUVlbm").unit == "SUVlbm"


def test_lean_and_surface_uptake_follow_from_body_weight_uptake():
    by_weight = to_suv(scan()).array
    lean = to_suv(scan(), kind="SUVlbm")
    np.testing.assert_allclose(lean.array, by_weight * 43.11 / 70, rtol=1e-4)
    surface = to_suv(scan(), kind="SUVbsa")
    np.testing.assert_allclose(surface.array, by_weight * body_surface_m2(weight_kg=70, height_m=1.65) / 7, rtol=1e-5)
    assert lean.unit == "SUVlbm" and surface.unit == "SUVbsa"
    with pytest.raises(InputError, match="sex M or F"):
        to_suv(scan(sex="O"), kind="SUVlbm")


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("weight_kg", "PatientWeight"), ("dose_bq", "RadionuclideTotalDose"), ("half_life_s", "RadionuclideHalfLife"),
        ("injection_clock_s", "RadiopharmaceuticalStartTime"), ("series_clock_s", "SeriesTime"),
        ("acquisition_clock_s", "AcquisitionTime"), ("corrected_image", "CorrectedImage"),
        ("decay_correction", "DecayCorrection"),
    ],
)  # fmt: skip
def test_a_missing_or_zero_field_is_named_and_no_suv_is_made(name, field):
    with pytest.raises(InputError, match=field):
        to_suv(scan(**{name: None}))
    if name in ("weight_kg", "dose_bq", "half_life_s"):
        with pytest.raises(InputError, match=field):
            to_suv(scan(**{name: 0.0}))


def test_height_and_sex_are_asked_for_only_where_they_matter():
    bare = scan(height_m=None, sex=None)
    assert to_suv(bare).unit == "SUVbw"
    with pytest.raises(InputError, match="PatientSize"):
        to_suv(bare, kind="SUVlbm")
    with pytest.raises(InputError, match="PatientSex"):
        to_suv(scan(sex=None), kind="SUVlbm")


def test_what_the_rules_do_not_cover_is_refused():
    with pytest.raises(InputError, match="START or ADMIN, got NONE"):
        to_suv(scan(decay_correction="NONE"))
    with pytest.raises(InputError, match="ATTN is not there"):
        to_suv(scan(corrected_image="DECY"))
    with pytest.raises(InputError, match="megabecquerels"):
        to_suv(scan(dose_bq=370.0))
    with pytest.raises(InputError, match="got values in counts/s"):
        to_suv(scan("counts/s"))
    with pytest.raises(InputError, match="expected a PET image"):
        to_suv(scan(modality="CT"))
    with pytest.raises(InputError, match="lists several"):
        to_suv(scan(tracers=2))


def test_doses_and_bodies_must_be_positive():
    with pytest.raises(InputError, match="positive"):
        suv_body_weight(np.ones(1), dose_bq=0, weight_kg=70, elapsed_s=0, half_life_s=6586)
    with pytest.raises(InputError, match="positive"):
        lean_body_mass_kg(weight_kg=0, height_m=1.7, sex="M")
    with pytest.raises(InputError, match="positive"):
        body_surface_m2(weight_kg=70, height_m=0)


def test_lean_body_mass_is_that_of_the_published_formula():
    assert lean_body_mass_kg(weight_kg=110, height_m=1.78, sex="M") == pytest.approx(71.92, abs=0.005)
    assert lean_body_mass_kg(weight_kg=70, height_m=1.65, sex="F") == pytest.approx(43.11, abs=0.005)
