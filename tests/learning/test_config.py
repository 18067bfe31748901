from pathlib import Path

import pytest

from isocenter.core.errors import InputError
from isocenter.learning.config import config_from_mapping, read_config

RECIPES = sorted((Path(__file__).parents[2] / "src" / "isocenter" / "learning" / "recipes").glob("*.toml"))
LEAST = {
    "task": "t",
    "kind": "segmentation",
    "dataset": "hc18",
    "seed": 1,
    "prepare": [{"op": "gray"}],
    "network": {"name": "unet"},
    "loss": {"name": "dice_bce"},
    "fit": {"epochs": 1},
}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_that_ships_can_be_read(path):
    config = read_config(path)
    assert config.task == path.stem
    assert config.prepare


def test_the_least_configuration_has_sensible_defaults():
    config = config_from_mapping(LEAST)
    assert config.prepare[0].op == "gray" and config.split.folds == 1 and config.fit.precision == "f32"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "guessing"},
        {"colour": "blue"},
        {"fit": {"epochs": 0}},
        {"fit": {"epochs": 1, "speed": 3}},
        {"fit": {"epochs": 1, "precision": "f8"}},
        {"fit": {}},
        {"split": {"folds": 0}},
        {"network": {"widths": [3]}},
        {"prepare": [{"rows": 3}]},
        {"prepare": "gray"},
    ],
)
def test_a_wrong_configuration_is_refused(change):
    with pytest.raises(InputError, match="config"):
        config_from_mapping({**LEAST, **change})


def test_a_missing_key_or_file_is_named(tmp_path):
    with pytest.raises(InputError, match="seed"):
        config_from_mapping({key: value for key, value in LEAST.items() if key != "seed"})
    with pytest.raises(InputError, match=r"config none\.toml"):
        read_config(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("task = ")
    with pytest.raises(InputError, match="expected TOML"):
        read_config(broken)
