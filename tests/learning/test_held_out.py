import numpy as np
import pytest
import torch

from isocenter.io.raster import write_png
from isocenter.learning.classifier_card import package_classifier
from isocenter.learning.config import read_config
from isocenter.learning.data import list_dataset
from isocenter.learning.held_out import load_members, measure_held_out
from isocenter.learning.networks.build import build_network
from isocenter.learning.runs import read_split, write_origin
from isocenter.learning.splits import make_split
from isocenter.zoo.cards import card_to_toml
from isocenter.zoo.graph import check_graph

RECIPE = """
task = "toy"
kind = "classification"
dataset = "busi"
seed = 1
prepare = [{ op = "gray" }, { op = "resize", rows = 32, columns = 32 }, { op = "scale" }]
network = { name = "classifier", classes = 3, widths = [4, 6, 8] }
loss = { name = "cross_entropy" }
fit = { epochs = 1 }
split = { test_fraction = 0.0, folds = 2 }
[card]
name = "toy"
version = "1.0.0"
modality = "US"
body_part = "BREAST"
intended_use = "a test"
limits = ["a test"]
licence = "Apache-2.0"
ood = { components = 3, accept = 0.9 }
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of two members with random weights, and its data of 24 pictures."""
    folder = tmp_path_factory.mktemp("run")
    data, out = folder / "data", folder / "out"
    data.mkdir()
    out.mkdir()
    rng = np.random.default_rng(0)
    lines = ["file,label,near_dup_group,original_width,original_height"]
    for index in range(24):
        write_png(rng.integers(0, 255, (40, 40), dtype=np.uint8), data / f"{index}.png")
        lines.append(f"{index}.png,{('benign', 'malignant', 'normal')[index % 3]},{index},40,40")
    (data / "labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (out / "config.toml").write_text(RECIPE, encoding="utf-8")
    config = read_config(out / "config.toml")
    split = make_split(list_dataset("busi", data, {}).members(), config.split, config.seed)
    write_origin(out, config, split, {})
    for fold in range(2):
        torch.manual_seed(fold)
        (out / f"fold-{fold}").mkdir()
        torch.save(build_network(config.network).state_dict(), out / f"fold-{fold}" / "weights.pt")
    return out, data


def test_every_picture_is_answered_once_by_the_member_that_did_not_learn_from_it(run):
    out, data = run
    config, split = read_config(out / "config.toml"), read_split(out)
    held = measure_held_out(config, load_members(config, out), list_dataset("busi", data, {}), split)
    assert sorted(held.keys) == sorted(f"{index}.png" for index in range(24))
    for key, fold in zip(held.keys, held.fold, strict=True):
        assert key in split.folds[fold][1]
        assert key not in split.folds[fold][0]
    assert [len(targets) for _, targets in held.learned] == [len(train) for train, _ in split.folds]


def test_a_run_becomes_a_card_and_a_graph_with_all_members(run):
    card, files = package_classifier(*run)
    assert card.data["members"] == 2
    assert card.ood["method"] == "mahalanobis"
    facts = check_graph(files["model.onnx"])
    assert set(facts.outputs) == {"logits", "features", "cam"}
    assert "toy" in card_to_toml(card)
