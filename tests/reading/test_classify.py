import numpy as np
import pytest

from isocenter.core.card import ModelCard, PrepareStep
from isocenter.core.finding import ModelRef
from isocenter.core.grid import Grid
from isocenter.core.volume import Volume
from isocenter.reading.classify import classify, gate
from isocenter.zoo.predict import FunctionPredictor, Model


def picture(seed: int = 0, side: int = 64) -> Volume:
    """Smooth blobs: structured, neither blank nor noise."""
    j, i = np.mgrid[:side, :side] / side
    rng = np.random.default_rng(seed)
    values = sum(np.sin(rng.uniform(2, 20) * i + rng.uniform(2, 20) * j + n) for n in range(6))
    gray = np.round(255 * (values - values.min()) / np.ptp(values)).astype(np.uint8)
    return Volume(gray[np.newaxis], Grid.of_pixels((1, side, side)))


def model(logits: list[float], classes: tuple[str, ...] = ("a", "b", "foreign"), **card) -> Model:
    made = ModelCard(
        name="toy", version="1.0.0", task="toy", kind="classification", modality="US", body_part="",
        intended_use="tests", limits=("none",), classes=classes, input_shape=(1, 32, 32),
        prepare=(PrepareStep("resize", {"rows": 32, "columns": 32, "fit": "stretch", "interpolation": "area"}),),
        outputs={"logits": "class logits"}, licence="none", data={}, **card,
    )  # fmt: skip
    predictor = FunctionPredictor(lambda array: {"logits": np.tile(np.float32(logits), (len(array), 1))})
    return Model(made, predictor, ModelRef("toy", "1.0.0", "sha256:" + "0" * 64))


def test_probabilities_of_the_answers_are_renormalised_without_the_foreign_class():
    seen = classify(model([2, 1, 1], parameters={"proper": ["a", "b"]}), picture())
    odds = np.exp([2.0, 1.0])
    assert seen.proper == pytest.approx(dict(zip("ab", odds / odds.sum(), strict=True)))
    assert sum(seen.probabilities.values()) == pytest.approx(1)
    assert (seen.top, seen.answer) == ("a", "a")


def test_a_foreign_class_above_its_limit_is_not_familiar():
    ood = {"method": "classes", "classes": ["foreign"], "limit": 0.5}
    assert not classify(model([0, 0, 5], ood=ood), picture()).is_familiar
    assert classify(model([5, 0, 0], ood=ood), picture()).is_familiar


def test_a_blank_frame_fails_the_gate_with_the_check_named():
    blank = Volume(np.full((1, 64, 64), 7, np.uint8), Grid.of_pixels((1, 64, 64)))
    checks, refused = gate("breast-us", blank)
    assert refused is not None and refused.abstained is not None
    assert refused.abstained.code == "quality"
    assert not all(check.passed for check in checks)


def test_a_structured_picture_passes_the_gate():
    assert gate("breast-us", picture())[1] is None
