import json

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.learning.data import Arrays
from isocenter.learning.train import choose_device, select


def test_a_run_holds_config_origin_split_metrics_curves_and_weights(head_run):
    for name in ("config.toml", "run.json", "split.json", "curves.svg", "examples.npz", "package/card.toml"):
        assert (head_run / name).stat().st_size > 0
    for member in ("fold-0", "refit"):
        rows = [json.loads(line) for line in (head_run / member / "metrics.jsonl").read_text().splitlines()]
        assert len(rows) == 20 and rows[-1]["loss"] < rows[0]["loss"]
    assert not (head_run / "fold-1").exists()
    last = [json.loads(line) for line in (head_run / "fold-0" / "metrics.jsonl").read_text().splitlines()][-1]
    assert last["dice"] > 0.9 and last["dice_min"] <= last["dice"]


def test_select_keeps_the_order_of_the_keys():
    arrays = Arrays(("a", "b", "c"), np.arange(3.0).reshape(3, 1, 1, 1), np.array([5, 6, 7]))
    chosen = select(arrays, ("c", "a"))
    assert chosen.keys == ("c", "a") and chosen.targets.tolist() == [7, 5]
    assert len(select(arrays, ())) == 0


def test_devices_are_named():
    assert choose_device("cpu") == "cpu"
    assert choose_device("auto") in ("cpu", "cuda")
    with pytest.raises(InputError, match="device"):
        choose_device("abacus")
