"""Keys: made once, readable by their owner only, trusted by file."""

import os
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from isocenter.core.errors import PackageError
from isocenter.zoo.keys import (
    BUILT_IN_FOLDER,
    home_signing_key,
    key_id,
    load_public_key,
    load_signing_key,
    make_signing_key,
    public_pem,
    trust_key,
    trusted_keys,
)


def test_the_signing_key_is_made_once_private_and_trusted_here(tmp_path):
    key = home_signing_key(tmp_path)
    path = tmp_path / "keys" / "signing.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_id(home_signing_key(tmp_path).public_key()) == key_id(key.public_key())
    assert key_id(key.public_key()) in trusted_keys(tmp_path)
    assert key_id(key.public_key()) not in trusted_keys()


def test_a_key_is_never_overwritten(tmp_path):
    make_signing_key(tmp_path / "a.key")
    with pytest.raises(FileExistsError):
        make_signing_key(tmp_path / "a.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o777])
def test_a_key_that_others_may_read_or_write_is_not_used(tmp_path, mode):
    make_signing_key(tmp_path / "a.key")
    (tmp_path / "a.key").chmod(mode)
    with pytest.raises(PackageError, match="chmod 600"):
        load_signing_key(tmp_path / "a.key")


def test_the_mask_of_the_process_does_not_widen_it(tmp_path):
    before = os.umask(0)
    try:
        make_signing_key(tmp_path / "a.key")
    finally:
        os.umask(before)
    load_signing_key(tmp_path / "a.key")


def test_the_id_is_the_hash_of_the_raw_public_key():
    """RFC 8032, 7.1, test 1: the public key of the secret 9d61…; its SHA-256 begins as computed by sha256sum."""
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    assert raw.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key_id(public) == "21fe31dfa154a261"


def test_trusting_a_file_adds_its_key(tmp_path):
    public = Ed25519PrivateKey.generate().public_key()
    file = tmp_path / "them.pub"
    file.write_bytes(public_pem(public))
    assert trust_key(tmp_path / "home", file) == key_id(public)
    assert set(trusted_keys(tmp_path / "home")) == {key_id(public), *trusted_keys()}


def test_other_kinds_of_keys_and_other_files_are_refused(tmp_path):
    other = ec.generate_private_key(ec.SECP256R1())
    files = {
        "ec.pub": other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "ec.key": other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "text": b"hello",
        "long": b"x" * 5000,
        "empty": b"",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        (tmp_path / name).chmod(0o600)
        for load in (load_public_key, load_signing_key):
            with pytest.raises(PackageError, match=name):
                load(tmp_path / name)
    with pytest.raises(PackageError, match="gone"):
        load_public_key(tmp_path / "gone")


def test_the_release_key_ships():
    assert [path.name for path in BUILT_IN_FOLDER.glob("*.pub")] == ["isocenter-release-1.pub"]
    assert len(trusted_keys()) == 1
    assert not list(BUILT_IN_FOLDER.parent.rglob("*.key"))
