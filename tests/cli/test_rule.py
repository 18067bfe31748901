import json


def test_a_rule_prints_category_trace_and_source(isocenter):
    code, out, _ = isocenter("rule", "lung_rads_2022", "--input", "kind=solid", "--input", "d=8.0", "--json")
    made = json.loads(out)
    assert (code, made["value"]) == (0, "4A")
    assert made["trace"] and "Lung-RADS" in made["source"]


def test_a_missing_input_is_named(isocenter):
    code, out, _ = isocenter("rule", "lung_rads_2022", "--input", "kind=solid")
    assert code == 0 and "missing:d" in out and "no answer" in out


def test_unknown_rules_and_malformed_inputs_are_exit_2(isocenter):
    assert isocenter("rule", "nonsense")[0] == 2
    assert isocenter("rule", "lung_rads_2022", "--input", "kind")[0] == 2


def test_the_list_names_every_rule_with_its_source(isocenter):
    code, out, _ = isocenter("rules", "--json")
    assert code == 0
    assert {"fleischner_2017", "lung_rads_2022", "bi_rads_ai_estimated"} <= {row["name"] for row in json.loads(out)}
