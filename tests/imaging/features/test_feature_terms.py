from isocenter.imaging.features.feature_terms import feature_terms


def test_every_feature_of_the_manual_has_one_term():
    terms = feature_terms()
    named = [term.ibsi_id for term in terms.values() if term.ibsi_id]
    assert len(named) == len(set(named)) == 174
    assert {tag for tag, term in terms.items() if not term.ibsi_id} == {
        "morph_diam_slice", "morph_diam_row", "morph_diam_column", "stat_total_energy", "cm_mcc"
    }  # fmt: skip
    assert terms["cm_contrast"].ibsi_id == "ACUI"
    assert terms["morph_volume"].name == "Volume"


def test_units_follow_the_intensity():
    terms = feature_terms()
    assert [terms[f"stat_{tag}"].unit("HU") for tag in ("mean", "var", "skew")] == ["HU", "HU2", "1"]
    assert terms["stat_energy"].unit("Bq/ml") == "(Bq/ml)2"
    assert terms["morph_integ_int"].unit("HU") == "HU.mm3"
    assert terms["ih_mean"].unit("HU") == "1"
