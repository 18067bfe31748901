"""Each shipped model, and two common networks, against the same network in torch: its default and its best setting.

The networks take turns of a few calls and each one's fastest is compared: what else runs on the machine then disturbs
least, and a turn outlives the threads of the last one, which go on waiting busily for a while. torch's best on a CPU
is bfloat16 autocast with channels_last. A shipped model runs as its card says; the common networks (random weights,
only their speed counts) in float32, bfloat16 and int8. `--threads 1` for a machine whose other core is busy. Needs the
dev and train extras.
"""

import copy
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from isocenter.learning.compress import quantise_onnx
from isocenter.learning.config import read_config
from isocenter.learning.export import export_onnx
from isocenter.learning.networks.build import build_network
from isocenter.learning.networks.classifier import Committee
from isocenter.learning.networks.unet import MaskCommittee
from isocenter.zoo.index import list_models
from isocenter.zoo.package import MODEL, Package
from isocenter.zoo.predict import load_predictor
from isocenter.zoo.runtimes import OpenVinoPredictor

THREADS = int(sys.argv[sys.argv.index("--threads") + 1]) if "--threads" in sys.argv else 2
ROUNDS = 8
CALLS = 6  # of a turn; torch's threads spin for some milliseconds after each of theirs
RECIPES = Path(__file__).resolve().parent.parent / "src" / "isocenter" / "learning" / "recipes"
Row = dict[str, object]


def fastest_ms(calls: dict[str, Callable[[], object]], rounds: int = ROUNDS) -> dict[str, float]:
    """Fewest milliseconds of a call, the calls taking turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            for _ in range(CALLS):
                start = time.perf_counter()
                call()
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: min(values) for name, values in times.items()}


def torch_calls(network: nn.Module, batch: np.ndarray) -> dict[str, Callable[[], object]]:
    """torch as it comes, and torch at its best on this processor."""
    network = network.eval()
    plain = torch.from_numpy(batch)
    layout = torch.channels_last if batch.ndim == 4 else torch.channels_last_3d
    laid, fast = plain.to(memory_format=layout), copy.deepcopy(network).to(memory_format=layout)

    def default() -> object:
        with torch.inference_mode():
            return network(plain)

    def fastest() -> object:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            return fast(laid)

    return {"torch default": default, "torch best": fastest}


def rows_of(name: str, ours: dict[str, Callable[[], object]], peers: dict[str, Callable[[], object]]) -> list[Row]:
    """Every one of ours against every peer."""
    found = fastest_ms({**ours, **peers})
    return [
        {"name": f"{name}, {mine} against {peer}", "ours": found[mine], "peer": found[peer],
         "ratio": found[peer] / found[mine], "unit": "ms"}
        for mine in ours for peer in peers
    ]  # fmt: skip


def in_torch(package: Package) -> nn.Module:
    """The network that the package was exported from, by its task's recipe; as many members as the graph holds.

    Weights are random: they do not change how long it takes.
    """
    config = read_config(RECIPES / f"{package.card.task}.toml")
    single = build_network(config.network)
    examples = np.zeros((2, *package.card.input_shape), dtype=np.float32)
    alone = export_onnx(single.eval(), examples, outputs=tuple(package.card.outputs))
    n_members = max(1, round(n_convolutions(package.files[MODEL]) / n_convolutions(alone)))
    if n_members == 1:
        return single
    members = [build_network(config.network) for _ in range(n_members)]
    return MaskCommittee(members) if config.kind == "segmentation" else Committee(members, mirror=False)


def n_convolutions(onnx_bytes: bytes) -> int:
    return sum(node.op_type == "Conv" for node in onnx.load_model_from_string(onnx_bytes).graph.node)


def shipped() -> list[Row]:
    """Every package in the repository."""
    rows: list[Row] = []
    for entry in list_models():
        if entry.package is None or not (RECIPES / f"{entry.package.card.task}.toml").exists():
            continue
        package = entry.package
        predictor = load_predictor(package, threads=THREADS)
        batch = np.random.default_rng(0).random((1, *package.card.input_shape)).astype(np.float32)
        ours = {f"ours ({predictor.precision})": lambda p=predictor, b=batch: p.run(b)}
        rows += rows_of(f"{package.card.name} {package.card.version}", ours, torch_calls(in_torch(package), batch))
    return rows


def common() -> list[Row]:
    """A ResNet-18 at 224 px and a U-Net at 512 px."""
    networks = {
        "ResNet-18, 224 px": (build_network({"name": "classifier", "classes": 3, "widths": [64, 128, 256, 512]}), 224),
        "U-Net, 512 px": (build_network({"name": "unet", "widths": [32, 64, 128, 256, 256]}), 512),
    }
    rows: list[Row] = []
    for name, (network, edge) in networks.items():
        rng = np.random.default_rng(0)
        batch = rng.normal(size=(1, 1, edge, edge)).astype(np.float32)
        graph = export_onnx(network.eval(), np.repeat(batch, 2, axis=0), outputs=("logits", "features"))
        small = quantise_onnx(graph, [rng.normal(size=batch.shape).astype(np.float32) for _ in range(8)])
        predictors = {
            "f32": OpenVinoPredictor(graph, threads=THREADS),
            "bf16": OpenVinoPredictor(graph, precision="bf16", threads=THREADS),
            "int8": OpenVinoPredictor(small, precision="int8", threads=THREADS),
        }
        ours = {f"ours ({key})": lambda p=p, b=batch: p.run(b) for key, p in predictors.items()}
        rows += rows_of(name, ours, torch_calls(network, batch))
    return rows


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    print(json.dumps(shipped() + common(), indent=1))


if __name__ == "__main__":
    main()
