"""Smaller and faster graphs for the same answer: int8 by calibration, weights alone in 8 bits, no left-over notes.

What a compressed graph may lose is for its card to say: measure the accuracy again before it ships.
"""

import logging
from collections.abc import Sequence

import numpy as np

from isocenter.core.errors import InputError, MissingExtraError

_MANY = 2048


def quantise_onnx(onnx_bytes: bytes, calibration_batches: Sequence[np.ndarray]) -> bytes:
    """The graph with int8 weights and activations (quantise/dequantise pairs of standard ONNX operators).

    onnx_bytes            as exported, before any other compression
    calibration_batches   prepared inputs (N, C, …) from the training data, 100 to 300 in all; never test data

    Raises InputError without batches or for compressed weights, MissingExtraError where nncf is not installed.
    Source: post-training quantisation of NNCF 3 (min-max statistics, fast bias correction).
    """
    if not calibration_batches:
        raise InputError("quantise: expected calibration batches, got none; take some from the training data")
    try:
        import nncf
        import onnx
    except ImportError as error:
        raise MissingExtraError("quantise: expected nncf and onnx, got neither; install isocenter[dev]") from error
    nncf.set_log_level(logging.ERROR)
    model = onnx.load_model_from_string(onnx_bytes)
    if any(tensor.data_type in (onnx.TensorProto.FLOAT16, onnx.TensorProto.INT8) for tensor in model.graph.initializer):
        raise InputError("quantise: expected float32 weights, got compressed ones; quantise the graph as exported")
    name = model.graph.input[0].name
    items = [{name: np.ascontiguousarray(batch, dtype=np.float32)} for batch in calibration_batches]
    quantised = nncf.quantize(model, nncf.Dataset(items), subset_size=len(items))
    return strip_onnx(quantised.SerializeToString())


def quantise_weights(onnx_bytes: bytes) -> bytes:
    """The graph with the weights of its convolutions in 8 bits, one scale per output channel; activations stay as is.

    A quarter of the size. Run times fold the scales in when they load the graph, so it runs as fast as before
    (half-precision weights behind a cast are read again at every run by OpenVINO 2026.4, several times slower).
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_model_from_string(onnx_bytes)
    graph = model.graph
    scaled = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) != 4 or np.prod(tensor.dims) < _MANY:
            continue
        values, name = numpy_helper.to_array(tensor), tensor.name
        scale = np.maximum(np.abs(values).max(axis=(1, 2, 3)), 1e-12) / 127
        rounded = np.rint(values / scale[:, np.newaxis, np.newaxis, np.newaxis]).astype(np.int8)
        tensor.CopyFrom(numpy_helper.from_array(rounded, f"{name}_int8"))
        graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"))
        scaled.append(helper.make_node("DequantizeLinear", [tensor.name, f"{name}_scale"], [name], axis=0))
    nodes = [*scaled, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return strip_onnx(model.SerializeToString())


def strip_onnx(onnx_bytes: bytes) -> bytes:
    """The graph without the notes that exporters leave in it: source lines, paths, tool names, shapes in between."""
    import onnx

    model = onnx.load_model_from_string(onnx_bytes)
    model.doc_string = model.producer_name = model.producer_version = ""
    del model.metadata_props[:]
    graph = model.graph
    graph.doc_string = ""
    del graph.metadata_props[:]
    del graph.value_info[:]
    for part in (*graph.node, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    return bytes(model.SerializeToString(deterministic=True))
