import pytest
import torch

from isocenter.core.errors import InputError
from isocenter.learning.networks.build import build_network, load_trunk


def test_a_network_comes_by_name_and_the_seed_decides_its_weights():
    description = {"name": "unet", "widths": [4, 8]}
    torch.manual_seed(3)
    first = build_network(description)
    torch.manual_seed(3)
    again = build_network(description)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("description", [{"name": "oracle"}, {"name": "unet", "depth": 9}, {}])
def test_unknown_networks_and_options_are_refused(description):
    with pytest.raises(InputError, match="network"):
        build_network(description)


def test_a_trunk_of_another_shape_is_refused(tmp_path):
    torch.save({"stranger": torch.zeros(3)}, tmp_path / "start.pt")
    with pytest.raises(InputError, match="trunk"):
        load_trunk(build_network({"name": "unet", "widths": [4, 8]}), tmp_path / "start.pt")
