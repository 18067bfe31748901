"""A package is one canonical signed file: nothing changed, nothing added, nobody unknown gets through."""

import hashlib
import io
import json
import struct
import zipfile
import zlib

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isocenter.core.errors import PackageError
from isocenter.zoo import package as package_module
from isocenter.zoo.package import read_package, read_package_bytes, write_package


def rezip(data: bytes, change) -> bytes:
    """The package with its members changed by `change(dict)`, zipped again in the canonical way."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    change(members)
    return package_module._canonical_zip(members)


def resign(members, key):
    members["signature.ed25519"] = key.sign(package_module._signed_text(members["manifest.json"]))


def test_what_was_written_is_read(tmp_path, bench, card, onnx_bytes):
    path = tmp_path / "any.isocenter"
    digest = write_package(path, card, files={"model.onnx": onnx_bytes}, private_key=bench.key)
    package = read_package(path, trusted=bench.trusted)
    assert package.card == card
    assert package.files == {"model.onnx": onnx_bytes}
    assert package.digest == digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(tmp_path.iterdir()) == [path]


def zip_by_hand(members: dict[str, bytes]) -> bytes:
    """The canonical form field by field, after PKWARE's APPNOTE 4.3.7, 4.3.12 and 4.3.16."""
    body, directory = b"", b""
    for name, data in sorted(members.items()):
        shared = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(name), 0)
        tail = struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, len(body))
        directory += b"PK\x01\x02" + struct.pack("<BB", 20, 3) + shared + tail + name.encode()
        body += b"PK\x03\x04" + shared + name.encode() + data
    n = len(members)
    return body + directory + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, n, n, len(directory), len(body), 0)


def test_the_same_content_gives_the_same_bytes_under_every_python(bench):
    """Were Python's zip writer to change, old packages would be refused: this tells first."""
    fixed = {"b.bin": b"2", "a.bin": b"1"}
    assert bench.bytes(files=fixed) == bench.bytes(files=dict(reversed(fixed.items())))
    assert package_module._canonical_zip(fixed) == zip_by_hand(fixed)


def test_every_flipped_byte_of_the_frame_is_refused(bench):
    data = bench.bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        model = archive.getinfo("model.onnx")
    weights = range(model.header_offset + 200, model.header_offset + model.file_size)
    positions = [i for i in range(len(data)) if i not in weights] + list(weights[::7])
    altered = bytearray(data)
    for position in positions:
        altered[position] ^= 1 << (position % 8)
        with pytest.raises(PackageError):
            read_package_bytes(bytes(altered), trusted=bench.trusted)
        altered[position] ^= 1 << (position % 8)
    read_package_bytes(bytes(altered), trusted=bench.trusted)


@pytest.mark.parametrize("cut", [0, 1, 21, 100, -1, -22, -100])
def test_a_cut_file_is_refused(bench, cut):
    with pytest.raises(PackageError):
        read_package_bytes(bench.bytes()[:cut], trusted=bench.trusted)


@pytest.mark.parametrize("extra", [(b"x", b""), (b"", b"x"), (b"", b"\0" * 22)])
def test_bytes_before_or_behind_are_refused(bench, extra):
    with pytest.raises(PackageError, match="altered"):
        read_package_bytes(extra[0] + bench.bytes() + extra[1], trusted=bench.trusted)


def test_random_bytes_are_refused():
    rng = np.random.default_rng(0)
    for n in (0, 4, 22, 1000):
        with pytest.raises(PackageError):
            read_package_bytes(b"PK\x05\x06" + rng.bytes(n), trusted={})


@pytest.mark.parametrize("name", ["model.onnx", "card.toml", "manifest.json", "signature.ed25519"])
def test_a_missing_member_is_refused(bench, name):
    data = rezip(bench.bytes(), lambda members: members.pop(name))
    with pytest.raises(PackageError):
        read_package_bytes(data, trusted=bench.trusted)


def test_an_added_or_exchanged_member_is_refused(bench, onnx_bytes):
    for change in (lambda m: m.update({"more.bin": b"1"}), lambda m: m.update({"model.onnx": onnx_bytes + b"\0"})):
        with pytest.raises(PackageError, match="manifest lists"):
            read_package_bytes(rezip(bench.bytes(), change), trusted=bench.trusted)


def test_another_signer_is_refused_even_with_a_valid_signature(bench):
    stranger = Ed25519PrivateKey.generate()
    data = rezip(bench.bytes(), lambda members: resign(members, stranger))
    with pytest.raises(PackageError, match="trusted"):
        read_package_bytes(data, trusted=bench.trusted)
    with pytest.raises(PackageError, match="trusted"):
        read_package_bytes(bench.bytes(), trusted={})


def test_a_signature_over_another_format_or_name_is_refused(bench):
    def relabel(key, value):
        def change(members):
            manifest = json.loads(members["manifest.json"])
            manifest[key] = value
            members["manifest.json"] = json.dumps(manifest, sort_keys=True, indent=1).encode()
            resign(members, bench.key)

        return change

    for key, value in (
        ("format", "isocenter-package/2"),
        ("signer", "0" * 16),
        ("version", "9.0.0"),
        ("name", "other"),
    ):
        with pytest.raises(PackageError, match="manifest"):
            read_package_bytes(rezip(bench.bytes(), relabel(key, value)), trusted=bench.trusted)


@pytest.mark.parametrize(
    "name", ["../model.onnx", "/etc/passwd", "a/b.bin", "A.bin", "noext", "x.bin\0", "..", "c:\\x.bin"]
)
def test_member_names_that_are_paths_are_refused(bench, name):
    with pytest.raises(PackageError, match="plain"):
        bench.bytes(files={name: b"1"})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, b"1")
    with pytest.raises(PackageError):
        read_package_bytes(stream.getvalue(), trusted=bench.trusted)


def test_compressed_doubled_or_too_many_members_are_refused_before_reading(bench, monkeypatch):
    bomb, deflated, doubled, many = (io.BytesIO() for _ in range(4))
    with zipfile.ZipFile(deflated, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.onnx", bytes(range(100)))
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.onnx", bytes(50_000_000))
    with pytest.warns(UserWarning), zipfile.ZipFile(doubled, "w") as archive:
        archive.writestr("card.toml", b"1")
        archive.writestr("card.toml", b"2")
    with zipfile.ZipFile(many, "w") as archive:
        for i in range(65):
            archive.writestr(f"m{i}.bin", b"1")
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda self, info: pytest.fail(f"{info.filename} was read"))
    for stream, reason in ((bomb, "no larger"), (many, "no larger"), (deflated, "stored")):
        with pytest.raises(PackageError, match=reason):
            read_package_bytes(stream.getvalue(), trusted=bench.trusted)
    monkeypatch.undo()
    with pytest.raises(PackageError, match="canonical"):
        read_package_bytes(doubled.getvalue(), trusted=bench.trusted)


def test_a_file_beyond_the_limit_is_refused(bench, monkeypatch, tmp_path):
    path = bench.save(tmp_path)
    monkeypatch.setattr(package_module, "LIMIT_BYTES", path.stat().st_size - 1)
    with pytest.raises(PackageError, match="at most"):
        read_package(path, trusted=bench.trusted)


def test_a_card_that_promises_other_outputs_is_refused(bench):
    with pytest.raises(PackageError, match="outputs"):
        read_package_bytes(bench.bytes(outputs={"scores": "?"}), trusted=bench.trusted)


def test_what_would_be_refused_is_not_written(tmp_path, bench, card):
    with pytest.raises(PackageError):
        write_package(tmp_path / "x.isocenter", card, files={"model.onnx": b"no model"}, private_key=bench.key)
    with pytest.raises(PackageError, match=r"model\.onnx"):
        write_package(tmp_path / "x.isocenter", card, files={}, private_key=bench.key)
    assert not list(tmp_path.iterdir())


def test_an_unreadable_path_is_named(tmp_path, bench):
    with pytest.raises(PackageError, match=r"gone\.isocenter"):
        read_package(tmp_path / "gone.isocenter", trusted=bench.trusted)
    with pytest.raises(PackageError):
        read_package(tmp_path, trusted=bench.trusted)
