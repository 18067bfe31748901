"""A small U-Net for one structure in a 2-D image, made for two CPU cores.

The stem halves the picture before anything costly happens and the logits are brought back by linear interpolation:
the boundary of a smooth structure lies between pixels anyway. The bottleneck looks far by dilation.

Source: Ronneberger, Fischer, Brox, "U-Net", MICCAI 2015 (the shape); Yu, Koltun, ICLR 2016 (dilation).
"""

import itertools
from collections.abc import Sequence

import torch
from torch import nn


class UNet(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """One structure in (N, inputs, rows, columns): its logits (N, 1, rows, columns) and pooled features (N, d).

    widths      channels at 1/2, 1/4, 1/8 … of the input; rows and columns must be multiples of 2 ** len(widths)
    dropout     share of bottleneck channels dropped in training
    """

    def __init__(self, *, inputs: int = 1, widths: Sequence[int] = (16, 32, 64, 96, 96), dropout: float = 0.1) -> None:
        super().__init__()
        self.stem = _conv_block(inputs, widths[0], kernel=5, stride=2)
        self.encoder = nn.ModuleList(
            nn.Sequential(_conv_block(below, here), _conv_block(here, here))
            for below, here in zip((widths[0], *widths[:-1]), widths, strict=True)
        )
        deepest = widths[-1]
        self.bottleneck = nn.Sequential(
            _conv_block(deepest, deepest), _conv_block(deepest, deepest, dilation=2), nn.Dropout2d(dropout)
        )
        self.decoder = nn.ModuleList(
            nn.Sequential(_conv_block(here + below, here), _conv_block(here, here))
            for here, below in itertools.pairwise(widths)
        )
        self.head = nn.Conv2d(widths[0], 1, kernel_size=1)

    @property
    def stride(self) -> int:
        """Rows and columns of the input must be multiples of this."""
        return int(2 ** len(self.encoder))

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of the structure, and the mean of the bottleneck's maps."""
        x = self.stem(x)
        skips = []
        for index, block in enumerate(self.encoder):
            x = block(nn.functional.max_pool2d(x, 2) if index else x)
            skips.append(x)
        x = self.bottleneck(x)
        features = x.mean(dim=(2, 3))
        for index in range(len(self.decoder) - 1, -1, -1):
            x = self.decoder[index](torch.cat([_double(x), skips[index]], dim=1))
        return {"logits": _double(self.head(x)), "features": features}


class Coarse(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A segmenter that sees the picture smaller, as it has learned it; its logits come back at the picture's size."""

    def __init__(self, member: nn.Module, size: tuple[int, int]) -> None:
        super().__init__()
        self.member = member
        self.size = size

    @property
    def stride(self) -> int:
        """Rows and columns of the input may be what they like."""
        return 1

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """The member's logits at the size of x, and its features."""
        resize = nn.functional.interpolate
        seen = self.member(resize(x, size=self.size, mode="bilinear", align_corners=False))
        return {**seen, "logits": resize(seen["logits"], size=x.shape[2:], mode="bilinear", align_corners=False)}


class MaskCommittee(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """Several segmenters as one: logits averaged, also with the mirror image if wished.

    The features are the first member's alone: the pictures that it has not learned from can then say what a picture
    that nobody has seen looks like.
    """

    def __init__(self, members: Sequence[nn.Module], *, mirror: bool = False) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.mirror = mirror

    @property
    def stride(self) -> int:
        """Rows and columns of the input must be multiples of this."""
        return max(int(member.stride) for member in self.members)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """The averaged logits, and the first member's features."""
        seen = [member(x) for member in self.members]
        logits = [each["logits"] for each in seen]
        if self.mirror:
            logits += [member(x.flip(3))["logits"].flip(3) for member in self.members]
        return {"logits": torch.stack(logits).mean(dim=0), "features": seen[0]["features"]}


def _conv_block(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _double(x: torch.Tensor) -> torch.Tensor:
    """Twice the rows and columns, linear."""
    return nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
