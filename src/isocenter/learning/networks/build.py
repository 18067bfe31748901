"""Networks by name."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

import torch
from torch import nn

from isocenter.core.errors import InputError

# name: "module:class"; each class takes keyword options only
NETWORKS: Final = {
    "unet": "isocenter.learning.networks.unet:UNet",
    "classifier": "isocenter.learning.networks.classifier:Classifier",
}


def build_network(description: Mapping[str, object]) -> nn.Module:
    """The network that {"name": …, options} describes, freshly initialised from torch's random state."""
    options = {key: value for key, value in description.items() if key != "name"}
    name = description.get("name")
    if name not in NETWORKS:
        raise InputError(f"network: expected one of {sorted(NETWORKS)}, got {name!r}")
    module, _, attribute = NETWORKS[str(name)].partition(":")
    try:
        network = getattr(import_module(module), attribute)(**options)
    except TypeError as error:
        raise InputError(f"network {name}: expected its own options only, got: {error}") from error
    if not isinstance(network, nn.Module):
        raise InputError(f"network {name}: expected a torch module, got {type(network).__name__}")
    return network


def load_trunk(network: nn.Module, path: Path) -> None:
    """Copy a file's weights into the network; only its head may be missing there and stays as it is."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    missing, unexpected = network.load_state_dict(state, strict=False)
    if unexpected or any(not name.startswith("head.") for name in missing):
        raise InputError(f"start: expected the trunk of this network, got {sorted(unexpected)[:3]} {missing[:3]}")
