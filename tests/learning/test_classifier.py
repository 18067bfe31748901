import numpy as np
import pytest

torch = pytest.importorskip("torch")

from isocenter.learning.export import export_onnx  # noqa: E402
from isocenter.learning.networks.classifier import Classifier, Committee  # noqa: E402


def small(seed: int = 0) -> Classifier:
    torch.manual_seed(seed)
    network = Classifier(classes=3, widths=(4, 6, 8))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # blocks that start as the identity would hide mistakes
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval()


def pictures(n: int = 2):
    return torch.from_numpy(np.random.default_rng(1).standard_normal((n, 1, 32, 40)).astype(np.float32))


def test_shapes_follow_the_card_conventions():
    seen = small()(pictures())
    assert seen["logits"].shape == (2, 3)
    assert seen["features"].shape == (2, 8)
    assert seen["cam"].shape == (2, 3, 4, 5)


def test_the_class_maps_average_to_the_logits():
    seen = small()(pictures())
    torch.testing.assert_close(seen["cam"].mean(dim=(2, 3)), seen["logits"], atol=1e-5, rtol=1e-5)


def test_a_committee_averages_logits_and_sees_the_mirror_image_alike():
    committee = Committee([small(0), small(1)]).eval()
    seen, turned = committee(pictures()), committee(pictures().flip(3))
    torch.testing.assert_close(seen["logits"], turned["logits"])
    torch.testing.assert_close(seen["cam"], turned["cam"].flip(3))
    assert seen["features"].shape == (2, 16)
    plain = Committee([small(0), small(1)], mirror=False).eval()(pictures())
    torch.testing.assert_close(plain["logits"], (small(0)(pictures())["logits"] + small(1)(pictures())["logits"]) / 2)


def test_the_exported_graph_gives_the_same_numbers():
    graph = export_onnx(Committee([small()]).eval(), pictures(3).numpy(), outputs=("logits", "features", "cam"))
    assert len(graph) > 1000
