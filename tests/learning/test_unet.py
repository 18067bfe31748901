import torch

from isocenter.learning.networks.unet import MaskCommittee, UNet


def test_logits_have_the_inputs_size_and_features_the_deepest_width():
    torch.manual_seed(0)
    network = UNet(widths=[4, 8, 12]).eval()
    assert network.stride == 8
    given = network(torch.zeros(2, 1, 32, 48))
    assert given["logits"].shape == (2, 1, 32, 48)
    assert given["features"].shape == (2, 12)


def test_every_weight_learns():
    network = UNet(widths=[4, 8], dropout=0.0)
    network(torch.randn(2, 1, 16, 16))["logits"].sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_committee_averages_and_a_mirrored_one_does_not_care_for_sides():
    torch.manual_seed(1)
    members = [UNet(widths=[4, 8]).eval() for _ in range(2)]
    image = torch.randn(1, 1, 16, 32)
    with torch.no_grad():
        plain, mirrored = MaskCommittee(members)(image), MaskCommittee(members, mirror=True)
        mean = (members[0](image)["logits"] + members[1](image)["logits"]) / 2
        assert torch.allclose(plain["logits"], mean, atol=1e-6)
        assert torch.equal(plain["features"], members[0](image)["features"])
        here, there = mirrored(image)["logits"], mirrored(image.flip(3))["logits"].flip(3)
        assert torch.allclose(here, there, atol=1e-5)
