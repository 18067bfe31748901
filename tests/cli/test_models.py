"""`isocenter models`: what it prints, and the exit codes that scripts rely on."""

import json

import numpy as np
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

from isocenter.cli.models import app
from isocenter.core.card import ModelCard
from isocenter.core.errors import PackageError
from isocenter.zoo.keys import home_signing_key, public_pem
from isocenter.zoo.package import write_package


def package(folder, home, version="1.0.0"):
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["logits"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
    )
    card = ModelCard(
        name="house", version=version, task="t", kind="classifier", modality="US", body_part="", intended_use="Tests.",
        limits=("none",), classes=("a", "b"), input_shape=(1, 4, 4), prepare=(), outputs={"logits": "class logits"},
        licence="Apache-2.0", data={},
    )  # fmt: skip
    path = folder / f"downloaded-{version}.isocenter"
    model = helper.make_model(graph).SerializeToString()
    write_package(path, card, files={"model.onnx": model}, private_key=home_signing_key(home))
    return path


def run(*arguments, home):
    return CliRunner().invoke(app, [*map(str, arguments), "--home", str(home)])


def rows(result):
    return json.loads(result.stdout)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def test_add_list_show_remove(tmp_path, home):
    file = package(tmp_path, home)
    assert rows(run("add", file, "--json", home=home))[0]["name"] == "house"
    listed = [row for row in rows(run("list", "--json", home=home)) if row["origin"] == "home"]
    assert [(row["name"], row["version"], row["verified"]) for row in listed] == [("house", "1.0.0", True)]
    shown = run("show", "house", home=home)
    assert listed[0]["digest"] in shown.stdout and 'task = "t"' in shown.stdout
    assert rows(run("show", "house", "--json", home=home))["card"]["classes"] == ["a", "b"]
    assert rows(run("remove", "house", "--json", home=home)) == [{"removed": "house-1.0.0.isocenter"}]
    assert isinstance(run("remove", "house", home=home).exception, PackageError)


def test_verify_passes_what_is_whole_and_exits_5_for_what_is_not(tmp_path, home):
    file = package(tmp_path, home)
    assert run("verify", file, home=home).exit_code == 0
    data = np.frombuffer(file.read_bytes(), np.uint8).copy()
    data[100] ^= 4
    file.write_bytes(data.tobytes())
    result = run("verify", file, "--json", home=home)
    assert result.exit_code == 5 and rows(result)[0]["verified"] is False
    assert file.name in result.stderr and "Traceback" not in result.stderr


def test_a_stranger_is_refused_until_trusted(tmp_path, home):
    file = package(tmp_path, tmp_path / "their-home")
    assert isinstance(run("add", file, home=home).exception, PackageError)
    assert run("verify", file, home=home).exit_code == 5
    key = tmp_path / "their.pub"
    key.write_bytes(public_pem(home_signing_key(tmp_path / "their-home").public_key()))
    assert len(rows(run("trust", key, "--json", home=home))[0]["trusted"]) == 16
    assert run("add", file, home=home).exit_code == 0


def test_what_ships_verifies(home):
    assert run("verify", home=home).exit_code == 0
