"""What an answer was made from, by which code, on which runtime."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from isocenter.core.finding import ModelRef


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an answer was made from.

    inputs       "sha256:…" of every input file
    files        the names that the caller gave for them (base names only), same order
    code         "isocenter 0.1.0"
    runtime      "openvino 2026.4.1" …, precision "f32", "bf16", "int8"
    """

    inputs: tuple[str, ...]
    code: str
    files: tuple[str, ...] = ()
    models: tuple[ModelRef, ...] = ()
    runtime: str = ""
    precision: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
