"""A small network, its card, a key that signs and the package of all three."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper, numpy_helper

from isocenter.core.card import ModelCard, OperatingPoint, Performance, PrepareStep
from isocenter.zoo.keys import key_id
from isocenter.zoo.package import pack, package_file_name


def tiny_onnx(seed: int = 0) -> bytes:
    """A 3x3 convolution with a rectifier, pooled, and a linear layer: "logits", "features", "maps"."""
    rng = np.random.default_rng(seed)
    shapes = {"w1": (8, 1, 3, 3), "b1": (8,), "w2": (8, 3), "b2": (3,)}
    weights = [numpy_helper.from_array(rng.normal(size=s).astype(np.float32), name) for name, s in shapes.items()]
    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c"], pads=[1] * 4),
        helper.make_node("Relu", ["c"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["p"]),
        helper.make_node("Flatten", ["p"], ["features"]),
        helper.make_node("Gemm", ["features", "w2", "b2"], ["logits"]),
    ]
    outputs = {"logits": ["n", 3], "features": ["n", 8], "maps": ["n", 8, "r", "c"]}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, "r", "c"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()


def tiny_card(**changes: object) -> ModelCard:
    """A complete card for the small network."""
    entries: dict[str, object] = {
        "name": "tiny",
        "version": "1.0.0",
        "task": "tiny-task",
        "kind": "classifier",
        "modality": "US",
        "body_part": "BREAST",
        "intended_use": 'Tests. 测试 "quoted" \\ and a\ttab.',
        "limits": ("not for patients",),
        "classes": ("benign", "malignant", "normal"),
        "input_shape": (1, 16, 16),
        "prepare": (
            PrepareStep("resize", {"size": [16, 16], "fit": "pad"}),
            PrepareStep("scale", {"low": 0.0, "high": 255.0}),
        ),
        "outputs": {"logits": "class logits", "features": "pooled features"},
        "licence": "Apache-2.0",
        "data": {"name": "none", "n": 3, "groups": {"train": 2, "odd key": 1}},
        "calibration": {"method": "temperature", "temperature": 1.5},
        "operating_points": (OperatingPoint("screen", "malignant", 0.2, {"sensitivity": (0.9, 0.8, 0.95)}),),
        "performance": (Performance("auc", 0.9, 0.85, 0.94, 100, "test"),),
        "ood": {"method": "max-probability", "limit": 0.6},
    }
    return ModelCard(**{**entries, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Bench:
    """A key, whom it makes trusted, and a way to make packages."""

    key: Ed25519PrivateKey

    @property
    def trusted(self):
        return {key_id(self.key.public_key()): self.key.public_key()}

    def bytes(self, *, seed: int = 0, files: dict[str, bytes] | None = None, **changes: object) -> bytes:
        return pack(tiny_card(**changes), files={"model.onnx": tiny_onnx(seed), **(files or {})}, private_key=self.key)

    def save(self, folder: Path, *, seed: int = 0, **changes: object) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / package_file_name(tiny_card(**changes))
        path.write_bytes(self.bytes(seed=seed, **changes))
        return path


@pytest.fixture(scope="session")
def bench() -> Bench:
    return Bench(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture(scope="session")
def onnx_bytes() -> bytes:
    return tiny_onnx()


@pytest.fixture
def card() -> ModelCard:
    return tiny_card()


@pytest.fixture(scope="session")
def make_card():
    return tiny_card


@pytest.fixture
def home(tmp_path: Path, bench: Bench) -> Path:
    """A home folder that trusts the tests' key."""
    from isocenter.zoo.keys import public_pem

    folder = tmp_path / "home" / "keys" / "trusted"
    folder.mkdir(parents=True)
    (folder / "tests.pub").write_bytes(public_pem(bench.key.public_key()))
    return tmp_path / "home"
