"""A model is opened once; another run time steps in where the first is missing; what ships keeps its tolerance."""

import builtins
import sys
from dataclasses import replace

import numpy as np
import pytest

from isocenter.core.errors import InputError
from isocenter.core.finding import ModelRef
from isocenter.zoo.cards import array_member
from isocenter.zoo.index import list_models
from isocenter.zoo.package import read_package_bytes
from isocenter.zoo.predict import FunctionPredictor, Model, Models, load_model, load_predictor, probabilities

RNG = np.random.default_rng(0)


def test_onnx_runtime_steps_in_where_openvino_is_missing(monkeypatch, bench):
    package = read_package_bytes(bench.bytes(), trusted=bench.trusted)
    real = builtins.__import__

    def without(name, *rest):
        if name == "openvino":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.delitem(sys.modules, "openvino", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    model = load_model(package)
    assert model.predictor.runtime.startswith("onnxruntime ")
    assert model.notes == ("openvino-unavailable: ImportError",)


def test_an_unknown_run_time_is_refused(bench):
    package = read_package_bytes(bench.bytes(), trusted=bench.trusted)
    with pytest.raises(InputError, match="openvino"):
        load_predictor(package, runtime="torch")


def test_a_model_is_opened_once_and_named_in_provenance(home, bench, tmp_path):
    path = bench.save(tmp_path / "weights")
    models = Models(home, built_in=tmp_path / "weights")
    assert models.runtime == models.precision == ""
    assert models.ref("tiny").version == models.card("tiny").version == "1.0.0"
    path.unlink()
    model = models.get("tiny")
    assert models.get("tiny") is model
    assert model.ref == models.ref("tiny") and model.ref.digest.startswith("sha256:")
    assert models.runtime.startswith("openvino ") and models.precision == "f32" and models.notes == ()


def test_a_refused_newer_package_is_noted(home, bench, tmp_path):
    bench.save(tmp_path / "weights")
    newer = bench.save(tmp_path / "weights", version="2.0.0")
    newer.write_bytes(newer.read_bytes()[:-1])
    models = Models(home, built_in=tmp_path / "weights")
    assert models.get("tiny").ref.version == "1.0.0"
    assert len(models.notes) == 1 and "tiny-2.0.0" in models.notes[0]


def test_given_models_stand_before_those_on_disk(card):
    given = Model(card, FunctionPredictor(lambda b: {"logits": b}), ModelRef("tiny", "1.0.0", "sha256:0"))
    assert Models(given={"tiny": given}).get("tiny") is given


def test_arrays_of_the_card_come_from_the_package(bench, card):
    mean, mean_bytes = array_member("ood-mean.f32", np.ones((3, 8)))
    table = {"method": "mahalanobis", "mean": mean, "whitening": np.eye(8).tolist(), "limit": 4.0}
    data = bench.bytes(ood=table, files={"ood-mean.f32": mean_bytes})
    model = load_model(read_package_bytes(data, trusted=bench.trusted))
    np.testing.assert_array_equal(model.card.ood["mean"], np.ones((3, 8)))


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_every_shipped_model_keeps_its_tolerance_across_run_times(runtime):
    """The shipped precision on OpenVINO against plain float32 on ONNX Runtime, on noise of the input's shape."""
    for entry in list_models():
        package = entry.package
        shape = [n or 8 * package.card.stride for n in package.card.input_shape]
        batch = RNG.random((2, *shape)).astype(np.float32)
        plain = replace(package, card=replace(package.card, precision="f32"))
        expected = load_predictor(plain, runtime="onnxruntime").run(batch)
        got = load_predictor(package, runtime=runtime).run(batch)
        if "logits" in got:
            change = np.abs(probabilities(package.card, got) - probabilities(package.card, expected))
            assert change.max() <= package.card.tolerance, (package.card.name, runtime)
