"""A start from generated pictures: a classifier's trunk first learns to find and describe masses in phantoms.

Every step's random numbers come from (seed, step) alone and the state is saved now and then, so a run that was cut
off and resumed ends with the same weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from isocenter.core.errors import InputError
from isocenter.imaging.prepare import prepare
from isocenter.learning.augment import augment
from isocenter.learning.breast_phantoms import ATTRIBUTES, make_breast_phantom
from isocenter.learning.config import FitConfig, TrainConfig
from isocenter.learning.data import volume_of_picture
from isocenter.learning.fit import learning_rate
from isocenter.learning.networks.build import build_network

_SAVE_EVERY = 100
_MASK_STRIDE = 8


@dataclass(frozen=True, slots=True)
class StartConfig:
    """How the start is made: so many batches of phantoms of `size` pixels."""

    name: str
    steps: int
    batch: int = 24
    learning_rate: float = 2e-3
    size: int = 128


def with_start(config: TrainConfig, out: Path) -> TrainConfig:
    """The configuration with its start made (or gone on with) and named as a file of weights."""
    if not config.start or "weights" in config.start:
        return config
    start = StartConfig(**config.start)  # type: ignore[arg-type]
    if start.name != "breast-phantoms":
        raise InputError(f"config start: expected breast-phantoms, got {start.name!r}")
    final = out / "start.pt"
    if not final.exists():
        torch.set_num_threads(config.fit.threads)
        _learn(config, start, out)
    return replace(config, start={"weights": str(final)})


class _Describer(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A classifier's trunk with two heads: where a mass is, and its attributes."""

    def __init__(self, trunk: nn.Module, mask_width: int, width: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.where = nn.Conv2d(mask_width, 1, 1)
        self.what = nn.Linear(width, len(ATTRIBUTES) + 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = self.trunk.stages[:-1](self.trunk.stem(x))
        return self.where(maps).float(), self.what(self.trunk.stages[-1](maps).float().mean(dim=(2, 3)))


def _learn(config: TrainConfig, start: StartConfig, out: Path) -> None:
    """The loop: phantoms in, trunk weights out."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    trunk = build_network(config.network)
    widths = [stage[-1].body[-1].num_features for stage in trunk.stages]
    describer = _Describer(trunk, widths[-2], widths[-1]).to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(describer.parameters(), lr=start.learning_rate, weight_decay=0.02)
    schedule = FitConfig(epochs=100, learning_rate=start.learning_rate, warmup_epochs=4)
    first, checkpoint = 0, out / "start-checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        describer.load_state_dict(state["describer"])
        optimiser.load_state_dict(state["optimiser"])
        first = int(state["step"])
    for step in range(first, start.steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(schedule, step, start.steps)
        images, masks, attributes = _batch(config, start, step)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.fit.precision == "bf16"):
            where, what = describer(images.to(memory_format=torch.channels_last))
        loss = _loss(where, what.float(), masks, attributes)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(describer.parameters(), 2.0)
        optimiser.step()
        if (step + 1) % _SAVE_EVERY == 0:
            with (out / "start.jsonl").open("a", encoding="utf-8") as log:
                log.write(f'{{"step": {step + 1}, "loss": {float(loss.detach()):.4f}}}\n')
            state = {"step": step + 1, "describer": describer.state_dict(), "optimiser": optimiser.state_dict()}
            _save(state, checkpoint)
    _save({name: value for name, value in trunk.state_dict().items() if not name.startswith("head.")}, out / "start.pt")


def _loss(where: torch.Tensor, what: torch.Tensor, masks: torch.Tensor, attributes: torch.Tensor) -> torch.Tensor:
    """Where the masses are, whether there is one, whether it is irregular, and the other attributes by squares."""
    bce = nn.functional.binary_cross_entropy_with_logits
    has = attributes[:, 0]
    irregular = bce(what[:, -1], (attributes[:, 1] > 0.5).float(), reduction="none")
    squares = (what[:, 1:-1] - attributes[:, 1:]).square().mean(dim=1)
    return 2 * bce(where, masks) + bce(what[:, 0], has) + (has * irregular).mean() + 2 * (has * squares).mean()


def _batch(config: TrainConfig, start: StartConfig, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Prepared pictures, their masks at the stride of the mask head, their attributes."""
    rng = np.random.default_rng([config.seed, step, 97])
    phantoms = [make_breast_phantom(rng, start.size) for _ in range(start.batch)]
    light = tuple(each for each in config.augment if each.op not in ("affine", "flip", "speckle", "shadow"))
    images = [prepare(volume_of_picture(each.picture * 255), config.prepare).array for each in phantoms]
    images = [augment(image, None, light, rng)[0] for image in images]
    side = images[0].shape[-1] // _MASK_STRIDE
    masks = [cv2.resize(each.mask, (side, side), interpolation=cv2.INTER_AREA)[np.newaxis] for each in phantoms]
    return (
        torch.from_numpy(np.stack(images)),
        torch.from_numpy(np.stack(masks).astype(np.float32)),
        torch.from_numpy(np.stack([each.attributes for each in phantoms])),
    )


def _save(state: Mapping[str, object], path: Path) -> None:
    """Written whole or not at all."""
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)
