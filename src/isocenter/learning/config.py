"""One frozen configuration per training run, read from TOML and written beside what it produced."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from isocenter.core.card import PrepareStep
from isocenter.core.errors import InputError


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """How the examples are divided.

    test_fraction        of the groups, kept apart until the end
    validation_fraction  of the rest, where folds = 1
    folds                > 1: the rest in so many folds, each once the validation part
    frozen               the hash that the split must have; "" = take what comes and write it down
    learn                how many of the folds are learned; 0 = all
    refit                one more member learns from everything but the test part
    """

    test_fraction: float = 0.2
    validation_fraction: float = 0.2
    folds: int = 1
    frozen: str = ""
    learn: int = 0
    refit: bool = False


@dataclass(frozen=True, slots=True)
class FitConfig:
    """How the loop runs.

    precision         "f32", or "bf16" (autocast) where the CPU has it
    ema               decay of the running average of the weights that is evaluated and kept; 0 = none
    classes_balanced  draw examples so that every class comes equally often
    evaluate_every    epochs between looks at the validation part
    device            "cpu" or "cuda"; `train` sets it from its own option
    mix               parameter of the Beta distribution by which pictures are mixed in pairs (mixup); 0 = none
    """

    epochs: int
    batch: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    warmup_epochs: float = 1.0
    ema: float = 0.99
    precision: str = "f32"
    classes_balanced: bool = False
    evaluate_every: int = 1
    threads: int = 1
    clip_norm: float = 5.0
    mix: float = 0.0
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class FinerConfig:
    """A second round for every member of a segmenter, from where the first one ended, on larger pictures.

    rows, columns   the size that the recipe's resize step takes on
    """

    rows: int
    columns: int
    epochs: int
    learning_rate: float = 1e-3
    warmup_epochs: float = 1.0


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Everything that defines a training run; with the data and the code it gives the weights.

    task      a reading task's name; `dataset` names an adapter of `learning.data.DATASETS`
    network   {"name": …, options}; loss {"name": …, options}
    augment   steps of `learning.augment`, run in order
    start     where the weights start: {} from nothing, {"name": "breast-phantoms", …} from `learning.transfer`,
              {"weights": file} from a file that a run of it has written
    finer     a second round on larger pictures; its networks join those of the first in the committee
    card      what the model card says that no run can measure: intended use, limits, licence …
    """

    task: str
    kind: str
    dataset: str
    seed: int
    prepare: tuple[PrepareStep, ...]
    network: Mapping[str, object]
    loss: Mapping[str, object]
    fit: FitConfig
    augment: tuple[PrepareStep, ...] = ()
    dataset_options: Mapping[str, object] = field(default_factory=dict)
    split: SplitConfig = SplitConfig()
    start: Mapping[str, object] = field(default_factory=dict)
    finer: FinerConfig | None = None
    card: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in ("classification", "segmentation"):
            raise InputError(f"config kind: expected classification or segmentation, got {self.kind!r}")
        if self.fit.precision not in ("f32", "bf16"):
            raise InputError(f"config fit.precision: expected f32 or bf16, got {self.fit.precision!r}")
        if self.fit.epochs < 1 or self.fit.batch < 1 or self.split.folds < 1:
            raise InputError("config: expected at least one epoch, one example per batch and one fold")
        if self.finer and (self.kind != "segmentation" or [step.op for step in self.prepare].count("resize") != 1):
            raise InputError("config finer: expected a segmentation with one resize step; leave the table out")
        for part in (self.network, self.loss):
            if not isinstance(part.get("name"), str):
                raise InputError(f"config: expected a network and a loss with a name, got {dict(part)}")


def read_config(path: Path) -> TrainConfig:
    """The configuration in a TOML file. Raises InputError for an unknown or a missing key."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"config {path.name}: expected TOML, got {error}") from error
    except OSError as error:
        raise InputError(f"config {path.name}: expected a readable file, got {error.strerror}") from error
    return config_from_mapping(document)


def config_from_mapping(document: Mapping[str, object]) -> TrainConfig:
    """The configuration in a parsed TOML document."""
    values: dict[str, Any] = dict(document)
    try:
        values["prepare"] = _steps(values.get("prepare", []))
        values["augment"] = _steps(values.get("augment", []))
        values["fit"] = FitConfig(**_table(values["fit"]))
        values["split"] = SplitConfig(**_table(values.get("split", {})))
        values["finer"] = FinerConfig(**_table(values["finer"])) if "finer" in values else None
        return TrainConfig(**values)
    except KeyError as error:
        raise InputError(f"config: expected the key {error}, it is missing") from error
    except TypeError as error:
        raise InputError(f"config: expected only known keys and all required ones, got: {error}") from error


def _table(value: object) -> dict[str, Any]:
    """A TOML table."""
    if not isinstance(value, dict):
        raise InputError(f"config: expected a table, got {value!r}")
    return value


def _steps(value: object) -> tuple[PrepareStep, ...]:
    """A list of {op = …, options …} as steps."""
    if not isinstance(value, list) or not all(isinstance(each, dict) and "op" in each for each in value):
        raise InputError(f"config: expected a list of tables with an op, got {value!r}")
    return tuple(PrepareStep(each["op"], {k: v for k, v in each.items() if k != "op"}) for each in value)
