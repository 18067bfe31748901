import numpy as np
import pytest

pytest.importorskip("torch")

from isocenter.core.errors import InputError
from isocenter.learning.classifier_card import make_card, package_classifier
from isocenter.learning.config import config_from_mapping
from isocenter.learning.held_out import HeldOut
from isocenter.zoo.cards import card_from_toml, card_to_toml

CLASSES = ("benign", "malignant", "normal")


def config(**card):
    words = {
        "name": "toy", "version": "1.0.0", "modality": "US", "body_part": "BREAST", "intended_use": "a test",
        "limits": ["a test"], "licence": "Apache-2.0", **card,
    }  # fmt: skip
    return config_from_mapping(
        {
            "task": "toy", "kind": "classification", "dataset": "busi", "seed": 1,
            "prepare": [{"op": "gray"}, {"op": "resize", "rows": 16, "columns": 16}],
            "network": {"name": "classifier", "classes": 3}, "loss": {"name": "cross_entropy"},
            "fit": {"epochs": 1}, "split": {"folds": 2}, "card": words,
        }
    )  # fmt: skip


def held_out(strength: float = 3.0) -> HeldOut:
    rng = np.random.default_rng(2)
    targets = rng.integers(0, 3, 240)
    logits = np.eye(3)[targets] * strength + rng.standard_normal((240, 3))
    names = tuple(str(index // 2) for index in range(240))
    keys = tuple(str(index) for index in range(240))
    features = rng.standard_normal((240, 4))
    return HeldOut(keys, names, np.arange(240) // 120, targets, logits, features, ((features, targets),) * 2)


def test_the_card_says_what_was_measured_and_survives_its_text():
    card, files = make_card(config(positive="malignant", calibration="vector"), held_out(), CLASSES)
    figures = {figure.metric: figure for figure in card.performance}
    assert {"macro-auc", "auc-malignant", "auc-malignant-among-lesions", "accuracy", "brier"} <= set(figures)
    assert 0.9 < figures["macro-auc"].low <= figures["macro-auc"].value <= figures["macro-auc"].high <= 1
    assert files == {}
    assert card.parameters["proper"] == list(CLASSES)
    assert card_from_toml(card_to_toml(card)) == card


def test_operating_points_reach_about_the_sensitivity_that_they_are_named_for():
    card, _ = make_card(config(positive="malignant"), held_out(), CLASSES)
    sensitivity = {point.name: point.metrics["sensitivity"][0] for point in card.operating_points}
    assert sensitivity["malignant-high-sensitivity"] == pytest.approx(0.95, abs=0.05)
    assert sensitivity["malignant-balanced"] == pytest.approx(0.90, abs=0.06)
    thresholds = [point.threshold for point in card.operating_points]
    assert thresholds[0] <= thresholds[1]


def test_a_gate_is_measured_by_what_it_answers_and_what_it_refuses():
    words = {"parameters": {"proper": ["benign", "malignant"]}, "ood": {"foreign": ["normal"], "accept": 0.99}}
    card, _ = make_card(config(**words), held_out(6.0), CLASSES)
    figures = {figure.metric: figure.value for figure in card.performance}
    assert figures["accuracy"] > 0.95
    assert figures["foreign-refused"] > 0.95
    assert card.ood["classes"] == ["normal"]


def test_a_run_of_another_kind_is_refused(tmp_path):
    (tmp_path / "config.toml").write_text(
        'task = "t"\nkind = "segmentation"\ndataset = "hc18"\nseed = 1\n'
        'network = { name = "unet" }\nloss = { name = "dice_bce" }\nfit = { epochs = 1 }\n',
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="classification"):
        package_classifier(tmp_path, tmp_path)
