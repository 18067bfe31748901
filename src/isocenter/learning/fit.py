"""The training loop: one, visible, resumable.

Every epoch's random numbers come from (seed, epoch) alone and the state is saved after every epoch, so a run that
was cut off and resumed ends with the same weights as one that was not.
"""

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from isocenter.learning.augment import augment
from isocenter.learning.config import FitConfig, TrainConfig
from isocenter.learning.data import Arrays
from isocenter.learning.losses import build_loss
from isocenter.learning.networks.build import build_network, load_trunk

Scores = Callable[[np.ndarray, np.ndarray], Mapping[str, float]]


@dataclass(slots=True)
class _Progress:
    """What a checkpoint holds."""

    network: nn.Module
    average: nn.Module
    optimiser: torch.optim.Optimizer
    epoch: int = 0
    step: int = 0


def fit(
    config: TrainConfig, train: Arrays, validation: Arrays, *, out: Path, scores: Scores, resume: bool = False
) -> nn.Module:
    """The trained network (its running average), also written to `out/weights.pt`.

    scores   metrics of the validation part from (logits, targets), written per epoch to `out/metrics.jsonl`
    resume   go on from `out/checkpoint.pt` where there is one
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(config.fit.threads)
    device = config.fit.device
    progress = _start(config, device)
    if resume and (out / "checkpoint.pt").exists():
        _load(progress, out / "checkpoint.pt")
    elif (out / "metrics.jsonl").exists():
        (out / "metrics.jsonl").unlink()
    loss_of = build_loss(config.loss)
    n_steps = config.fit.epochs * _steps_per_epoch(len(train), config.fit.batch)
    while progress.epoch < config.fit.epochs:
        started = time.perf_counter()
        torch.manual_seed(config.seed * 100_003 + progress.epoch)
        progress.network.train()
        losses = []
        for images, targets in batches(train, config, epoch=progress.epoch):
            rate = learning_rate(config.fit, progress.step, n_steps)
            for group in progress.optimiser.param_groups:
                group["lr"] = rate
            with torch.autocast(device, torch.bfloat16, enabled=config.fit.precision == "bf16"):
                logits = progress.network(_to_device(images, device))["logits"]
            loss = loss_of(logits.float(), torch.from_numpy(targets).to(device))
            progress.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(progress.network.parameters(), config.fit.clip_norm)
            progress.optimiser.step()
            progress.step += 1
            _average_into(progress.average, progress.network, config.fit.ema, progress.step)
            losses.append(float(loss.detach()))
        progress.epoch += 1
        record: dict[str, object] = {"epoch": progress.epoch, "loss": float(np.mean(losses)), "learning_rate": rate}
        if len(validation) and (progress.epoch % config.fit.evaluate_every == 0 or progress.epoch == config.fit.epochs):
            logits_np = predict_logits(progress.average, validation.images, config.fit.batch, device=device)
            record |= scores(logits_np, validation.targets)
        _write(progress, record | {"elapsed_s": round(time.perf_counter() - started, 2)}, out)
    _save(progress.average.state_dict(), out / "weights.pt")
    return progress.average.eval()


def batches(train: Arrays, config: TrainConfig, *, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One epoch of augmented batches; the same for the same seed and epoch. The last, smaller batch is left out."""
    rng = np.random.default_rng([config.seed, epoch])
    order = rng.permutation(len(train))
    if config.fit.classes_balanced:
        counts = np.bincount(train.targets)
        weights = 1.0 / counts[train.targets]
        order = rng.choice(len(train), size=len(train), p=weights / weights.sum())
    size = min(config.fit.batch, len(train))
    has_masks = train.targets.ndim == 4
    for first in range(0, len(train) - size + 1, size):
        pairs = []
        for index in order[first : first + size]:
            rng_one = np.random.default_rng([config.seed, epoch, first, int(index)])
            mask = train.targets[index] if has_masks else None
            pairs.append(augment(train.images[index], mask, config.augment, rng_one))
        images = np.stack([image for image, _ in pairs])
        if has_masks:
            yield images, np.stack([mask for _, mask in pairs if mask is not None])
        elif config.fit.mix > 0:
            yield _mix(images, train.targets[order[first : first + size]], int(train.targets.max()) + 1, config, rng)
        else:
            yield images, train.targets[order[first : first + size]]


def _mix(
    images: np.ndarray, targets: np.ndarray, n_classes: int, config: TrainConfig, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and classes mixed with those of another one of the batch, in three of five batches.

    Source: Zhang, Cisse, Dauphin, Lopez-Paz, "mixup", ICLR 2018.
    """
    shares = np.eye(n_classes, dtype=np.float32)[targets]
    if rng.random() > 0.6:
        return images, shares
    share = np.float32(rng.beta(config.fit.mix, config.fit.mix))
    other = rng.permutation(len(images))
    return share * images + (1 - share) * images[other], share * shares + (1 - share) * shares[other]


def learning_rate(fit_config: FitConfig, step: int, n_steps: int) -> float:
    """Linear warm-up, then half a cosine down to 1 % (Loshchilov, Hutter, ICLR 2017)."""
    warmup = max(1.0, fit_config.warmup_epochs * n_steps / fit_config.epochs)
    if step < warmup:
        return fit_config.learning_rate * (step + 1) / warmup
    share = (step - warmup) / max(1.0, n_steps - warmup)
    return fit_config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * share))))


def predict_logits(network: nn.Module, images: np.ndarray, batch: int = 16, *, device: str = "cpu") -> np.ndarray:
    """Logits of all images, float32, without gradients and in full precision."""
    return predict_outputs(network, images, batch, device=device)["logits"]


def predict_outputs(
    network: nn.Module, images: np.ndarray, batch: int = 16, *, device: str = "cpu"
) -> dict[str, np.ndarray]:
    """All outputs of all images, float32, without gradients and in full precision."""
    network.eval()
    parts: dict[str, list[np.ndarray]] = {}
    with torch.inference_mode():
        for first in range(0, len(images), batch):
            for name, value in network(_to_device(images[first : first + batch], device)).items():
                parts.setdefault(name, []).append(value.float().cpu().numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}


def load_network(config: TrainConfig, weights: Path) -> nn.Module:
    """A trained network from its run; tensors only, nothing is executed from the file."""
    network = build_network(config.network)
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return network.eval()


def _start(config: TrainConfig, device: str) -> _Progress:
    """A fresh network, its average and its optimiser."""
    torch.manual_seed(config.seed)
    network = build_network(config.network)
    if "weights" in config.start:
        load_trunk(network, Path(str(config.start["weights"])))
    network = network.to(device=device, memory_format=torch.channels_last)
    average = copy.deepcopy(network).eval()
    rate, decay = config.fit.learning_rate, config.fit.weight_decay
    kernels = [p for p in network.parameters() if p.ndim > 1]
    rest = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": kernels, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]
    return _Progress(network, average, torch.optim.AdamW(groups, lr=rate))


def _steps_per_epoch(n_examples: int, batch: int) -> int:
    """Full batches per epoch."""
    return max(1, n_examples // min(batch, n_examples))


def _to_device(images: np.ndarray, device: str) -> torch.Tensor:
    """Images as a tensor in the memory layout that convolutions like."""
    return torch.from_numpy(images).to(device=device, memory_format=torch.channels_last)


def _average_into(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """The running average moves a little towards the network; early on, faster."""
    decay = min(decay, (1 + step) / (10 + step))
    current = network.state_dict()
    with torch.no_grad():
        for name, value in average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(current[name], 1 - decay)
            else:
                value.copy_(current[name])


def _write(progress: _Progress, record: Mapping[str, object], out: Path) -> None:
    """The epoch's metrics as one line, after its checkpoint; a line without a checkpoint is dropped on resume."""
    lines = _lines(out / "metrics.jsonl", before_epoch=progress.epoch)
    partial = out / "metrics.jsonl.part"
    partial.write_text("\n".join([*lines, json.dumps(record)]) + "\n", encoding="utf-8")
    partial.replace(out / "metrics.jsonl")
    state = {
        "epoch": progress.epoch, "step": progress.step, "network": progress.network.state_dict(),
        "average": progress.average.state_dict(), "optimiser": progress.optimiser.state_dict(),
    }  # fmt: skip
    _save(state, out / "checkpoint.pt")


def _lines(path: Path, before_epoch: int) -> list[str]:
    """The metrics of earlier epochs."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if int(json.loads(line)["epoch"]) < before_epoch]


def _save(state: Mapping[str, object], path: Path) -> None:
    """Written whole or not at all."""
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def _load(progress: _Progress, path: Path) -> None:
    """Everything back from a checkpoint; tensors and numbers only."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    progress.network.load_state_dict(state["network"])
    progress.average.load_state_dict(state["average"])
    progress.optimiser.load_state_dict(state["optimiser"])
    progress.epoch, progress.step = int(state["epoch"]), int(state["step"])
