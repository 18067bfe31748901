import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from isocenter.core.card import PrepareStep
from isocenter.learning.config import FitConfig, SplitConfig, TrainConfig
from isocenter.learning.data import Arrays
from isocenter.learning.fit import batches, fit, learning_rate, load_network, predict_logits

SMALL = TrainConfig(
    task="discs",
    kind="segmentation",
    dataset="table",
    seed=5,
    prepare=(),
    network={"name": "unet", "widths": [4, 8], "dropout": 0.2},
    loss={"name": "dice_bce"},
    augment=(PrepareStep("flip", {"p": 0.5}), PrepareStep("noise")),
    fit=FitConfig(epochs=4, batch=4, learning_rate=5e-3, ema=0.9, evaluate_every=2),
    split=SplitConfig(),
)


def discs(n=12, seed=0) -> Arrays:
    rng = np.random.default_rng(seed)
    j, i = np.mgrid[:24, :32]
    masks = np.stack([((j - rng.uniform(8, 16)) ** 2 + (i - rng.uniform(10, 22)) ** 2 < 36)[None] for _ in range(n)])
    images = masks + 0.3 * rng.standard_normal(masks.shape)
    return Arrays(tuple(f"d{k}" for k in range(n)), images.astype(np.float32), masks.astype(np.float32))


def overlap(logits, targets):
    return {"dice": float(2 * ((logits > 0) & (targets > 0)).sum() / ((logits > 0).sum() + (targets > 0).sum()))}


def weights_of(network):
    return torch.cat([value.flatten().float() for value in network.state_dict().values()])


def test_a_run_that_was_cut_off_and_resumed_ends_as_the_unbroken_one(tmp_path):
    train, validation = discs(), discs(4, seed=1)
    whole = fit(SMALL, train, validation, out=tmp_path / "whole", scores=overlap)

    class Cut(Exception):
        pass

    def cut_at_first_look(logits, targets):
        raise Cut

    with pytest.raises(Cut):  # in the middle of epoch 2, after its weights have moved
        fit(SMALL, train, validation, out=tmp_path / "cut", scores=cut_at_first_look)
    assert not (tmp_path / "cut" / "weights.pt").exists()
    resumed = fit(SMALL, train, validation, out=tmp_path / "cut", scores=overlap, resume=True)
    assert torch.equal(weights_of(whole), weights_of(resumed))

    def without_time(folder):
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        return [{key: value for key, value in row.items() if key != "elapsed_s"} for row in rows]

    assert without_time(tmp_path / "whole") == without_time(tmp_path / "cut")
    assert [row["epoch"] for row in without_time(tmp_path / "cut")] == [1, 2, 3, 4]


def test_another_seed_gives_another_network(tmp_path):
    train = discs()
    short = replace(SMALL, fit=replace(SMALL.fit, epochs=1))
    first = fit(short, train, train, out=tmp_path / "a", scores=overlap)
    again = fit(short, train, train, out=tmp_path / "b", scores=overlap)
    other = fit(replace(short, seed=6), train, train, out=tmp_path / "c", scores=overlap)
    assert torch.equal(weights_of(first), weights_of(again))
    assert not torch.equal(weights_of(first), weights_of(other))


@pytest.mark.slow
def test_the_loop_learns_discs(tmp_path):
    config = replace(SMALL, fit=replace(SMALL.fit, epochs=30))
    network = fit(config, discs(24), discs(6, seed=1), out=tmp_path, scores=overlap)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["loss"] < 0.5 * rows[0]["loss"]
    assert rows[-1]["dice"] > 0.85
    images = discs(6, seed=2).images
    loaded = load_network(config, tmp_path / "weights.pt")
    assert np.array_equal(predict_logits(network, images), predict_logits(loaded, images))


def test_batches_hold_every_example_once_but_for_the_last_small_one():
    train = discs(10)
    plain = replace(SMALL, augment=())
    seen = np.concatenate([images for images, _ in batches(train, plain, epoch=0)])
    assert seen.shape[0] == 8
    assert len({image.tobytes() for image in seen} & {image.tobytes() for image in train.images}) == 8
    other = np.concatenate([images for images, _ in batches(train, plain, epoch=1)])
    assert not np.array_equal(seen, other)


def test_balanced_batches_show_rare_classes_as_often():
    targets = np.array([0] * 90 + [1] * 10)
    images = targets.reshape(-1, 1, 1, 1).astype(np.float32)
    balanced = replace(SMALL, augment=(), fit=replace(SMALL.fit, classes_balanced=True, batch=10))
    train = Arrays(tuple(map(str, range(100))), images, targets)
    drawn = np.concatenate([t for epoch in range(5) for _, t in batches(train, balanced, epoch=epoch)])
    assert 0.4 < drawn.mean() < 0.6


def test_learning_rate_rises_then_falls_to_a_hundredth():
    config = FitConfig(epochs=10, learning_rate=1.0, warmup_epochs=1)
    rates = [learning_rate(config, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == pytest.approx(1.0)
    assert np.all(np.diff(rates[10:]) < 0) and 0.01 <= rates[-1] < 0.02
