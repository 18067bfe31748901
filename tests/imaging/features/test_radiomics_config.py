from tomllib import loads

import pytest

from isocenter.core.errors import InputError
from isocenter.imaging.features.radiomics_config import builtin_configs, parse_configs


def test_built_in_configurations_are_those_of_the_publication():
    configs = builtin_configs()
    filtered = {f"ibsi2-{n}.{letter}" for n in range(1, 12) for letter in "AB"}
    assert set(configs) == {"ibsi-digital", *(f"ibsi-{letter}" for letter in "abcde"), "classic", *filtered}
    a, b, c, d, e = (configs[f"ibsi-{letter}"] for letter in "abcde")
    assert [each.resample is None for each in (a, b, c, d, e)] == [True, False, False, False, False]
    assert b.resample.spacing_mm == (None, 2.0, 2.0)
    assert c.resample.spacing_mm == (2.0, 2.0, 2.0)
    assert [each.resample.order for each in (b, c, d, e)] == [1, 1, 1, 3]
    assert [each.range for each in (a, c, d)] == [(-500.0, 400.0), (-1000.0, 400.0), (None, None)]
    assert [each.sigma for each in (a, b, c, d, e)] == [None, None, None, 3.0, 3.0]
    assert [each.texture.method for each in (a, b, c, d, e)] == ["fbs", "fbn", "fbs", "fbn", "fbn"]
    assert a.aggregations == ("2D_avg", "2D_comb", "2_5D_avg", "2_5D_comb", "2D", "2_5D")
    assert c.aggregations == ("3D_avg", "3D_comb", "3D")
    assert len(configs["ibsi-digital"].aggregations) == 9


def test_phase_2_of_ibsi_2_filters_slices_in_a_and_cubes_of_1_mm_in_b():
    configs = builtin_configs()
    a, b = configs["ibsi2-3.A"], configs["ibsi2-3.B"]
    assert (a.resample, a.filter.dimension, a.filter.sigma_mm) == (None, 2, 1.5)
    assert (b.resample.spacing_mm, b.resample.order, b.resample.round) == ((1.0, 1.0, 1.0), 3, True)
    assert (b.filter.filter, b.filter.dimension, b.range, b.families) == ("log", 3, (-1000.0, 400.0), ("statistics",))
    assert configs["ibsi2-1.B"].filter is None


def test_a_filter_is_written_as_enhance_filter_takes_it():
    text = '[filter]\nfilter = "laws"\nkernels = "L5E5"\npooling = "max"\nenergy_distance = 7'
    flat = parse_configs(loads(f'approach = "2d"\n{text}'))[""].filter
    assert (flat.kernels, flat.dimension, flat.energy_distance, flat.boundary) == (("L5", "E5"), 2, 7, "mirror")
    named = parse_configs(loads('filter = {ibsi2 = "5.B"}'))[""].filter
    assert (named.filter, named.planes, named.sigma_mm) == ("gabor", 3, 5.0)
    assert parse_configs(loads('filter = {filter = "none"}'))[""].filter is None


def test_spacings_are_written_as_columns_rows_slices():
    text = 'texture = {method = "fbn", bins = 8}\nresample = {spacing = [1, 2, 3]}'
    assert parse_configs(loads(text))[""].resample.spacing_mm == (3.0, 2.0, 1.0)


def test_what_is_left_out_has_a_default():
    config = parse_configs(loads('families = ["morphology"]'))[""]
    assert (config.approach, config.texture.bins, config.ivh.bins, config.resample) == ("3d", 32, 1000, None)
    assert parse_configs(loads("[one]\n[two]\nsigma = 2")).keys() == {"one", "two"}


def test_infinite_ends_are_no_bounds():
    text = 'range = [-inf, 40]\ntexture = {method = "fbn", bins = 8}'
    assert parse_configs(loads(text))[""].range == (None, 40.0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected settings"),
        ("[one]\ntexture = 5", "texture"),
        ('texture = {method = "fbn", bins = 8}\ncolour = 1', "colour"),
        ('texture = {method = "fbn"}', "bins"),
        ('texture = {method = "fbn", bins = 8, width = 2}', "width"),
        ('texture = {method = "fbn", bins = 8.5}', "whole number"),
        ('texture = {method = "fbn", bins = 100000}', "4096"),
        ('texture = {method = "fbs", width = -1}', "positive"),
        ('texture = {method = "otsu"}', "fbs, fbn, none"),
        ('texture = {method = "none", origin = 1}', "origin"),
        ('approach = "4d"\ntexture = {method = "none"}', "2d, 3d, all"),
        ('range = [400, -500]\ntexture = {method = "none"}', "low below high"),
        ('range = [1]\ntexture = {method = "none"}', "2 numbers"),
        ('sigma = "3"\ntexture = {method = "none"}', "numbers"),
        ('families = ["shape"]\ntexture = {method = "none"}', "morphology"),
        ('families = "glcm"\ntexture = {method = "none"}', "list of names"),
        ('ivh = {method = "fbs", width = 1}\ntexture = {method = "none"}', "range"),
        ('filter = "log"', "config filter: expected a table"),
        ('filter = {filter = "log", sigma = 3}', "config filter: filter log: expected parameters among"),
        ('filter = {filter = "sobel"}', "none mean log"),
        ('filter = {ibsi2 = "99.Z"}', "1.a.1"),
        ('range = [0, 9]\nivh = {method = "discrete"}\nfilter = {filter = "log", sigma_mm = 3}', "fbn with a filter"),
        ('resample = {spacing = [0, 1]}\ntexture = {method = "none"}', "positive millimetres"),
        ('resample = {spacing = [1, 1], order = 2}\ntexture = {method = "none"}', "1, 3"),
        ('resample = {spacing = [1, 1], round = "yes"}\ntexture = {method = "none"}', "true or false"),
        ('resample = {spacing = [1, 1], mask_threshold = 2}\ntexture = {method = "none"}', "at most 1"),
        ('approach = "2d"\nresample = {spacing = [1, 1, 1]}\ntexture = {method = "none"}', "2 numbers"),
        ('unit = 4\ntexture = {method = "none"}', "a text"),
    ],
)
def test_a_mistake_is_named_in_one_line(text, words):
    with pytest.raises(InputError, match=words) as caught:
        parse_configs(loads(text))
    assert "\n" not in str(caught.value)
