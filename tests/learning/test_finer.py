import json

import numpy as np
import pytest
import torch

from isocenter.core.errors import InputError
from isocenter.imaging.prepare import prepare
from isocenter.learning.config import config_from_mapping, read_config
from isocenter.learning.data import list_dataset, load_volume
from isocenter.learning.finer import card_steps, load_committee, member_config
from isocenter.learning.fit import predict_outputs
from isocenter.learning.networks.unet import Coarse
from isocenter.learning.runs import member_parts, read_split
from isocenter.learning.train import train
from isocenter.zoo.cards import read_card
from isocenter.zoo.runtimes import OpenVinoPredictor

MEMBERS = ("fold-0", "refit", "fold-0-fine", "refit-fine")


def test_the_fine_members_learn_what_their_coarse_ones_learned(head_run):
    config, split = read_config(head_run / "config.toml"), read_split(head_run)
    parts = member_parts(config, split)
    assert tuple(parts) == MEMBERS
    assert parts["fold-0-fine"] == parts["fold-0"] and parts["refit-fine"] == parts["refit"]
    rows = [json.loads(line) for line in (head_run / "fold-0-fine" / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == config.finer.epochs and rows[-1]["dice"] > 0.9


def test_a_fine_member_starts_from_its_coarse_one_with_other_random_numbers(head_run):
    config = read_config(head_run / "config.toml")
    fine = member_config(config, "refit-fine", head_run)
    assert member_config(config, "refit", head_run) is config
    assert fine.start == {"weights": str(head_run / "refit" / "weights.pt")}
    assert fine.seed != config.seed and fine.fit.epochs == config.finer.epochs and fine.fit.batch == config.fit.batch
    assert [step.op for step in fine.prepare] == [step.op for step in config.prepare]


def test_the_package_is_the_committee_of_all_members_of_the_run(head_run, head_data):
    """What ships is what the recipe made: the draft's graph answers as the run's weights do."""
    config = read_config(head_run / "config.toml")
    card = read_card(head_run / "package" / "card.toml")
    assert card.prepare == card_steps(config) and len(card.data["members"]) == len(MEMBERS)
    example = list_dataset("hc18", head_data, {}).examples[0]
    image = prepare(load_volume(example), card.prepare).array[np.newaxis]
    committee = load_committee(config, head_run, MEMBERS)
    assert [isinstance(member, Coarse) for member in committee.members] == [True, True, False, False]
    wanted = predict_outputs(committee, image)
    graph = (head_run / "package" / "model.onnx").read_bytes()
    given = OpenVinoPredictor(graph, precision="f32").run(image)
    assert given["logits"].shape == (1, 1, 64, 96)
    for name in ("logits", "features"):
        assert np.abs(given[name] - wanted[name]).max() < 0.05 * max(1, np.abs(wanted[name]).max())


def test_a_finished_run_gone_on_with_keeps_its_weights(head_run, head_data):
    before = {name: (head_run / name / "weights.pt").read_bytes() for name in MEMBERS}
    train(head_run / "config.toml", head_data, head_run, resume=True)
    for name, content in before.items():
        state = torch.load(head_run / name / "weights.pt", weights_only=True)
        assert content and all(torch.isfinite(value).all() for value in state.values())
        assert (head_run / name / "weights.pt").read_bytes() == content


def test_only_a_segmenter_that_resizes_has_a_finer_round():
    document = {
        "task": "t", "kind": "classification", "dataset": "table", "seed": 1,
        "prepare": [{"op": "resize", "rows": 8, "columns": 8}], "network": {"name": "classifier"},
        "loss": {"name": "cross_entropy"}, "fit": {"epochs": 1}, "finer": {"rows": 16, "columns": 16, "epochs": 1},
    }  # fmt: skip
    with pytest.raises(InputError, match="finer"):
        config_from_mapping(document)
    with pytest.raises(InputError, match="resize"):
        config_from_mapping(document | {"kind": "segmentation", "prepare": [{"op": "gray"}]})
    with pytest.raises(InputError):
        config_from_mapping(document | {"kind": "segmentation", "finer": {"rows": 16, "columns": 16, "epoch": 1}})
