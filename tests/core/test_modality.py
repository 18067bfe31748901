from isocenter.core import modality


def test_only_ct_has_a_unit_fixed_by_the_standard():
    assert modality.intensity_unit("CT") == "HU"
    assert modality.intensity_unit("MR") == "a.u."


def test_a_modality_is_an_image_or_not():
    assert not modality.IMAGES & modality.NOT_IMAGES
    assert {"CT", "MR", "PT", "US", "CR", "DX", "MG", "OP", "SC"} <= modality.IMAGES
