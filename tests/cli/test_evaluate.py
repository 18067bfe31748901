import json

import cv2
import numpy as np
from onnx import TensorProto, helper

from isocenter.core.card import ModelCard, PrepareStep
from isocenter.zoo.keys import home_signing_key
from isocenter.zoo.package import write_package


def brightness_model(path, key):
    """A model that calls a picture bright where its mean exceeds one half."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["level"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["level", "last"], ["column"]),
        helper.make_node("Sub", ["column", "half"], ["bright"]),
        helper.make_node("Neg", ["bright"], ["dark"]),
        helper.make_node("Concat", ["dark", "bright"], ["logits"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, 4, 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor("last", TensorProto.INT64, [1], [1]),
         helper.make_tensor("half", TensorProto.FLOAT, [], [0.5])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    card = ModelCard(
        "light", "1.0.0", "light", "classification", "US", "", "Tests.", ("none",), ("bright-not", "bright"), (1, 4, 4),
        (PrepareStep("gray"), PrepareStep("resize", {"rows": 4, "columns": 4}),
         PrepareStep("scale", {"low": 0, "high": 255})), {"logits": "class logits"}, "CC0-1.0", {},
    )  # fmt: skip
    write_package(path, card, files={"model.onnx": model.SerializeToString()}, private_key=key)


def test_a_package_is_measured_on_a_folder_of_classes(isocenter, tmp_path):
    for name, level in (("bright", 200), ("bright-not", 40)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for index in range(4):
            cv2.imwrite(str(tmp_path / "data" / name / f"{index}.png"), np.full((8, 8), level + index, np.uint8))
    brightness_model(tmp_path / "light-1.0.0.isocenter", home_signing_key(tmp_path / "home"))
    code, out, err = isocenter(
        "evaluate", tmp_path / "light-1.0.0.isocenter", "--data", tmp_path / "data", "--out", tmp_path / "out", "--json"
    )
    assert (code, err) == (0, "")
    assert json.loads(out)["accuracy"]["value"] == 1.0
    assert (tmp_path / "out" / "evaluation.html").exists()


def test_an_unknown_model_is_a_failed_check(isocenter, tmp_path):
    (tmp_path / "data").mkdir()
    code, _, err = isocenter("evaluate", "no-such-model", "--data", tmp_path / "data", "--out", tmp_path / "out")
    assert code == 5 and len(err.strip().splitlines()) == 1
