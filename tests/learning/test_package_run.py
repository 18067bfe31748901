import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isocenter.core.errors import InputError, PackageError
from isocenter.learning.package_run import answer_change, package_run, quantise
from isocenter.zoo.cards import read_card
from isocenter.zoo.keys import key_id
from isocenter.zoo.package import read_package

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = {key_id(KEY.public_key()): KEY.public_key()}


def test_a_run_becomes_a_package_that_verifies_and_runs(head_run, tmp_path):
    path = tmp_path / "drawn-head-0.1.0.isocenter"
    digest = package_run(head_run, path, private_key=KEY)
    package = read_package(path, trusted=TRUSTED)
    assert package.digest == digest and package.card.name == "drawn-head"
    assert package_run(head_run, tmp_path / "again.isocenter", private_key=KEY) == digest
    with pytest.raises(PackageError):
        read_package(path, trusted={})


@pytest.mark.slow
def test_eight_bits_are_a_quarter_and_refused_where_answers_move(head_run, tmp_path):
    card = read_card(head_run / "package" / "card.toml")
    files = {path.name: path.read_bytes() for path in (head_run / "package").iterdir() if path.name != "card.toml"}
    with np.load(head_run / "examples.npz") as archive:
        images = archive["images"]
    small, members = quantise(card, files, images)
    assert small.precision == "int8" and float(small.parameters["int8_change"]) <= card.tolerance
    assert members["model.onnx"] != files["model.onnx"]
    from dataclasses import replace

    with pytest.raises(PackageError, match="int8"):
        quantise(replace(card, tolerance=1e-9), files, images)


def test_answers_that_change_sides_are_counted():
    before = np.array([[[[1.0, -1.0], [1.0, -1.0]]]])
    assert answer_change(before, before) == 0
    assert answer_change(before, np.abs(before)) == 0.5
    assert answer_change(np.zeros((1, 2)), np.array([[np.log(3.0), 0.0]])) == pytest.approx(0.25)


def test_an_unfinished_run_is_refused(tmp_path):
    with pytest.raises(InputError, match="finished run"):
        package_run(tmp_path, tmp_path / "x.isocenter", private_key=KEY)
