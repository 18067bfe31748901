"""Whose signature counts: Ed25519 keys that sign packages, and the public keys that are trusted."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from isocenter.core.errors import PackageError

BUILT_IN_FOLDER = Path(__file__).parent / "keys"
_LONGEST_KEY_FILE_BYTES = 4096


def key_id(public_key: Ed25519PublicKey) -> str:
    """The key's short name: first 16 hex digits of the SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def load_public_key(path: Path) -> Ed25519PublicKey:
    """The Ed25519 public key in a PEM file. Raises PackageError for anything else."""
    try:
        key = load_pem_public_key(_read_small(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise PackageError(f"{path.name}: expected an Ed25519 public key in PEM form, got something else") from error
    if not isinstance(key, Ed25519PublicKey):
        raise PackageError(f"{path.name}: expected an Ed25519 public key, got {type(key).__name__}")
    return key


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 private key in a PEM file that only its owner may read.

    Raises PackageError if group or others may read it, or if it is no such key.
    """
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise PackageError(f"{path.name}: expected a key that only its owner may read, got mode {mode:o}; chmod 600 it")
    try:
        key = load_pem_private_key(_read_small(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PackageError(f"{path.name}: expected an Ed25519 private key in PEM form, got something else") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise PackageError(f"{path.name}: expected an Ed25519 private key, got {type(key).__name__}")
    return key


def make_signing_key(path: Path) -> Ed25519PrivateKey:
    """A new private key, written to `path` with mode 0600; refuses to overwrite. Raises FileExistsError."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        stream.flush()
        os.fsync(stream.fileno())
    return key


def home_signing_key(home: Path) -> Ed25519PrivateKey:
    """The key that signs on this machine; made, and trusted here, on first use."""
    path = home / "keys" / "signing.key"
    if path.exists():
        return load_signing_key(path)
    key = make_signing_key(path)
    _write_trusted(home, key.public_key())
    return key


def public_pem(public_key: Ed25519PublicKey) -> bytes:
    """The public key as PEM text, as the `.pub` files hold it."""
    return public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def trusted_keys(home: Path | None = None) -> Mapping[str, Ed25519PublicKey]:
    """Every trusted public key by its id: those that ship, and those that `home` holds."""
    folders = [BUILT_IN_FOLDER] + ([home / "keys" / "trusted"] if home is not None else [])
    keys = [load_public_key(path) for folder in folders for path in sorted(folder.glob("*.pub"))]
    return {key_id(key): key for key in keys}


def trust_key(home: Path, file: Path) -> str:
    """Trust the public key in `file` from now on; its id. Raises PackageError if it is no Ed25519 public key."""
    return _write_trusted(home, load_public_key(file))


def _write_trusted(home: Path, public_key: Ed25519PublicKey) -> str:
    name = key_id(public_key)
    folder = home / "keys" / "trusted"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.pub").write_bytes(public_pem(public_key))
    return name


def _read_small(path: Path) -> bytes:
    """The whole of a file that a key may be; a longer one is none."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_LONGEST_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise PackageError(f"{path.name}: expected a readable key file, got {error.strerror}") from error
    if len(data) > _LONGEST_KEY_FILE_BYTES:
        raise PackageError(f"{path.name}: expected a key of at most {_LONGEST_KEY_FILE_BYTES} bytes, got a longer file")
    return data
