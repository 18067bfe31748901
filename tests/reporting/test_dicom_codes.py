from isocenter.core.finding import Category, Code, Measurement
from isocenter.reporting.dicom_codes import category_codes, clip, code_item, method_code, unit_code


def test_a_long_code_value_goes_where_the_standard_puts_it():
    short, long = code_item(Code("SCT", "39607008", "Lung")), code_item(Code("99ISO", "a" * 17, "A"))
    assert short.CodeValue == "39607008" and "LongCodeValue" not in short
    assert long.LongCodeValue == "a" * 17 and "CodeValue" not in long


def test_text_is_cut_to_its_length_in_bytes_and_never_inside_a_character():
    assert clip("abc", 64) == "abc"
    assert clip("a" * 100, 64) == "a" * 61 + "..."
    assert len(clip("肺" * 40, 64).encode()) <= 64 and clip("肺" * 40, 64).endswith("肺...")


def test_units_carry_their_names():
    assert unit_code("mm") == Code("UCUM", "mm", "millimeter")
    assert unit_code("{score}").value == "{score}"


def test_a_category_is_two_codes_of_ours_and_a_method_one():
    name, value = category_codes(Category("bi_rads_ai_estimated", "4C", (), "s", flags=("ai_estimated",)))
    assert (name.scheme, name.value) == ("99ISO", "bi-rads-ai-estimated")
    assert value.meaning == "4C (ai-estimated)"
    measurement = Measurement("volume", 1.0, "ml", Code("SCT", "118565006", "Volume"), "voxel count")
    assert method_code(measurement) == Code("99ISO", "method-volume", "voxel count")
