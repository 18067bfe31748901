"""A compressed graph answers like the graph it was made from, and holds nothing of the machine that made it."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from isocenter.core.errors import InputError
from isocenter.learning.compress import quantise_onnx, quantise_weights, strip_onnx
from isocenter.zoo.graph import check_graph
from isocenter.zoo.runtimes import OnnxRuntimePredictor, OpenVinoPredictor


def convnet() -> bytes:
    """Two convolutions with a rectifier, global pooling and a linear layer; random weights, fixed seed."""
    rng = np.random.default_rng(0)
    shapes = {"w1": (16, 1, 3, 3), "b1": (16,), "w2": (32, 16, 3, 3), "b2": (32,), "w3": (32, 3), "b3": (3,)}
    weights = [
        numpy_helper.from_array((rng.normal(size=s) / np.sqrt(np.prod(s[1:]) + 1)).astype(np.float32), name)
        for name, s in shapes.items()
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1] * 4, doc_string="/somewhere/train.py"),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], pads=[1] * 4, strides=[2, 2]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["p"]),
        helper.make_node("Flatten", ["p"], ["features"]),
        helper.make_node("Gemm", ["features", "w3", "b3"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "convnet",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1, 32, 32])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 32]),
        ],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="p")
    helper.set_model_props(model, {"path": "/somewhere"})
    return model.SerializeToString()


def batches(n=8):
    rng = np.random.default_rng(1)
    return [rng.normal(size=(2, 1, 32, 32)).astype(np.float32) for _ in range(n)]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("runtime", [OpenVinoPredictor, OnnxRuntimePredictor])
def test_int8_answers_like_float(runtime):
    original = convnet()
    small = quantise_onnx(original, batches())
    facts = check_graph(small)
    assert {"QuantizeLinear", "DequantizeLinear"} <= facts.operators
    assert set(facts.outputs) == {"logits", "features"}
    x = batches(3)[2]
    expected, got = runtime(original).run(x)["logits"], runtime(small, precision="int8").run(x)["logits"]
    assert np.abs(got - expected).max() < 0.03 * np.abs(expected).max()


def test_nothing_of_the_machine_stays_in_the_graph():
    original = convnet()
    assert b"/somewhere" in original
    stripped = strip_onnx(original)
    assert b"/somewhere" not in stripped
    x = batches(1)[0]
    np.testing.assert_array_equal(
        OnnxRuntimePredictor(stripped).run(x)["logits"], OnnxRuntimePredictor(original).run(x)["logits"]
    )
    assert strip_onnx(stripped) == stripped


def test_no_batches_no_calibration():
    with pytest.raises(InputError, match="batches"):
        quantise_onnx(convnet(), [])


@pytest.mark.parametrize("runtime", [OpenVinoPredictor, OnnxRuntimePredictor])
def test_weights_in_8_bits_answer_nearly_as_before(runtime):
    original = convnet()
    small = quantise_weights(original)
    assert len(small) < 0.75 * len(original)
    assert check_graph(small).operators >= {"Conv", "DequantizeLinear"}
    x = batches(1)[0]
    before, after = (runtime(graph, precision="f32").run(x)["logits"] for graph in (original, small))
    assert 0 < np.abs(before - after).max() < 0.02 * np.abs(before).max()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_is_compressed_already_is_not_calibrated():
    with pytest.raises(InputError, match="as exported"):
        quantise_onnx(quantise_weights(convnet()), batches())
