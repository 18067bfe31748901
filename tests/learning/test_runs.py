import json

import pytest

from isocenter.core.errors import InputError
from isocenter.learning.config import SplitConfig, config_from_mapping
from isocenter.learning.runs import (
    git_revision,
    member_parts,
    open_run,
    read_json,
    read_split,
    write_curves,
    write_json,
    write_origin,
)
from isocenter.learning.splits import Member, make_split

TEXT = """
task = "t"
kind = "segmentation"
dataset = "table"
seed = 1
prepare = []
network = { name = "unet" }
loss = { name = "dice_bce" }
[fit]
epochs = EPOCHS
"""


def config_file(tmp_path, epochs=2, name="config.toml"):
    path = tmp_path / name
    path.write_text(TEXT.replace("EPOCHS", str(epochs)))
    return path


def test_a_run_keeps_its_configuration_and_is_not_overwritten(tmp_path):
    out = tmp_path / "run"
    config = open_run(config_file(tmp_path), out, resume=False)
    assert (out / "config.toml").read_text() == config_file(tmp_path).read_text()
    with pytest.raises(InputError, match="holds a run"):
        open_run(config_file(tmp_path), out, resume=False)
    assert open_run(config_file(tmp_path), out, resume=True) == config
    with pytest.raises(InputError, match="another one"):
        open_run(config_file(tmp_path, epochs=3, name="other.toml"), out, resume=True)


def test_origin_and_split_are_written_and_read_back(tmp_path):
    config = open_run(config_file(tmp_path), tmp_path / "run", resume=False)
    split = make_split([Member(f"k{i}", f"g{i}") for i in range(20)], SplitConfig(folds=2), seed=1)
    write_origin(tmp_path / "run", config, split, {"name": "x"})
    assert read_split(tmp_path / "run") == split
    origin = read_json(tmp_path / "run" / "run.json")
    assert origin["split"] == split.digest and origin["seed"] == 1 and origin["git"] == git_revision()


def test_the_refit_learns_from_all_but_the_test_part():
    document = {
        "task": "t", "kind": "segmentation", "dataset": "table", "seed": 1, "prepare": [], "network": {"name": "unet"},
        "loss": {"name": "dice_bce"}, "fit": {"epochs": 1}, "split": {"folds": 3, "learn": 2, "refit": True},
    }  # fmt: skip
    config = config_from_mapping(document)
    split = make_split([Member(f"k{i}", f"g{i}") for i in range(30)], config.split, seed=1)
    parts = member_parts(config, split)
    assert list(parts) == ["fold-0", "fold-1", "refit"]
    learned, held_out = parts["refit"]
    assert held_out == () and not set(learned) & set(split.test) and len(learned) + len(split.test) == 30


def test_curves_show_every_score_of_every_member(tmp_path):
    for member in ("fold-0", "fold-1"):
        (tmp_path / member).mkdir()
        rows = [{"epoch": e, "loss": 1 / e, "dice": 0.5 + e / 10, "elapsed_s": 1} for e in (1, 2)]
        (tmp_path / member / "metrics.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    write_curves(tmp_path, ("fold-0", "fold-1"))
    text = (tmp_path / "curves.svg").read_text()
    assert text.count("<polyline") == 4 and "dice" in text and "elapsed_s" not in text


def test_json_is_whole_or_refused(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1})
    assert read_json(tmp_path / "a.json") == {"b": 1}
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json"):
        read_json(tmp_path / "a.json")
