"""What training makes small."""

from collections.abc import Callable, Mapping
from typing import Final

import torch
from torch import nn

from isocenter.core.errors import InputError

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def dice_bce(logits: torch.Tensor, target: torch.Tensor, *, bce: float = 0.5, smooth: float = 1.0) -> torch.Tensor:
    """Soft Dice loss (per image, then mean) plus `bce` times the cross-entropy; soft targets welcome.

    logits   (N, 1, rows, columns); target the same shape, in [0, 1]

    Source: Milletari, Navab, Ahmadi, "V-Net", 3DV 2016 (squared denominator).
    """
    probability = torch.sigmoid(logits)
    overlap = (probability * target).sum(dim=(1, 2, 3))
    size = (probability.square() + target.square()).sum(dim=(1, 2, 3))
    dice = (2 * overlap + smooth) / (size + smooth)
    return (1 - dice).mean() + bce * nn.functional.binary_cross_entropy_with_logits(logits, target)


def cross_entropy(logits: torch.Tensor, target: torch.Tensor, *, smoothing: float = 0.0) -> torch.Tensor:
    """Cross-entropy with label smoothing; logits (N, classes), target class numbers (N,) or shares (N, classes)."""
    return nn.functional.cross_entropy(logits, target, label_smoothing=smoothing)


LOSSES: Final[Mapping[str, Callable[..., torch.Tensor]]] = {"dice_bce": dice_bce, "cross_entropy": cross_entropy}


def build_loss(description: Mapping[str, object]) -> Loss:
    """The loss that {"name": …, options} describes."""
    options = {key: value for key, value in description.items() if key != "name"}
    name = description.get("name")
    if name not in LOSSES:
        raise InputError(f"loss: expected one of {sorted(LOSSES)}, got {name!r}")
    function = LOSSES[str(name)]

    def loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return function(logits, target, **options)

    return loss
