"""From a finished run to one signed file.

Training ends with a draft in `RUN/package/`: the card, the graph and its arrays, and a few prepared training pictures
(`RUN/examples.npz`). Signing needs nothing else, so it can be done on another machine.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isocenter.core.card import ModelCard
from isocenter.core.errors import InputError, PackageError
from isocenter.evaluation.calibration import softmax
from isocenter.learning.classifier_card import package_classifier
from isocenter.learning.compress import quantise_onnx
from isocenter.learning.data import list_dataset, load_arrays
from isocenter.learning.export import run_onnx
from isocenter.learning.head_card import package_head
from isocenter.learning.runs import open_run, read_split
from isocenter.zoo.cards import card_to_toml, read_card
from isocenter.zoo.package import CARD, MODEL, write_package

_PACKAGERS = {"classification": package_classifier, "segmentation": package_head}
_N_EXAMPLES = 100


def draft_package(run: Path, data: Path) -> ModelCard | None:
    """The card of the package that the run makes, written to `run/package`; None where the recipe names no model."""
    config = open_run(run / "config.toml", run, resume=True)
    if "name" not in config.card:
        return None
    card, files = _PACKAGERS[config.kind](run, data)
    folder = run / "package"
    folder.mkdir(exist_ok=True)
    for name, content in {CARD: card_to_toml(card).encode(), **files}.items():
        (folder / name).write_bytes(content)
    dataset = list_dataset(config.dataset, data, config.dataset_options)
    learned = read_split(run).folds[0][0]
    some = learned[:: max(1, len(learned) // _N_EXAMPLES)][:_N_EXAMPLES]
    np.savez(run / "examples.npz", images=load_arrays(dataset.select(some), card.prepare, dataset.classes).images)
    return card


def package_run(run: Path, out: Path, *, private_key: Ed25519PrivateKey, int8: bool = False) -> str:
    """The digest of the package written to `out`.

    int8   weights and activations in eight bits; refused where an answer moves by more than the card's tolerance

    Raises InputError where the run holds no draft, PackageError where the draft is not fit to ship.
    """
    folder = run / "package"
    if not (folder / CARD).exists():
        raise InputError(
            f"package: expected a finished run with a card, {run} holds none; finish it with train --resume"
        )
    card = read_card(folder / CARD)
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != CARD}
    if int8:
        card, files = quantise(card, files, _examples(run))
    return write_package(out, card, files=files, private_key=private_key)


def quantise(card: ModelCard, files: Mapping[str, bytes], images: np.ndarray) -> tuple[ModelCard, dict[str, bytes]]:
    """Card and files with the graph in eight bits.

    images   prepared training pictures, for the calibration and for the check

    Raises PackageError where the change exceeds the card's tolerance.
    """
    graph = quantise_onnx(full_weights(files[MODEL]), [images[first : first + 1] for first in range(len(images))])
    change = answer_change(run_onnx(files[MODEL], images)["logits"], run_onnx(graph, images)["logits"])
    if change > card.tolerance:
        raise PackageError(f"int8: expected answers to move by at most {card.tolerance}, got {change:.4f}; ship f32")
    parameters = {**card.parameters, "int8_change": round(change, 5)}
    return replace(card, precision="int8", parameters=parameters), {**files, MODEL: graph}


def full_weights(onnx_bytes: bytes) -> bytes:
    """The graph with weights that are stored in 8 bits (`quantise_weights`) in float32 again, for the quantiser."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_model_from_string(onnx_bytes)
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    kept, scales = [], set()
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and set(node.input) <= set(stored):
            tensor, scale = (stored[name] for name in node.input)
            factor = numpy_helper.to_array(scale)[:, np.newaxis, np.newaxis, np.newaxis]
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * factor, node.output[0]))
            scales.add(scale.name)
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    for name in scales:
        graph.initializer.remove(stored[name])
    return bytes(model.SerializeToString())


def answer_change(before: np.ndarray, after: np.ndarray) -> float:
    """Largest change of a class probability (n, classes), or for masks the largest share of pixels that change side."""
    if before.ndim == 2:
        return float(np.abs(softmax(before) - softmax(after)).max())
    return float(((before > 0) != (after > 0)).mean(axis=(1, 2, 3)).max())


def _examples(run: Path) -> np.ndarray:
    """The prepared training pictures of a run."""
    try:
        with np.load(run / "examples.npz", allow_pickle=False) as archive:
            return np.asarray(archive["images"], dtype=np.float32)
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"package: expected examples.npz in {run}, got none or a broken one") from error
