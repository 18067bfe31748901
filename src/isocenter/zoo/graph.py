"""What an ONNX graph may hold: standard operators and its own weights, nothing outside the file.

A run time that loads a model from memory still follows `external_data` into files of the working folder
(OpenVINO 2026.4 and ONNX Runtime 1.31 both do), so the check is ours and comes before either sees the bytes.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from isocenter.core.errors import PackageError

ALLOWED_DOMAINS = frozenset({"", "ai.onnx"})
_STRING, _INT64, _ENUM_AS_INT32, _MESSAGE = 9, 3, 5, 11

# The part of the ONNX schema that the check walks: message -> field -> (number, type or message, repeated).
# Source: onnx/onnx.proto3 of onnx 1.23 (field numbers never change; a test compares them with the onnx package).
SCHEMA: dict[str, dict[str, tuple[int, int | str, bool]]] = {
    "ModelProto": {
        "graph": (7, "GraphProto", False),
        "training_info": (20, "Opaque", True),
        "functions": (25, "Opaque", True),
    },
    "GraphProto": {
        "node": (1, "NodeProto", True),
        "initializer": (5, "TensorProto", True),
        "input": (11, "ValueInfoProto", True),
        "output": (12, "ValueInfoProto", True),
        "sparse_initializer": (15, "SparseTensorProto", True),
    },
    "NodeProto": {
        "op_type": (4, _STRING, False),
        "attribute": (5, "AttributeProto", True),
        "domain": (7, _STRING, False),
    },
    "AttributeProto": {
        "t": (5, "TensorProto", False),
        "g": (6, "GraphProto", False),
        "tensors": (10, "TensorProto", True),
        "graphs": (11, "GraphProto", True),
        "sparse_tensor": (22, "SparseTensorProto", False),
        "sparse_tensors": (23, "SparseTensorProto", True),
    },
    "TensorProto": {
        "name": (8, _STRING, False),
        "external_data": (13, "Opaque", True),
        "data_location": (14, _ENUM_AS_INT32, False),
    },
    "SparseTensorProto": {"values": (1, "TensorProto", False), "indices": (2, "TensorProto", False)},
    "ValueInfoProto": {"name": (1, _STRING, False)},
    "Opaque": {},
}


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What goes in and what comes out, by name (initialisers that older exporters list as inputs are left out)."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operators: frozenset[str]


def check_graph(onnx_bytes: bytes) -> GraphFacts:
    """The graph's inputs, outputs and operators, once it is known to be self-contained.

    Raises PackageError for bytes that are no ONNX model, weights outside the file, operators of another domain
    than ONNX's own, model-local functions and training graphs.
    """
    model = _parse(onnx_bytes)
    if model.functions or model.training_info:
        raise PackageError("model.onnx: expected one plain graph, got model-local functions or training graphs")
    operators: set[str] = set()
    _check_part(model.graph, operators)
    if not model.graph.node or not model.graph.output:
        raise PackageError("model.onnx: expected a graph with nodes and outputs, got none")
    weights = {tensor.name for tensor in model.graph.initializer}
    return GraphFacts(
        tuple(value.name for value in model.graph.input if value.name not in weights),
        tuple(value.name for value in model.graph.output),
        frozenset(operators),
    )


def _parse(onnx_bytes: bytes) -> Any:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    model = _model_class()()
    try:
        model.ParseFromString(onnx_bytes)
    except (DecodeError, RecursionError) as error:
        raise PackageError("model.onnx: expected an ONNX model, got bytes that do not parse") from error
    return model


def _check_part(message: Any, operators: set[str]) -> None:
    """Walk every message below this one."""
    kind = message.DESCRIPTOR.name
    if kind == "TensorProto" and (message.data_location != 0 or message.external_data):
        raise PackageError("model.onnx: expected weights inside the file, got external_data")
    if kind == "NodeProto":
        if message.domain not in ALLOWED_DOMAINS:
            raise PackageError(f"model.onnx: expected ONNX's own operators, got one of domain {message.domain[:40]!r}")
        operators.add(message.op_type)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else (value,):
                _check_part(part, operators)


@cache
def _model_class() -> Any:
    """The protobuf class of the partial schema; unknown fields are skipped by the parser."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]

    file = descriptor_pb2.FileDescriptorProto(name="isocenter_onnx.proto", package="isocenter_onnx", syntax="proto3")
    for message_name, fields in SCHEMA.items():
        message = file.message_type.add(name=message_name)
        for field_name, (number, kind, repeated) in fields.items():
            field = message.field.add(name=field_name, number=number, label=3 if repeated else 1)
            field.type = kind if isinstance(kind, int) else _MESSAGE
            if isinstance(kind, str):
                field.type_name = f".isocenter_onnx.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("isocenter_onnx.ModelProto"))
