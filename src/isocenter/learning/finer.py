"""The finer round: members go on from where the first round ended, on larger pictures; and the committee of all.

A boundary that is found on a coarse picture is refined on a finer one in fewer epochs than it would take to learn it
there, and the two sizes err differently.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from isocenter.core.card import PrepareStep
from isocenter.learning.config import TrainConfig
from isocenter.learning.fit import load_network
from isocenter.learning.networks.unet import Coarse, MaskCommittee
from isocenter.learning.runs import FINE


def member_config(config: TrainConfig, name: str, run: Path) -> TrainConfig:
    """The configuration that a member learns by; a fine one starts with the weights of its coarse one, in `run`."""
    if config.finer is None or not name.endswith(FINE):
        return config
    finer = config.finer
    return replace(
        config,
        prepare=card_steps(config),
        seed=config.seed + 1,
        start={"weights": str(run / name.removesuffix(FINE) / "weights.pt")},
        fit=replace(
            config.fit, epochs=finer.epochs, learning_rate=finer.learning_rate, warmup_epochs=finer.warmup_epochs
        ),
    )


def card_steps(config: TrainConfig) -> tuple[PrepareStep, ...]:
    """How pictures are prepared for the packaged graph: at the finest size that a member has learned."""
    if config.finer is None:
        return config.prepare
    size = {"rows": config.finer.rows, "columns": config.finer.columns}
    return tuple(
        replace(step, options={**step.options, **size}) if step.op == "resize" else step for step in config.prepare
    )


def load_committee(config: TrainConfig, run: Path, names: Sequence[str]) -> MaskCommittee:
    """Trained members of a run as one network on the pictures that `card_steps` prepares, in the order of the names."""
    members = {name: load_network(config, run / name / "weights.pt") for name in names}
    if config.finer is not None:
        size = next(_size(step) for step in config.prepare if step.op == "resize")
        members |= {name: Coarse(member, size) for name, member in members.items() if not name.endswith(FINE)}
    committee = MaskCommittee(list(members.values()), mirror=bool(config.card.get("mirror", False)))
    committee.eval()
    return committee


def _size(step: PrepareStep) -> tuple[int, int]:
    """Rows and columns of a resize step."""
    return int(str(step.options["rows"])), int(str(step.options["columns"]))
