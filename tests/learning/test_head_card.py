import numpy as np

from isocenter.core.volume import Volume
from isocenter.learning.config import read_config
from isocenter.learning.head_card import load_strangers
from isocenter.learning.runs import read_split
from isocenter.zoo.cards import read_card


def test_the_card_says_what_was_measured_on_which_part(head_run):
    card = read_card(head_run / "package" / "card.toml")
    figures = {(each.split, each.metric): each for each in card.performance}
    assert figures["test", "dice"].value > 0.9
    assert figures["validation", "circumference-absolute-error-mm"].value < 6
    assert {split for split, _ in figures} == {"validation", "test", "foreign"}
    assert all(each.low <= each.value <= each.high for each in card.performance)
    split = read_split(head_run)
    assert card.data["split"] == split.digest and card.data["n_test"] == len(split.test)
    assert card.stride == 4 and card.input_shape == (1, 64, 96)


def test_drawn_masks_have_no_margin(head_run):
    """The drawn masks end where the reference circumference runs, so the measured margin is a fraction of a pixel."""
    card = read_card(head_run / "package" / "card.toml")
    assert abs(float(card.parameters["margin_px"])) < 0.15
    assert 0 < float(card.parameters["relative_sd"]) < 0.2


def test_strangers_come_from_the_folders_beside_the_data_and_from_the_generator(head_run, head_data):
    groups = load_strangers(read_config(head_run / "config.toml"), head_data)
    assert len(groups["strangers"]) == 8
    assert all(isinstance(each, Volume) for volumes in groups.values() for each in volumes)
    again = load_strangers(read_config(head_run / "config.toml"), head_data)
    assert np.array_equal(groups["generated-shapes"][0].array, again["generated-shapes"][0].array)
