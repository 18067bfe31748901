"""A trained network as an ONNX graph that gives the same numbers, checked before it is handed out."""

import io
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from isocenter.core.errors import PackageError
from isocenter.learning.compress import strip_onnx
from isocenter.learning.fit import predict_outputs

OPSET = 18
PARITY = 1e-4


def export_onnx(network: nn.Module, examples: np.ndarray, *, outputs: Sequence[str] = ("logits", "features")) -> bytes:
    """The network as ONNX bytes, input "image" (N, …), any N.

    examples   prepared images (n, channels, rows, columns), n >= 2; on them graph and network must agree
    outputs    names of the network's outputs to export, in this order

    Raises PackageError where an output differs by 1e-4 or more.
    """
    network = network.eval().cpu()
    wrapped = _Ordered(network, outputs).eval()
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter needs a package more; this one says of itself that it is old.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            wrapped, (torch.from_numpy(examples[:1]),), stream, input_names=["image"], output_names=list(outputs),
            dynamic_axes={name: {0: "n"} for name in ("image", *outputs)}, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    graph = strip_onnx(stream.getvalue())
    worst = parity(network, graph, examples)
    if not worst < PARITY:
        raise PackageError(f"export: expected the graph within {PARITY} of the network, got {worst:.2e}")
    return graph


def parity(network: nn.Module, graph: bytes, examples: np.ndarray) -> float:
    """Largest difference between network and graph over all outputs of the graph, run by ONNX Runtime."""
    here = run_onnx(graph, examples)
    there = predict_outputs(network, examples)
    return max(float(np.abs(here[name] - there[name]).max()) for name in here)


def run_onnx(graph: bytes, images: np.ndarray, batch: int = 8) -> dict[str, np.ndarray]:
    """All outputs of a graph by ONNX Runtime, by name."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    entry = session.get_inputs()[0].name
    parts = [session.run(names, {entry: images[first : first + batch]}) for first in range(0, len(images), batch)]
    return {name: np.concatenate([part[index] for part in parts]) for index, name in enumerate(names)}


class _Ordered(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A network whose outputs come as a tuple in a given order, as the exporter wants them."""

    def __init__(self, network: nn.Module, outputs: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.outputs = tuple(outputs)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The outputs in order."""
        given = self.network(x)
        return tuple(given[name] for name in self.outputs)
