"""What a graph may hold, on models crafted with the onnx package."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from isocenter.core.errors import PackageError
from isocenter.zoo.graph import SCHEMA, check_graph


def external(tensor: onnx.TensorProto, location: str = "weights.bin") -> onnx.TensorProto:
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return tensor


def model(nodes, initializer=(), **parts) -> onnx.ModelProto:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "g", [value("x", TensorProto.FLOAT, [1])], [value("y", TensorProto.FLOAT, [1])], list(initializer)
    )
    return helper.make_model(graph, **parts)


def weight() -> onnx.TensorProto:
    return numpy_helper.from_array(np.ones(100, np.float32), "w")


ADD = helper.make_node("Add", ["x", "w"], ["y"])


def test_the_schema_has_the_numbers_of_the_onnx_package():
    for name, fields in SCHEMA.items():
        if name != "Opaque":
            theirs = getattr(onnx, name).DESCRIPTOR.fields_by_name
            assert {f: theirs[f].number for f in fields} == {f: number for f, (number, _, _) in fields.items()}


def test_the_schema_knows_every_place_where_tensors_and_nodes_can_hide():
    """Any message that can hold one of ours is walked, so none can slip in by another way."""
    walked = set(SCHEMA) - {"Opaque"}
    watched = walked | {"TrainingInfoProto", "FunctionProto"}
    for name in walked:
        for field in getattr(onnx, name).DESCRIPTOR.fields:
            if field.message_type is not None and field.message_type.name in watched:
                only_a_type = (name, field.name) == ("GraphProto", "value_info")
                assert field.name in SCHEMA[name] or only_a_type, (name, field.name)


def test_names_in_and_out(onnx_bytes):
    facts = check_graph(onnx_bytes)
    assert (facts.inputs, facts.outputs) == (("image",), ("logits", "features", "maps"))
    assert "Conv" in facts.operators


def test_initialisers_listed_as_inputs_are_none():
    graph = model([ADD], [weight()])
    graph.graph.input.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [100]))
    assert check_graph(graph.SerializeToString()).inputs == ("x",)


def test_weights_outside_the_file_are_refused_wherever_they_hide():
    inside = helper.make_graph(
        [helper.make_node("Identity", ["w"], ["o"])],
        "b",
        [],
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, [1])],
    )
    inside.initializer.append(external(weight()))
    sparse = helper.make_sparse_tensor(external(weight()), numpy_helper.from_array(np.arange(100), "i"), [200])
    crafted = {
        "initializer": model([ADD], [external(weight())]),
        "absolute": model([ADD], [external(weight(), "/etc/hostname")]),
        "attribute": model([helper.make_node("Constant", [], ["y"], value=external(weight()))]),
        "sub-graph": model([helper.make_node("If", ["x"], ["y"], then_branch=inside, else_branch=inside)]),
        "sparse": model([helper.make_node("Constant", [], ["y"], sparse_value=sparse)]),
    }
    listed = model([ADD])
    listed.graph.sparse_initializer.append(sparse)
    crafted["sparse initializer"] = listed
    for where, each in crafted.items():
        with pytest.raises(PackageError, match="external_data"):
            check_graph(each.SerializeToString())
            pytest.fail(where)


def test_half_a_reference_is_refused_too():
    """Only the mark, or only the entries: run times differ in which of them they obey."""
    mark, entries = weight(), external(weight())
    mark.data_location = TensorProto.EXTERNAL
    entries.ClearField("data_location")
    for tensor in (mark, entries):
        with pytest.raises(PackageError, match="external_data"):
            check_graph(model([ADD], [tensor]).SerializeToString())


def test_the_check_is_needed_because_a_run_time_would_follow_them(tmp_path, monkeypatch):
    openvino = pytest.importorskip("openvino")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.bin").write_bytes(np.full(100, 7, np.float32).tobytes())
    crafted = model([ADD], [external(weight())], opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    compiled = openvino.Core().compile_model(openvino.Core().read_model(crafted.SerializeToString()), "CPU")
    assert compiled(np.zeros(1, np.float32))[0][0] == 7


def test_operators_of_other_domains_are_refused_also_in_sub_graphs():
    odd = helper.make_node("Foo", ["x"], ["y"], domain="com.example")
    inside = helper.make_graph([odd], "b", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
    for nodes in ([odd], [helper.make_node("If", ["x"], ["y"], then_branch=inside, else_branch=inside)]):
        with pytest.raises(PackageError, match="domain"):
            check_graph(model(nodes).SerializeToString())


def test_functions_and_training_graphs_are_refused():
    local = helper.make_function(
        "mine", "F", ["a"], ["b"], [helper.make_node("Relu", ["a"], ["b"])], [helper.make_opsetid("", 17)]
    )
    with pytest.raises(PackageError, match="functions"):
        check_graph(model([ADD], [weight()], functions=[local]).SerializeToString())
    trained = model([ADD], [weight()])
    trained.training_info.add()
    with pytest.raises(PackageError, match="training"):
        check_graph(trained.SerializeToString())


@pytest.mark.parametrize("data", [b"", b"hello", b"\xff" * 100, b"\x3a\x7f", b"\x3a\x02" * 400])
def test_bytes_that_are_no_model_are_refused(data):
    with pytest.raises(PackageError):
        check_graph(data)


def test_nesting_without_end_is_refused():
    data = b""
    for _ in range(2000):
        data = _field(7, data)
        data = _field(1, _field(5, _field(6, data)))
    with pytest.raises(PackageError):
        check_graph(_field(7, data))


def _field(number: int, data: bytes) -> bytes:
    length, out = len(data), b""
    while True:
        out += bytes([length & 127 | (128 if length > 127 else 0)])
        length >>= 7
        if not length:
            return bytes([number << 3 | 2]) + out + data
