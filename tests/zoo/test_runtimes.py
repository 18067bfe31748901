"""One contract that every predictor inherits: same card, same answer; our errors, not the run time's."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from isocenter.core.errors import InputError, PackageError
from isocenter.zoo.calibrate import probabilities
from isocenter.zoo.runtimes import FunctionPredictor, OnnxRuntimePredictor, OpenVinoPredictor

RNG = np.random.default_rng(0)


def reference(onnx_bytes):
    """The small network written in numpy."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load_model_from_string(onnx_bytes).graph
    w = {tensor.name: numpy_helper.to_array(tensor).astype(np.float64) for tensor in graph.initializer}

    def run(batch):
        padded = np.pad(batch.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
        maps = np.maximum(np.einsum("ncrsij,dcij->ndrs", windows, w["w1"]) + w["b1"][:, None, None], 0)
        features = maps.mean(axis=(2, 3))
        return {"logits": features @ w["w2"] + w["b2"], "features": features, "maps": maps}

    return run


KINDS = {
    "openvino": lambda data: OpenVinoPredictor(data),
    "openvino-bf16": lambda data: OpenVinoPredictor(data, precision="bf16"),
    "onnxruntime": lambda data: OnnxRuntimePredictor(data),
    "function": lambda data: FunctionPredictor(reference(data)),
}


@pytest.fixture(params=KINDS)
def predictor(request, onnx_bytes):
    return KINDS[request.param](onnx_bytes)


class TestContract:
    """What every predictor keeps."""

    def test_the_same_card_gives_the_same_probabilities_within_its_tolerance(self, predictor, onnx_bytes, card):
        batch = RNG.normal(size=(3, 1, 16, 16)).astype(np.float32)
        outputs, expected = predictor.run(batch), reference(onnx_bytes)(batch)
        assert set(outputs) == set(expected)
        assert all(out.dtype == np.float32 and out.shape == expected[name].shape for name, out in outputs.items())
        assert np.abs(probabilities(card, outputs) - probabilities(card, expected)).max() < card.tolerance
        if predictor.precision == "f32":
            np.testing.assert_allclose(outputs["logits"], expected["logits"], atol=1e-4)

    def test_a_batch_is_its_images_one_by_one(self, predictor):
        batch = RNG.normal(size=(4, 1, 16, 16)).astype(np.float32)
        singly = np.concatenate([predictor.run(batch[i : i + 1])["logits"] for i in range(4)])
        np.testing.assert_allclose(predictor.run(batch)["logits"], singly, atol=1e-2)

    def test_shapes_may_change_from_call_to_call_and_answers_stay(self, predictor):
        first = predictor.run(np.ones((1, 1, 16, 16), np.float32))["logits"]
        kept = first.copy()
        predictor.run(np.zeros((2, 1, 20, 12), np.float32))
        np.testing.assert_array_equal(first, kept)
        np.testing.assert_array_equal(predictor.run(np.ones((1, 1, 16, 16), np.float32))["logits"], kept)

    def test_the_input_stays_as_it_was_whatever_its_layout(self, predictor):
        batch = np.asfortranarray(RNG.normal(size=(2, 1, 16, 16)))
        before = batch.copy()
        again = predictor.run(np.ascontiguousarray(batch, dtype=np.float32))["logits"]
        np.testing.assert_array_equal(predictor.run(batch)["logits"], again)
        np.testing.assert_array_equal(batch, before)

    def test_nothing_that_is_not_a_number_gets_in(self, predictor):
        for bad in (np.nan, np.inf):
            with pytest.raises(InputError, match="finite"):
                predictor.run(np.full((1, 1, 16, 16), bad, np.float32))
        with pytest.raises(InputError, match="batch"):
            predictor.run(np.zeros(16, np.float32))

    def test_it_names_its_run_time_and_precision(self, predictor):
        assert predictor.runtime and predictor.precision in ("f32", "bf16", "int8") and predictor.notes == ()


@pytest.mark.parametrize("kind", [OpenVinoPredictor, OnnxRuntimePredictor])
def test_a_wrong_shape_is_our_error(kind, onnx_bytes):
    with pytest.raises(InputError, match="shape"):
        kind(onnx_bytes).run(np.zeros((1, 2, 16, 16), np.float32))
    with pytest.raises(InputError, match="shape"):
        kind(onnx_bytes).run(np.zeros((1, 1, 16), np.float32))


@pytest.mark.parametrize("kind", [OpenVinoPredictor, OnnxRuntimePredictor])
def test_bytes_that_are_no_graph_are_our_error(kind):
    with pytest.raises(PackageError):
        kind(b"no graph")


def test_threads_call_one_predictor_together(onnx_bytes):
    predictor = OpenVinoPredictor(onnx_bytes)
    batches = [RNG.normal(size=(1, 1, 16, 16)).astype(np.float32) for _ in range(40)]
    alone = [predictor.run(batch)["logits"] for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: predictor.run(batch)["logits"], batches))
    np.testing.assert_array_equal(alone, together)
