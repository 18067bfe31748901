import json

import cv2
import numpy as np
import pytest

from isocenter.core.card import ModelCard, OperatingPoint, PrepareStep
from isocenter.core.errors import InputError
from isocenter.core.finding import ModelRef
from isocenter.learning.evaluate import evaluate_model
from isocenter.zoo.predict import FunctionPredictor, Model

CARD = ModelCard(
    "light", "1.0.0", "t", "classification", "US", "", "tests", ("none",), ("dark", "bright"), (1, 4, 4),
    (PrepareStep("gray"), PrepareStep("resize", {"rows": 4, "columns": 4})), {"logits": "class logits"}, "CC0", {},
    operating_points=(OperatingPoint("bright-sensitive", "bright", 0.4),),
)  # fmt: skip


def brightness(images):
    level = (images.mean(axis=(1, 2, 3)) - 128) / 40
    return {"logits": np.stack([-level, level], axis=1).astype(np.float32)}


MODEL = Model(CARD, FunctionPredictor(brightness), ModelRef("light", "1.0.0", "sha256:0"))


def pictures(folder, n=24, wrong=2):
    rng = np.random.default_rng(0)
    rows = ["file,label,patient,device"]
    for index in range(n):
        bright = index % 2 == 1
        level = 190 if bright != (index < wrong) else 60
        picture = np.clip(rng.normal(level, 12, (12, 12)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), picture)
        rows.append(f"{index}.png,{'bright' if bright else 'dark'},p{index // 2},{'A' if index < n // 2 else 'B'}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")


def test_a_classifier_is_measured_with_intervals_and_per_subgroup(tmp_path):
    (tmp_path / "data").mkdir()
    pictures(tmp_path / "data")
    result = evaluate_model(MODEL, tmp_path / "data", tmp_path / "out")
    accuracy = result["figures"]["accuracy"]
    assert accuracy["value"] == pytest.approx(22 / 24) and accuracy["low"] < accuracy["value"] <= accuracy["high"]
    assert result["confusion"] == [[11, 1], [1, 11]]
    assert result["subgroups"]["device=A"]["right"]["value"] == pytest.approx(10 / 12)
    assert result["subgroups"]["device=B"]["right"]["value"] == 1.0
    assert result["operating_points"]["bright-sensitive"]["sensitivity"]["value"] == pytest.approx(11 / 12)
    written = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert written["figures"] == json.loads(json.dumps(result["figures"]))
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "device=A" in page and "<svg" in page and "http" not in page


def test_classes_that_the_model_does_not_know_are_refused(tmp_path):
    (tmp_path / "purple").mkdir()
    cv2.imwrite(str(tmp_path / "purple" / "1.png"), np.zeros((8, 8), np.uint8))
    with pytest.raises(InputError, match="expected the classes"):
        evaluate_model(MODEL, tmp_path, tmp_path / "out")


def test_a_head_outline_is_measured_in_overlap_and_millimetres(head_run, head_data, tmp_path):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from isocenter.learning.package_run import package_run
    from isocenter.zoo.keys import key_id
    from isocenter.zoo.package import read_package
    from isocenter.zoo.predict import load_model

    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    package_run(head_run, tmp_path / "m.isocenter", private_key=key)
    trusted = {key_id(key.public_key()): key.public_key()}
    model = load_model(read_package(tmp_path / "m.isocenter", trusted=trusted))
    result = evaluate_model(model, head_data, tmp_path / "out")
    assert result["figures"]["dice"]["value"] > 0.9
    assert result["figures"]["circumference-absolute-error-mm"]["value"] < 6
