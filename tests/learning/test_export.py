import numpy as np
import pytest
import torch
from torch import nn

from isocenter.core.errors import PackageError
from isocenter.learning.export import PARITY, export_onnx, parity, run_onnx
from isocenter.learning.networks.classifier import Classifier
from isocenter.learning.networks.unet import MaskCommittee, UNet
from isocenter.zoo.graph import check_graph


@pytest.mark.parametrize("kind", ["committee", "classifier"])
def test_the_graph_gives_the_networks_numbers(kind):
    torch.manual_seed(0)
    if kind == "committee":
        network = MaskCommittee([UNet(widths=[4, 8]), UNet(widths=[4, 8])], mirror=True)
    else:
        network = Classifier(classes=3, widths=(4, 8))
    images = np.random.default_rng(0).standard_normal((3, 1, 32, 48), dtype=np.float32)
    graph = export_onnx(network, images)
    assert parity(network, graph, images) < PARITY
    outputs = run_onnx(graph, images, batch=2)
    assert set(outputs) == {"logits", "features"} and outputs["logits"].shape[0] == 3
    facts = check_graph(graph)
    assert facts.inputs == ("image",) and facts.outputs == ("logits", "features")


class _Fickle(nn.Module):
    """Gives other numbers while it is exported than afterwards."""

    def forward(self, x):
        flat = x.mean(dim=(2, 3))
        return {"logits": flat + (1.0 if torch.onnx.is_in_onnx_export() else 0.0), "features": flat}


def test_a_graph_that_differs_is_not_handed_out():
    with pytest.raises(PackageError, match="export: expected the graph within"):
        export_onnx(_Fickle(), np.ones((2, 1, 4, 4), dtype=np.float32))
