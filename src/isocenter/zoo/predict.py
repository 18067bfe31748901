"""The port between a network and the rest of the house: prepared arrays in, named outputs out, on the CPU at hand.

Conventions (training and inference hold to the same ones)
input      float32 (N, channels, rows, columns) or (N, channels, slices, rows, columns), made by `imaging.prepare`
logits     (N, classes), or (N, classes or 1, [slices,] rows, columns) for masks; `probabilities` calibrates them
features   (N, d) pooled features for the out-of-distribution score (`zoo/ood.py` lists the methods of a card)
maps, cam  (N, d, h, w) last feature maps · (N, classes, h, w) their class activation, for `explain/cam.py`
An ensemble is one graph that averages its members' logits inside.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from isocenter.core.card import ModelCard
from isocenter.core.errors import InputError, PackageError
from isocenter.core.finding import ModelRef
from isocenter.zoo.calibrate import probabilities
from isocenter.zoo.cards import with_arrays
from isocenter.zoo.index import BUILT_IN_FOLDER, load_newest
from isocenter.zoo.ood import ood_score
from isocenter.zoo.package import MODEL, Package
from isocenter.zoo.runtimes import FunctionPredictor, OnnxRuntimePredictor, OpenVinoPredictor

__all__ = [
    "RUNTIMES", "FunctionPredictor", "Model", "Models", "Predictor",
    "load_model", "load_predictor", "ood_score", "probabilities",
]  # fmt: skip
RUNTIMES = ("openvino", "onnxruntime")


class Predictor(Protocol):
    """A network that runs.

    runtime     "openvino 2026.4.1" …, precision "f32", "bf16", "int8": as provenance records them
    notes       what differs from what was asked for
    """

    runtime: str
    precision: str
    notes: tuple[str, ...]

    def run(self, array: np.ndarray) -> dict[str, np.ndarray]:
        """Every output by name, float32, for a batch (N, C, …). Raises InputError for a shape that it cannot take."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model ready to be asked: its card (with its arrays), what runs it, and its name in reports."""

    card: ModelCard
    predictor: Predictor
    ref: ModelRef
    notes: tuple[str, ...] = ()


def load_predictor(
    package: Package, *, runtime: str = "openvino", precision: str | None = None, threads: int | None = None
) -> Predictor:
    """The package's graph, compiled for this machine; ONNX Runtime, with a note, where OpenVINO is missing or refuses.

    precision   None: what the card ships

    Raises InputError for a runtime that is none of RUNTIMES, PackageError if no runtime takes the graph.
    """
    if runtime not in RUNTIMES:
        raise InputError(f"runtime: expected one of {RUNTIMES}, got {runtime!r}")
    onnx_bytes, precision = package.files[MODEL], precision or package.card.precision
    note = ""
    if runtime == "openvino":
        try:
            return OpenVinoPredictor(onnx_bytes, precision=precision, threads=threads)
        except (ImportError, OSError, PackageError) as error:
            note = f"openvino-unavailable: {type(error).__name__}"
    predictor = OnnxRuntimePredictor(onnx_bytes, precision=precision, threads=threads)
    predictor.notes = (note,) if note else ()
    return predictor


def load_model(package: Package, *, runtime: str = "openvino", threads: int | None = None) -> Model:
    """A verified package as a model ready to be asked."""
    card = with_arrays(package.card, package.files)
    predictor = load_predictor(package, runtime=runtime, threads=threads)
    return Model(card, predictor, ModelRef(card.name, card.version, package.digest), predictor.notes)


class Models:
    """The models of this machine, each verified and compiled once, when first asked for.

    home       folder of added models and trusted keys; None: only what ships
    given      models by name that stand before any on disk (tests, trials)
    """

    def __init__(
        self,
        home: Path | None = None,
        *,
        runtime: str = "openvino",
        threads: int | None = None,
        built_in: Path = BUILT_IN_FOLDER,
        given: Mapping[str, Model] | None = None,
    ) -> None:
        self._home, self._runtime, self._threads, self._built_in = home, runtime, threads, built_in
        self._loaded: dict[str, Model] = dict(given or {})
        self._packages: dict[str, tuple[Package, tuple[str, ...]]] = {}
        self._lock = threading.RLock()

    def get(self, name: str) -> Model:
        """The newest model of that name that verifies, compiled. Raises PackageError if there is none."""
        with self._lock:
            if name not in self._loaded:
                package, problems = self._package(name)
                model = load_model(package, runtime=self._runtime, threads=self._threads)
                notes = (*model.notes, *(f"package-refused: {problem}" for problem in problems))
                self._loaded[name] = Model(model.card, model.predictor, model.ref, notes)
            return self._loaded[name]

    def card(self, name: str) -> ModelCard:
        """The model's card, without compiling it."""
        return self._loaded[name].card if name in self._loaded else self._package(name)[0].card

    def ref(self, name: str) -> ModelRef:
        """The model's name, version and digest, without compiling it."""
        if name in self._loaded:
            return self._loaded[name].ref
        package = self._package(name)[0]
        return ModelRef(package.card.name, package.card.version, package.digest)

    @property
    def runtime(self) -> str:
        """What ran the models asked so far, for provenance: "openvino 2026.4.1"; several are joined by commas."""
        return ", ".join(sorted({model.predictor.runtime for model in self._loaded.values()}))

    @property
    def precision(self) -> str:
        """In what precision they ran: "bf16"; several are joined by commas."""
        return ", ".join(sorted({model.predictor.precision for model in self._loaded.values()}))

    @property
    def notes(self) -> tuple[str, ...]:
        """What differs from what was asked for: another runtime, a package that was refused."""
        return tuple(f"{name}: {note}" for name, model in sorted(self._loaded.items()) for note in model.notes)

    def _package(self, name: str) -> tuple[Package, tuple[str, ...]]:
        """The verified package and what was wrong with newer ones; kept, so that one file is read once."""
        with self._lock:
            if name not in self._packages:
                self._packages[name] = load_newest(name, self._home, built_in=self._built_in)
            return self._packages[name]
