"""A small residual network for pictures of up to a few hundred pixels, made for two CPU cores.

The head is linear on the mean of the last maps, so the class maps (head applied at every place) average to the logits:
they are the exact share of every place in the answer, which is what the heat map shows.

Source: He, Zhang, Ren, Sun, CVPR 2016 (residual blocks); He et al., CVPR 2019 (mean-pooled short cuts);
Zhou, Khosla, Lapedriza, Oliva, Torralba, CVPR 2016 (class activation maps).
"""

from collections.abc import Sequence

import torch
from torch import nn


class Classifier(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """(N, inputs, rows, columns) -> logits (N, classes), features (N, d), cam (N, classes, h, w).

    widths      channels of the stages; each stage after the first halves rows and columns, the stem too
    dropout     share of pooled features dropped in training
    """

    def __init__(
        self, *, classes: int, inputs: int = 1, widths: Sequence[int] = (24, 48, 96, 192), dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(inputs, widths[0], 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        below = (widths[0], *widths[:-1])
        self.stages = nn.Sequential(
            *(
                nn.Sequential(_Block(before, here, stride=2 if index else 1), _Block(here, here, stride=1))
                for index, (before, here) in enumerate(zip(below, widths, strict=True))
            )
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Class logits, pooled features, and the maps whose mean the logits are."""
        maps = self.stages(self.stem(x))
        features = maps.mean(dim=(2, 3))
        logits = self.head(self.dropout(features))
        if self.training:
            return {"logits": logits}
        cam = nn.functional.conv2d(maps, self.head.weight[:, :, None, None].to(maps.dtype), self.head.bias)
        return {"logits": logits, "features": features, "cam": cam}


class Committee(nn.Module):  # type: ignore[misc]
    """Several classifiers as one: logits and maps averaged, with the picture's mirror image; features side by side.

    The mirror image is seen by the same weights, and its maps are turned back before they are averaged.
    """

    def __init__(self, members: Sequence[nn.Module], *, mirror: bool = True) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.mirror = mirror

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """The averaged outputs."""
        seen = [member(x) for member in self.members]
        turned = [member(x.flip(3)) for member in self.members] if self.mirror else []
        logits = torch.stack([each["logits"] for each in seen + turned]).mean(dim=0)
        cam = torch.stack([each["cam"] for each in seen] + [each["cam"].flip(3) for each in turned]).mean(dim=0)
        features = torch.cat([each["features"] for each in seen], dim=1)
        if turned:
            features = (features + torch.cat([each["features"] for each in turned], dim=1)) / 2
        return {"logits": logits, "features": features, "cam": cam}


class _Block(nn.Module):  # type: ignore[misc]
    """Two convolutions beside a short cut; the second normalisation starts at zero, so the block starts as identity."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        nn.init.zeros_(self.body[-1].weight)
        shortcut: list[nn.Module] = [nn.AvgPool2d(stride)] if stride > 1 else []
        if stride > 1 or inputs != outputs:
            shortcut += [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.shortcut = nn.Sequential(*shortcut)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The block's output, rectified."""
        return nn.functional.relu(self.body(x) + self.shortcut(x))
