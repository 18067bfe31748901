"""A model as one signed file: weights, card and digests, verified as a whole before any of it is parsed.

A package is a zip of stored members in one canonical form (sorted names, fixed dates): the same content gives the same
bytes, and a file whose bytes are not exactly that form is refused. The manifest names the SHA-256 of every member and
is signed with Ed25519; members are looked at only after the signature of a trusted key held.
"""

import hashlib
import io
import json
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from isocenter.core.card import ModelCard
from isocenter.core.errors import PackageError
from isocenter.zoo.cards import card_from_toml, card_to_toml
from isocenter.zoo.graph import check_graph
from isocenter.zoo.keys import key_id

FORMAT = "isocenter-package/1"
LIMIT_BYTES = 512 * 2**20
SUFFIX = ".isocenter"
CARD, MODEL, MANIFEST, SIGNATURE = "card.toml", "model.onnx", "manifest.json", "signature.ed25519"
_MAX_MEMBERS = 64
_MEMBER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}(\.[a-z0-9]{1,16}){1,2}")
_ZIP_ERRORS = (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError, RuntimeError, struct.error, OverflowError)


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """A verified package.

    files    member name -> bytes: model.onnx and what else the card refers to
    digest   "sha256:…" of the whole file
    signer   id of the key that signed it
    """

    card: ModelCard
    files: Mapping[str, bytes] = field(repr=False)
    digest: str
    signer: str


def package_file_name(card: ModelCard) -> str:
    """`<name>-<version>.isocenter`."""
    return f"{card.name}-{card.version}{SUFFIX}"


def write_package(path: Path, card: ModelCard, *, files: Mapping[str, bytes], private_key: Ed25519PrivateKey) -> str:
    """The digest ("sha256:…") of the package just written; the same content and key give the same bytes.

    files   "model.onnx" and any further members that the card refers to

    Raises PackageError if the graph, a name or the size would be refused on reading.
    """
    data = pack(card, files=files, private_key=private_key)
    read_package_bytes(data, trusted={key_id(private_key.public_key()): private_key.public_key()})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
    return _digest(data)


def pack(card: ModelCard, *, files: Mapping[str, bytes], private_key: Ed25519PrivateKey) -> bytes:
    """The bytes of a package."""
    members = {CARD: card_to_toml(card).encode(), **files}
    manifest = {
        "format": FORMAT,
        "name": card.name,
        "version": card.version,
        "signer": key_id(private_key.public_key()),
        "members": {name: {"sha256": _hex(data), "bytes": len(data)} for name, data in members.items()},
    }
    members[MANIFEST] = json.dumps(manifest, sort_keys=True, indent=1).encode()
    members[SIGNATURE] = private_key.sign(_signed_text(members[MANIFEST]))
    return _canonical_zip(members)


def read_package(path: Path, *, trusted: Mapping[str, Ed25519PublicKey]) -> Package:
    """The package in a file, verified.

    trusted   public keys by id, as `keys.trusted_keys` gives them

    Raises PackageError for an unknown signer, a changed byte, or content that is not what its card says.
    """
    data = read_bounded(path)
    try:
        return read_package_bytes(data, trusted=trusted)
    except PackageError as error:
        raise PackageError(f"{path.name}: {error}") from error


def read_package_bytes(data: bytes, *, trusted: Mapping[str, Ed25519PublicKey]) -> Package:
    """The package in these bytes, verified; as `read_package`."""
    members = _read_members(data)
    manifest, signer = _verified_manifest(members, trusted)
    _check_digests(members, manifest)
    try:
        card = card_from_toml(members[CARD].decode())
    except UnicodeDecodeError as error:
        raise PackageError("card.toml: expected UTF-8 text, got other bytes") from error
    if (card.name, card.version) != (manifest.get("name"), manifest.get("version")):
        raise PackageError("manifest: expected the card's name and version, got others")
    graph = check_graph(members[MODEL])
    if len(graph.inputs) != 1 or not set(card.outputs) <= set(graph.outputs):
        raise PackageError(
            f"model.onnx: expected one input and the card's outputs {sorted(card.outputs)}, "
            f"got {len(graph.inputs)} and {sorted(graph.outputs)}"
        )
    files = {name: content for name, content in members.items() if name not in (CARD, MANIFEST, SIGNATURE)}
    return Package(card, files, _digest(data), signer)


def read_bounded(path: Path) -> bytes:
    """The bytes of a file that may be a package; at most one more than a package may have."""
    try:
        with path.open("rb") as stream:
            return stream.read(LIMIT_BYTES + 1)
    except OSError as error:
        raise PackageError(f"{path.name}: expected a readable package, got {error.strerror}") from error


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _read_members(data: bytes) -> dict[str, bytes]:
    """Name -> bytes of a file that is exactly the canonical zip of these members."""
    if len(data) > LIMIT_BYTES:
        raise PackageError(f"expected a package of at most {LIMIT_BYTES >> 20} MiB, got a larger file")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            _check_infos(infos, len(data))
            members = {info.filename: archive.read(info) for info in infos}
    except _ZIP_ERRORS as error:
        raise PackageError("expected a model package, got a file that is none or was altered") from error
    if _canonical_zip(members) != data:
        raise PackageError("expected a package in canonical form, got other bytes; it was altered")
    return members


def _check_infos(infos: list[zipfile.ZipInfo], file_bytes: int) -> None:
    """Refuse before reading: too many, too large, compressed or oddly named members."""
    if len(infos) > _MAX_MEMBERS or sum(info.file_size for info in infos) > file_bytes:
        raise PackageError("expected members no larger than the file, got more; it was altered")
    for info in infos:
        if info.compress_type != zipfile.ZIP_STORED or not _MEMBER_NAME.fullmatch(info.filename):
            raise PackageError("expected stored members with plain names, got others")


def _verified_manifest(
    members: Mapping[str, bytes], trusted: Mapping[str, Ed25519PublicKey]
) -> tuple[dict[str, object], str]:
    """The manifest and its signer's id, once a trusted key's signature over it held."""
    missing = [name for name in (CARD, MODEL, MANIFEST, SIGNATURE) if name not in members]
    if missing:
        raise PackageError(f"expected the member {missing[0]}, got none")
    for signer, public_key in trusted.items():
        try:
            public_key.verify(members[SIGNATURE], _signed_text(members[MANIFEST]))
        except InvalidSignature:
            continue
        manifest = json.loads(members[MANIFEST])
        if manifest.get("format") != FORMAT or manifest.get("signer") != signer:
            raise PackageError(f"manifest: expected format {FORMAT} and its signer's id, got others")
        return manifest, signer
    raise PackageError("expected a trusted key's signature, got another or a wrong one; see `models trust`")


def _check_digests(members: Mapping[str, bytes], manifest: Mapping[str, object]) -> None:
    """Every member but manifest and signature is listed with its digest, and nothing else is."""
    actual = {
        name: {"sha256": _hex(data), "bytes": len(data)}
        for name, data in members.items()
        if name not in (MANIFEST, SIGNATURE)
    }
    if actual != manifest.get("members"):
        raise PackageError("expected the members that the manifest lists, got others; it was altered")


def _canonical_zip(members: Mapping[str, bytes]) -> bytes:
    """Stored members in name order, dated 1980-01-01 (the zip format's first day), mode 0644."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            if not _MEMBER_NAME.fullmatch(name):
                raise PackageError(f"member: expected a plain lower-case file name, got {name[:80]!r}")
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.create_version, info.extract_version = 3, 20, 20
            info.external_attr = 0o100644 << 16
            archive.writestr(info, members[name])
    return stream.getvalue()


def _signed_text(manifest: bytes) -> bytes:
    """What the signature covers; the prefix keeps it from being valid for any other kind of file."""
    return FORMAT.encode() + b"\n" + manifest


def _hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(data: bytes) -> str:
    return "sha256:" + _hex(data)
