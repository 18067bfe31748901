"""The model card: what a model is for, what it takes, what it was measured to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PrepareStep:
    """One step of pre-processing, as data; `imaging/prepare.py` alone executes it."""

    op: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold on a class probability, with what it was measured to do.

    metrics   {"sensitivity": (value, low, high), …}: point and 95 % confidence interval
    """

    name: str
    class_name: str
    threshold: float
    metrics: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Performance:
    """One measured figure.

    split   "test" (held-out groups), "cross-validation", …
    """

    metric: str
    value: float
    low: float
    high: float
    n: int
    split: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is for, what it takes, what it was measured to do.

    input_shape   (channels, rows, columns) or (channels, slices, rows, columns); 0 = any multiple of `stride`
    prepare       the pre-processing as data
    calibration   {"method": "temperature", "temperature": 1.3} …; applied to logits by `zoo`
    ood           parameters of the out-of-distribution score and its limit, as data
    outputs       output tensor name -> what it is: {"logits": "class logits", "features": "pooled features"}
    precision     what ships: "f32", "bf16", "int8"; tolerance is the largest probability change accepted elsewhere
    data          training data: name, licence, counts, split hash
    """

    name: str
    version: str
    task: str
    kind: str
    modality: str
    body_part: str
    intended_use: str
    limits: tuple[str, ...]
    classes: tuple[str, ...]
    input_shape: tuple[int, ...]
    prepare: tuple[PrepareStep, ...]
    outputs: Mapping[str, str]
    licence: str
    data: Mapping[str, object]
    stride: int = 1
    calibration: Mapping[str, object] = field(default_factory=dict)
    operating_points: tuple[OperatingPoint, ...] = ()
    ood: Mapping[str, object] = field(default_factory=dict)
    performance: tuple[Performance, ...] = ()
    precision: str = "f32"
    tolerance: float = 0.02
    parameters: Mapping[str, object] = field(default_factory=dict)
